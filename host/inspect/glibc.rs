//! Versions of the GNU C library.

use std::fmt;

use serde::{Serialize, Serializer};

/// A version of the GNU C library: the highest one that a library's imports
/// name, or the one that a system has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Glibc {
    major: u32,
    minor: u32,
    patch: u32,
}

impl Glibc {
    /// Names the version `major.minor`.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self {
            major,
            minor,
            patch: 0,
        }
    }

    /// Reads the name of a symbol version, `GLIBC_2.34`.
    ///
    /// `GLIBC_PRIVATE` and the like name no release; `GLIBC_ABI_DT_RELR` came
    /// with 2.36.
    pub(super) fn from_symbol_version(name: &str) -> Option<Self> {
        let version = match name.strip_prefix("GLIBC_")? {
            "ABI_DT_RELR" => "2.36",
            version => version,
        };
        let mut numbers = version.split('.').map(|number| number.parse().ok());
        let major = numbers.next()??;
        let minor = numbers.next()??;
        let patch = numbers.next().unwrap_or(Some(0))?;
        numbers.next().is_none().then_some(Self {
            major,
            minor,
            patch,
        })
    }
}

impl fmt::Display for Glibc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        match self.patch {
            0 => Ok(()),
            patch => write!(f, ".{patch}"),
        }
    }
}

impl Serialize for Glibc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbol_versions_are_ordered_by_number() {
        let of = Glibc::from_symbol_version;
        assert!(of("GLIBC_2.9") < of("GLIBC_2.34"));
        assert!(of("GLIBC_2.2.5") < of("GLIBC_2.3"));
        assert_eq!(of("GLIBC_2.34"), Some(Glibc::new(2, 34)));
        assert_eq!(
            of("GLIBC_2.2.5").map(|glibc| glibc.to_string()).as_deref(),
            Some("2.2.5")
        );
        for none in [
            "GLIBC_PRIVATE",
            "GLIBCXX_3.4",
            "GLIBC_",
            "GLIBC_2",
            "GLIBC_1.2.3.4",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
