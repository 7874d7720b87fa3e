//! Why a message was not published, or a client not taken.

use exthost_abi::Status;

use crate::config::{BroadcastError, CHANNEL_BYTES_MAX};
use crate::services::broadcast::{APPLICATION, PATTERNS_MAX};
use crate::services::error::ServiceError;

/// Why a message was not published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The channel or the event has no name.
    #[error(
        "{what} is named `{}`, which is not tokens of letters, digits, `_` and `-` joined by dots, \
         at most {CHANNEL_BYTES_MAX} bytes, as in `note.changed`",
        .name.escape_debug()
    )]
    Name {
        /// The channel or the event.
        what: &'static str,
        /// Its name, as far as it is that long.
        name: String,
    },
    /// The payload is too long.
    #[error("the payload has {bytes} bytes, and a message {bytes_max} at most")]
    TooLarge {
        /// Its bytes.
        bytes: usize,
        /// How many there may be.
        bytes_max: usize,
    },
    /// The payload cannot be turned into JSON.
    #[error("the payload cannot be turned into JSON: {source}")]
    NotJson {
        /// Why.
        source: serde_json::Error,
    },
    /// Too many channels.
    #[error(
        "{owner} has {channels_max} channels, its limit; publish to one of them and say in the \
         message what it is about"
    )]
    Channels {
        /// The plugin, or the application.
        owner: String,
        /// How many there may be.
        channels_max: usize,
    },
    /// The plugin has the application's name.
    #[error(
        "the channels {APPLICATION}/... are the application's; a plugin named {APPLICATION} cannot \
         publish, give it another name"
    )]
    Reserved,
}

impl PublishError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name { .. } => "invalid",
            Self::TooLarge { .. } => "too-large",
            Self::NotJson { .. } => "not-json",
            Self::Channels { .. } => "channels-max",
            Self::Reserved => "reserved-name",
        }
    }
}

impl From<PublishError> for ServiceError {
    fn from(error: PublishError) -> Self {
        let status = match error {
            PublishError::Name { .. } | PublishError::NotJson { .. } => Status::INVALID,
            PublishError::TooLarge { .. } => Status::TOO_LARGE,
            PublishError::Channels { .. } => Status::BUSY,
            PublishError::Reserved => Status::DENIED,
        };
        ServiceError::new(status, error.code(), error.to_string())
    }
}

/// Why a client was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    /// A pattern is malformed.
    #[error(transparent)]
    Pattern(#[from] BroadcastError),
    /// Too many patterns.
    #[error("{count} patterns are more than the {PATTERNS_MAX} that a client may have")]
    Patterns {
        /// How many there are.
        count: usize,
    },
    /// Too many clients.
    #[error("{clients_max} clients are connected, as many as may be; try again later")]
    Clients {
        /// How many there may be.
        clients_max: usize,
    },
    /// The host is shutting down.
    #[error("this host is shutting down; connect again")]
    Closed,
}

impl ListenError {
    /// Returns the stable code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Pattern(error) => error.code(),
            Self::Patterns { .. } => "patterns-max",
            Self::Clients { .. } => "clients-max",
            Self::Closed => "shutting-down",
        }
    }
}
