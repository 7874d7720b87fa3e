//! Patterns of event types: tokens joined by dots, `*` for one, `>` for the rest.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::EndpointError;

/// Longest event type in bytes.
pub(crate) const EVENT_TYPE_BYTES_MAX: usize = 256;

/// Which event types an endpoint wants, such as `note.*` or `>`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(String);

impl Pattern {
    /// Checks `pattern`.
    ///
    /// # Errors
    /// [`EndpointError::Pattern`].
    pub fn parse(pattern: &str) -> Result<Self, EndpointError> {
        let mut tokens = pattern.split('.').peekable();
        let mut good = pattern.len() <= EVENT_TYPE_BYTES_MAX;
        while let Some(token) = tokens.next() {
            let last = tokens.peek().is_none();
            good &= token == "*" || (token == ">" && last) || is_token(token);
        }
        match good {
            true => Ok(Pattern(pattern.to_owned())),
            false => Err(EndpointError::Pattern {
                pattern: pattern.to_owned(),
            }),
        }
    }

    /// The pattern that every event type matches.
    pub fn all() -> Self {
        Pattern(">".to_owned())
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `event_type` matches.
    pub fn matches(&self, event_type: &str) -> bool {
        let mut tokens = event_type.split('.');
        for wanted in self.0.split('.') {
            match (wanted, tokens.next()) {
                (">", Some(_)) => return true,
                ("*", Some(_)) => {}
                (wanted, Some(token)) if wanted == token => {}
                _ => return false,
            }
        }
        tokens.next().is_none()
    }

    /// Whether all that matches this matches `wider` as well.
    pub(crate) fn is_within(&self, wider: &Pattern) -> bool {
        let mut tokens = self.0.split('.');
        for wide in wider.0.split('.') {
            match (wide, tokens.next()) {
                (">", Some(_)) => return true,
                ("*", Some(token)) if token != ">" => {}
                (wide, Some(token)) if wide == token => {}
                _ => return false,
            }
        }
        tokens.next().is_none()
    }
}

/// Whether `event_type` is tokens `[A-Za-z0-9_-]+` joined by dots, at most 256
/// bytes.
pub(crate) fn is_event_type(event_type: &str) -> bool {
    event_type.len() <= EVENT_TYPE_BYTES_MAX && event_type.split('.').all(is_token)
}

fn is_token(token: &str) -> bool {
    let of_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !token.is_empty() && token.bytes().all(of_word)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl TryFrom<String> for Pattern {
    type Error = EndpointError;

    fn try_from(pattern: String) -> Result<Self, EndpointError> {
        Self::parse(&pattern)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matches() {
        for (pattern, event_type, expected) in [
            (">", "a", true),
            (">", "a.b.c", true),
            ("a", "a", true),
            ("a", "a.b", false),
            ("a", "A", false),
            ("a.*", "a.b", true),
            ("a.*", "a", false),
            ("a.*", "a.b.c", false),
            ("*.b", "a.b", true),
            ("*.b", "b", false),
            ("*", "a.b", false),
            ("a.>", "a.b.c", true),
            ("a.>", "a", false),
            ("*.*.>", "a.b.c", true),
            ("*.*.>", "a.b", false),
        ] {
            let matches = Pattern::parse(pattern).unwrap().matches(event_type);
            assert_eq!(matches, expected, "{pattern} {event_type}");
        }
    }

    #[test]
    fn what_is_no_pattern() {
        let long = "a".repeat(EVENT_TYPE_BYTES_MAX + 1);
        for pattern in [
            "", ".", "a.", ".a", "a..b", ">.a", "a*", "a b", "ä", "**", &long,
        ] {
            let error = Pattern::parse(pattern).unwrap_err().to_string();
            assert!(error.contains("as in `note.*`"), "{error}");
        }
        assert!(is_event_type("note.created-2_x"));
        for event_type in ["", "note.*", ">", "a.", "a b", &long] {
            assert!(!is_event_type(event_type), "{event_type}");
        }
    }
}
