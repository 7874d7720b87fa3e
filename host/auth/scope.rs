//! Scopes: what an actor may do.

use std::fmt;

use crate::config::cure;

/// What the host shows: status, plugins, endpoints, deliveries, logs.
pub const READ: &str = "host.read";

/// What changes the host: reload and install plugins, replay and enable webhooks.
pub const MANAGE: &str = "host.manage";

/// To ask the filters of an event and tell its observers.
pub const EVENTS: &str = "host.events";

/// To send an event to one plugin.
pub const DISPATCH: &str = "host.dispatch";

/// To read the metrics.
pub const METRICS: &str = "host.metrics";

/// All scopes of the host's own. Those of plugins are named by their routes.
pub const HOST_SCOPES: [&str; 5] = [READ, MANAGE, EVENTS, DISPATCH, METRICS];

/// Longest scope in bytes.
const SCOPE_BYTES_MAX: usize = 64;

/// A scope that can be given to a token: 1 to 64 letters, digits, `.`, `_`, `:`, `/`
/// or `-`.
///
/// Those that begin with `host` as a word of its own belong to the host, which has
/// [`HOST_SCOPES`] and no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope(String);

/// Why a text is no scope.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// It has other characters, or too many.
    #[error(
        "`{}` is no scope; a scope has 1 to {SCOPE_BYTES_MAX} letters, digits, `.`, `_`, `:`, `/` \
         or `-`, as in notes:write", .scope.escape_debug()
    )]
    Text {
        /// The text.
        scope: String,
    },
    /// It looks like one of the host's.
    #[error("the host has no scope `{scope}`; {cure}")]
    Host {
        /// The text.
        scope: String,
        /// The nearest scope of the host, or all of them.
        cure: String,
    },
}

impl Scope {
    /// Checks a scope.
    ///
    /// # Errors
    /// [`ScopeError`].
    pub fn parse(scope: &str) -> Result<Self, ScopeError> {
        if !is_scope(scope) {
            return Err(ScopeError::Text {
                scope: scope.to_owned(),
            });
        }
        let mut words = scope.split(|c: char| !c.is_ascii_alphanumeric());
        let is_of_host = words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("host"));
        if is_of_host && !HOST_SCOPES.contains(&scope) {
            return Err(ScopeError::Host {
                scope: scope.to_owned(),
                cure: cure(scope, &HOST_SCOPES),
            });
        }
        Ok(Scope(scope.to_owned()))
    }

    /// All scopes of the host's own.
    pub fn all_of_host() -> Vec<Self> {
        HOST_SCOPES.map(|scope| Scope(scope.to_owned())).into()
    }

    /// The scope as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a text may be a scope, whoever's.
pub(crate) fn is_scope(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
    (1..=SCOPE_BYTES_MAX).contains(&text.len()) && text.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes() {
        let longest = "a".repeat(SCOPE_BYTES_MAX);
        for scope in ["a", "notes:write", "Notes/7._-", "hosts.read", &longest] {
            assert_eq!(Scope::parse(scope).unwrap().as_str(), scope);
        }
        for scope in HOST_SCOPES {
            assert_eq!(Scope::parse(scope).unwrap().to_string(), scope);
        }
        for scope in ["", "a b", "a,b", "ä", "a\n", "\"", &format!("{longest}a")] {
            let error = Scope::parse(scope).unwrap_err().to_string();
            assert!(error.ends_with("as in notes:write"), "{error}");
        }
    }

    #[test]
    fn a_near_miss_is_told_the_nearest() {
        for (scope, nearest) in [
            ("host.raed", "host.read"),
            ("Host.Read", "host.read"),
            ("host:manage", "host.manage"),
            ("host.event", "host.events"),
            ("host.metric", "host.metrics"),
        ] {
            let error = Scope::parse(scope).unwrap_err().to_string();
            let expected = format!("the host has no scope `{scope}`; did you mean `{nearest}`?");
            assert_eq!(error, expected);
        }
        let error = Scope::parse("host.something-else").unwrap_err().to_string();
        assert!(error.contains("`host.read`, `host.manage`"), "{error}");
    }
}
