//! Why a value of the broadcast settings was not taken.

/// A value that is not what it has to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BroadcastError {
    /// A pattern of channels is malformed.
    #[error(
        "`{}` is not a pattern of channels; give the plugin or `*`, a slash, and tokens of \
         letters, digits, `_` and `-` joined by dots, `*` for any one and a last `>` for all that \
         follow, as in `notes/>`",
        .pattern.escape_debug()
    )]
    Pattern {
        /// The pattern.
        pattern: String,
    },
    /// An origin is malformed.
    #[error(
        "`{}` is not an origin; give scheme and host, and the port unless it is the scheme's own, \
         as in `https://app.example`",
        .origin.escape_debug()
    )]
    Origin {
        /// The origin.
        origin: String,
    },
    /// A host is malformed.
    #[error(
        "`{}` is not a host; give its name or address, with or without a port, as in \
         `app.example`",
        .host.escape_debug()
    )]
    Host {
        /// The host.
        host: String,
    },
}

impl BroadcastError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Pattern { .. } => "bad-channel-pattern",
            Self::Origin { .. } => "bad-origin",
            Self::Host { .. } => "bad-host",
        }
    }
}
