//! What becomes of one plugin's pin.

use std::fmt;

use exthost::inspect::Capability;
use exthost::pins::{ContentHash, Pin};
use exthost::verify::Verified;
use semver::Version;
use serde::Serialize;

/// What becomes of one plugin's pin.
#[derive(Debug, Serialize)]
pub(super) struct Change {
    name: String,
    #[serde(flatten)]
    kind: Kind,
    /// What it may use, with the pin.
    grants: Vec<Capability>,
    /// What it could do with as well, and was not agreed to.
    not_granted: Vec<Capability>,
}

/// What becomes of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case", tag = "change")]
pub(super) enum Kind {
    /// Nothing, it is pinned like that.
    Same { version: Version },
    /// It is pinned for the first time.
    New { version: Version },
    /// It is pinned with another content or other grants.
    Renewed { from: Version, version: Version },
    /// It needs more than was agreed to, so its pin stays as it was.
    NeedsMore {
        version: Version,
        needs: Vec<Capability>,
    },
    /// Its file is gone, and so is its pin.
    Gone,
    /// It was asked for, and its operator does not want it.
    Disabled { reason: String },
    /// It was asked for, and no file that could be loaded is of that name.
    NotFound,
}

impl Change {
    /// What becomes of the pin `old` of a plugin, with `agreed` beyond it; and the
    /// pin, unless it stays as it was.
    pub(super) fn of(
        plugin: &Verified,
        old: Option<&Pin>,
        agreed: &[Capability],
    ) -> (Self, Option<Pin>) {
        let meta = plugin.meta();
        let version = meta.version.clone();
        let may = |wanted: &&Capability| {
            old.is_none_or(|old| old.grants.contains(wanted)) || agreed.contains(wanted)
        };
        let wanted = plugin.granted();
        let grants: Vec<_> = wanted.iter().filter(may).cloned().collect();
        let not_granted: Vec<_> = wanted.iter().filter(|it| !may(it)).cloned().collect();
        let change = |kind, grants, not_granted| Change {
            name: meta.name.to_string(),
            kind,
            grants,
            not_granted,
        };
        let needs: Vec<_> = meta.needs.iter().filter(|it| !may(it)).cloned().collect();
        if !needs.is_empty() {
            let grants = old.map_or(Vec::new(), |old| old.grants.clone());
            let kind = Kind::NeedsMore { version, needs };
            return (change(kind, grants, Vec::new()), None);
        }
        let pin = Pin {
            version: version.clone(),
            hash: ContentHash::from(plugin.inspected().hash()),
            grants: grants.clone(),
        };
        let kind = match old {
            None => Kind::New { version },
            Some(old) if *old == pin => Kind::Same { version },
            Some(old) => Kind::Renewed {
                from: old.version.clone(),
                version,
            },
        };
        (change(kind, grants, not_granted), Some(pin))
    }

    /// A change of a plugin whose file nobody has seen.
    pub(super) fn bare(name: &str, kind: Kind) -> Self {
        Change {
            name: name.to_owned(),
            kind,
            grants: Vec::new(),
            not_granted: Vec::new(),
        }
    }

    /// Whether the plugin is not pinned now.
    pub(super) fn is_wrong(&self) -> bool {
        let wrong = matches!(self.kind, Kind::NeedsMore { .. } | Kind::Disabled { .. });
        wrong || self.is_not_found()
    }

    /// Whether there is no such plugin.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self.kind, Kind::NotFound)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.kind {
            Kind::Same { version } => write!(f, "=  {name} {version}")?,
            Kind::New { version } => write!(f, "+  {name} {version}")?,
            Kind::Renewed { from, version } => write!(f, "~  {name} {from} -> {version}")?,
            Kind::Gone => return write!(f, "-  {name}: its file is gone"),
            Kind::Disabled { reason } => {
                return write!(f, "no {name} is disabled: {reason}; enable it to pin it");
            }
            Kind::NotFound => return write!(f, "no {name}: there is no such plugin"),
            Kind::NeedsMore { version, needs } => {
                write!(
                    f,
                    "no {name} {version} needs {}, {} grants it {}; to agree: exthost pin {name}",
                    list(needs),
                    exthost::pins::LOCK_FILE,
                    list(&self.grants)
                )?;
                return needs.iter().try_for_each(|it| write!(f, " --grant {it}"));
            }
        }
        write!(f, "  may use {}", list(&self.grants))?;
        match self.not_granted.is_empty() {
            true => Ok(()),
            false => write!(f, "; not {}, which it wants", list(&self.not_granted)),
        }
    }
}

fn list(capabilities: &[Capability]) -> String {
    let names: Vec<_> = capabilities.iter().map(Capability::to_string).collect();
    match names.is_empty() {
        true => "nothing".to_owned(),
        false => names.join(", "),
    }
}
