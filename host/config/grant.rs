//! What the operator grants a plugin.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::error::cure;

/// The capabilities of this host, all at revision 1.
pub(crate) const CAPABILITIES: [&str; 11] = [
    "audit",
    "broadcast",
    "cache",
    "config",
    "db",
    "events",
    "kv",
    "log",
    "routes",
    "tasks",
    "webhooks",
];

/// Permission to use one service: `db` at every revision that this host has of
/// it, `db/1` at that one.
///
/// # Examples
/// ```
/// use exthost::config::Grant;
///
/// let grant: Grant = "db".parse()?;
/// assert!(grant.covers("db", 1));
/// let error = "dbb".parse::<Grant>().unwrap_err();
/// assert!(error.to_string().ends_with("did you mean `db`?"));
/// # Ok::<(), exthost::config::GrantError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(
    with = "String",
    description = "A capability: db at every revision that the host has, db/1 at that one."
)]
pub struct Grant {
    id: String,
    revision: Option<u32>,
}

impl Grant {
    /// Whether it permits to use the table `id` at `revision`.
    pub fn covers(&self, id: &str, revision: u32) -> bool {
        self.id == id && self.revision.is_none_or(|granted| granted == revision)
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.revision {
            None => f.write_str(&self.id),
            Some(revision) => write!(f, "{}/{revision}", self.id),
        }
    }
}

impl FromStr for Grant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        let refused = |cure| GrantError {
            text: text.to_owned(),
            cure,
        };
        let (id, revision) = match text.split_once('/') {
            None => (text, None),
            Some((id, revision)) => (id, Some(revision)),
        };
        if !CAPABILITIES.contains(&id) {
            return Err(refused(cure(id, &CAPABILITIES)));
        }
        match revision.map(str::parse) {
            None => Ok(None),
            Some(Ok(1)) => Ok(Some(1)),
            Some(_) => Err(refused(format!("this host has `{id}/1`"))),
        }
        .map(|revision| Grant {
            id: id.to_owned(),
            revision,
        })
    }
}

impl TryFrom<String> for Grant {
    type Error = GrantError;

    fn try_from(text: String) -> Result<Self, GrantError> {
        text.parse()
    }
}

impl From<Grant> for String {
    fn from(grant: Grant) -> Self {
        grant.to_string()
    }
}

/// A text that names no capability of this host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no capability of this host; {cure}", .text.escape_debug())]
#[non_exhaustive]
pub struct GrantError {
    /// The text.
    pub text: String,
    /// The nearest capability, or all of them.
    pub cure: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_may_be_left_out() {
        let grant = |text: &str| text.parse::<Grant>();
        assert!(grant("db").unwrap().covers("db", 2));
        assert!(grant("db/1").unwrap().covers("db", 1));
        assert!(!grant("db/1").unwrap().covers("db", 2));
        assert!(!grant("db").unwrap().covers("log", 1));
        assert_eq!(grant("db/1").unwrap().to_string(), "db/1");
        for text in ["db/2", "db/", "db/x", "db/1/1"] {
            let error = grant(text).unwrap_err().to_string();
            assert!(error.ends_with("this host has `db/1`"), "{error}");
        }
        let error = grant("").unwrap_err().to_string();
        assert!(
            error.contains("there are `audit`, `broadcast`, "),
            "{error}"
        );
    }
}
