//! Capabilities and tables, as a meta names them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Permission to use one service, at one revision of its table: `db/1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Capability {
    /// The service's id, `db`.
    pub id: String,
    /// The revision of its table, from 1.
    pub revision: u32,
}

impl Capability {
    /// Names the table `id` at `revision`.
    pub fn new(id: impl Into<String>, revision: u32) -> Self {
        Self {
            id: id.into(),
            revision,
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.id, self.revision)
    }
}

impl FromStr for Capability {
    type Err = CapabilityError;

    fn from_str(text: &str) -> Result<Self, CapabilityError> {
        text.split_once('/')
            .filter(|(id, _)| is_id(id))
            .and_then(|(id, revision)| Some(Self::new(id, number(revision)?)))
            .ok_or_else(|| CapabilityError {
                text: text.to_owned(),
            })
    }
}

impl TryFrom<String> for Capability {
    type Error = CapabilityError;

    fn try_from(text: String) -> Result<Self, CapabilityError> {
        text.parse()
    }
}

impl From<Capability> for String {
    fn from(capability: Capability) -> Self {
        capability.to_string()
    }
}

/// A text that names no capability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("`{text}` is not a capability; write id/revision, as in db/1")]
pub struct CapabilityError {
    /// The text.
    pub text: String,
}

/// A table that a plugin was compiled against, with its fingerprint:
/// `db/1=5f0c...`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableRef {
    /// The table's id.
    pub id: String,
    /// Its revision.
    pub revision: u32,
    /// The first 8 bytes of the hash of its row in the lock file, in
    /// hexadecimal.
    pub fingerprint: String,
}

impl TableRef {
    /// Reads `db/1=5f0c...`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (table, fingerprint) = text.split_once('=')?;
        let Capability { id, revision } = table.parse().ok()?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (fingerprint.len() == 16 && fingerprint.bytes().all(is_hex)).then(|| Self {
            id,
            revision,
            fingerprint: fingerprint.to_owned(),
        })
    }
}

fn is_id(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_lowercase())
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
}

/// Reads a revision; `+1` and `01` are other spellings of nothing.
fn number(text: &str) -> Option<u32> {
    let plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_have_one_spelling() {
        assert_eq!("db/1".parse(), Ok(Capability::new("db", 1)));
        for bad in [
            "db",
            "db/",
            "/1",
            "db/01",
            "db/+1",
            "db/0",
            "DB/1",
            "db/1/2",
            "db/4294967296",
        ] {
            assert!(bad.parse::<Capability>().is_err(), "{bad}");
        }
    }

    #[test]
    fn tables_carry_sixteen_digits() {
        let table = TableRef::parse("db/1=0123456789abcdef").unwrap();
        assert_eq!((table.id.as_str(), table.revision), ("db", 1));
        for bad in [
            "db/1",
            "db/1=",
            "db/1=0123",
            "db/1=0123456789ABCDEF",
            "=0123456789abcdef",
        ] {
            assert!(TableRef::parse(bad).is_none(), "{bad}");
        }
    }
}
