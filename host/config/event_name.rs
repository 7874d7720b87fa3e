//! The name of an event, checked once.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::is_event_type;

/// The name of an event: tokens `[A-Za-z0-9_-]+` joined by dots, 256 bytes at most.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventName(String);

impl EventName {
    /// Checks `name`.
    ///
    /// # Errors
    /// [`EventNameError`].
    pub fn parse(name: &str) -> Result<Self, EventNameError> {
        match is_event_type(name) {
            true => Ok(EventName(name.to_owned())),
            false => Err(EventNameError {
                name: name.to_owned(),
            }),
        }
    }
}

/// A text that is no event name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is no event name; write tokens of letters, digits, `_` and `-` joined by dots, 256 bytes \
     at most, as in `note.created`",
    beginning(.name).escape_debug()
)]
#[non_exhaustive]
pub struct EventNameError {
    /// The text.
    pub name: String,
}

/// What an error shows of a text, which may be of any length.
pub(crate) fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(SHOWN_BYTES_MAX)]
}

/// More than a good name has, so that it is seen to go on.
const SHOWN_BYTES_MAX: usize = 300;

impl AsRef<str> for EventName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for EventName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl TryFrom<String> for EventName {
    type Error = EventNameError;

    fn try_from(name: String) -> Result<Self, EventNameError> {
        Self::parse(&name)
    }
}

impl From<EventName> for String {
    fn from(name: EventName) -> Self {
        name.0
    }
}
