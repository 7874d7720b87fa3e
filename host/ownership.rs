//! Who may write to a file.

use std::fs::Metadata;

/// Who owns a file, and whom its mode lets write.
///
/// Where files have no such owners, on Windows, nothing is known of any file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ownership {
    /// The number of the user who owns it.
    pub user: u32,
    /// The number of its group.
    pub group: u32,
    /// Its permissions, such as `0o644`.
    pub mode: u32,
}

/// Why the content of a file may not be what the operator put there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Distrust {
    /// Its mode lets others write.
    #[error(
        "can be written by others than its owner (mode {mode:04o}, group {group}); take that \
         away with chmod go-w"
    )]
    WritableByOthers {
        /// The mode.
        mode: u32,
        /// The group.
        group: u32,
    },
    /// Somebody owns it who is neither root nor the user of this process.
    #[error(
        "belongs to user {owner}, this host runs as user {host}; give it with chown to {host} or \
         to root"
    )]
    ForeignOwner {
        /// The file's owner.
        owner: u32,
        /// The user of this process.
        host: u32,
    },
}

impl Ownership {
    /// What the system says of a file.
    #[cfg(unix)]
    pub(crate) fn of(metadata: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;

        Some(Ownership {
            user: metadata.uid(),
            group: metadata.gid(),
            mode: metadata.mode() & 0o7777,
        })
    }

    /// What the system says of a file, which is nothing.
    #[cfg(not(unix))]
    pub(crate) fn of(_: &Metadata) -> Option<Self> {
        None
    }

    /// Returns why a host that runs as `host` may not trust the file: users other
    /// than that one and root can write to it.
    ///
    /// A group of the owner's own, which has its number as many systems set it
    /// up, is nobody else.
    pub fn distrust(&self, host: u32) -> Option<Distrust> {
        let group = self.mode & 0o020 != 0 && self.group != self.user;
        if group || self.mode & 0o002 != 0 {
            return Some(Distrust::WritableByOthers {
                mode: self.mode,
                group: self.group,
            });
        }
        let owner = self.user;
        (owner != 0 && owner != host).then_some(Distrust::ForeignOwner { owner, host })
    }
}

/// Returns the number of the user that this process acts as.
#[cfg(unix)]
pub fn current_user() -> Option<u32> {
    Some(rustix::process::geteuid().as_raw())
}

/// Returns nothing, for users have no numbers here.
#[cfg(not(unix))]
pub fn current_user() -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(user: u32, group: u32, mode: u32) -> Option<String> {
        let file = Ownership { user, group, mode };
        file.distrust(1000).map(|distrust| distrust.to_string())
    }

    #[test]
    fn only_root_and_the_host_may_write() {
        assert_eq!(told(1000, 1000, 0o755), None);
        assert_eq!(told(0, 0, 0o644), None);
        let text = told(1001, 1001, 0o600).unwrap();
        assert!(
            text.contains("user 1001") && text.contains("as user 1000"),
            "{text}"
        );
    }

    #[test]
    fn a_group_of_ones_own_is_nobody_else() {
        assert_eq!(told(1000, 1000, 0o775), None);
        for (group, mode) in [(100, 0o664), (1000, 0o666), (100, 0o646)] {
            let text = told(1000, group, mode).unwrap();
            assert!(text.contains(&format!("mode {mode:04o}")), "{text}");
        }
    }
}
