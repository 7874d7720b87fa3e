//! Why nobody could be authenticated.

/// Why a request was refused before anybody looked at what it asks for.
///
/// What a client is told of it is in no way different for public routes.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The credentials are not good: 401, `bad-credentials`.
    #[error("{reason}")]
    Rejected {
        /// Why, for the client.
        reason: String,
    },
    /// The credentials cannot be read, or there are several: 400,
    /// `malformed-credentials`.
    #[error("{reason}")]
    Malformed {
        /// Why, for the client.
        reason: String,
    },
    /// Nobody knows, at the moment: 503, `auth-unavailable`.
    #[error("{reason}")]
    Unavailable {
        /// Why, for the log; the client is not told.
        reason: String,
    },
}

impl AuthError {
    /// Credentials that are not good, and why, for the client.
    pub fn rejected(reason: impl Into<String>) -> Self {
        AuthError::Rejected {
            reason: reason.into(),
        }
    }

    /// Credentials that cannot be read, and why, for the client.
    pub fn malformed(reason: impl Into<String>) -> Self {
        AuthError::Malformed {
            reason: reason.into(),
        }
    }

    /// An authenticator that cannot tell at the moment, and why, for the log.
    pub fn unavailable(reason: impl Into<String>) -> Self {
        AuthError::Unavailable {
            reason: reason.into(),
        }
    }

    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rejected { .. } => "bad-credentials",
            Self::Malformed { .. } => "malformed-credentials",
            Self::Unavailable { .. } => "auth-unavailable",
        }
    }
}
