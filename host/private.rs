//! Folders whose content is nobody else's to read.

use std::fs::DirBuilder;
use std::io;
use std::path::Path;

/// Makes a folder and those around it which are not there; only their owner can look
/// into them. One that is there stays as it is.
///
/// # Errors
/// Those of the file system.
pub fn make(folder: &Path) -> io::Result<()> {
    private().recursive(true).create(folder)
}

/// Makes a folder that only its owner can look into.
pub(crate) fn make_one(folder: &Path) -> io::Result<()> {
    private().create(folder)
}

/// Gives a file or folder that was made here to the owner of the folder that it is
/// in: an administrator works beside a host that runs as somebody else.
#[cfg(unix)]
pub(crate) fn give(made: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, chown};

    let around = made.parent().unwrap_or(Path::new("/")).metadata()?;
    if made.metadata()?.uid() == around.uid() {
        return Ok(());
    }
    match chown(made, Some(around.uid()), Some(around.gid())) {
        // Whoever may write there, and is not root, keeps it.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        given => given,
    }
}

/// There what is in a folder has the rights of the folder.
#[cfg(not(unix))]
pub(crate) fn give(_made: &Path) -> io::Result<()> {
    Ok(())
}

/// Says in the log if everybody on this machine can look into the data directory. Its
/// group is the operator's choice.
#[cfg(unix)]
pub(crate) fn warn_if_open(data: &Path) {
    use std::os::unix::fs::PermissionsExt;

    let mode = data.metadata().map_or(0, |meta| meta.permissions().mode());
    if mode & 0o007 != 0 {
        let (mode, folder) = (mode & 0o7777, data.display());
        tracing::warn!(
            "the data directory `{folder}` has mode {mode:04o}, with which every user of this \
             machine can get at what plugins have stored; take that away with chmod 700 {folder}"
        );
    }
}

/// There what may be read is not in a mode.
#[cfg(not(unix))]
pub(crate) fn warn_if_open(_data: &Path) {}

#[cfg(unix)]
fn private() -> DirBuilder {
    use std::os::unix::fs::DirBuilderExt;

    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

#[cfg(not(unix))]
fn private() -> DirBuilder {
    DirBuilder::new()
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_made_is_private_and_what_is_there_stays() {
        let around = tempfile::tempdir().unwrap();
        let there = around.path().join("there");
        std::fs::create_dir(&there).unwrap();
        std::fs::set_permissions(&there, std::fs::Permissions::from_mode(0o755)).unwrap();
        let made = there.join("a/b");
        make(&made).unwrap();
        make(&made).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        let modes = [&*there, &there.join("a"), &made].map(mode);
        assert_eq!(modes, [0o755, 0o700, 0o700]);
        let error = make_one(&made).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    }
}
