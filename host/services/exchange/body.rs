//! The body of a request, on its way to the plugin.

use bytes::Bytes;
use exthost_abi::Status;

use crate::services::error::ServiceError;

/// The body of a request, with the route's limit applied.
pub(crate) type RequestBody = http_body_util::combinators::UnsyncBoxBody<Bytes, BodyError>;

/// Why a request's body cannot be read further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// It exceeds the route's limit.
    #[error("the request body exceeds the limit of {bytes_max} bytes")]
    TooLarge {
        /// The limit in bytes.
        bytes_max: u64,
    },
    /// The connection ended, or broke the protocol.
    #[error("the client ended the request body early")]
    Broken,
    /// Nothing came for the idle timeout.
    #[error("the request body paused for more than {idle_ms} ms")]
    Idle {
        /// The idle timeout.
        idle_ms: u128,
    },
    /// It was not whole by the route's deadline.
    #[error("the request body was not whole after {deadline_ms} ms")]
    Slow {
        /// The route's deadline.
        deadline_ms: u128,
    },
}

impl From<BodyError> for ServiceError {
    fn from(error: BodyError) -> Self {
        let (status, code) = match error {
            BodyError::TooLarge { .. } => (Status::TOO_LARGE, "body-too-large"),
            BodyError::Broken => (Status::GONE, "body-broken"),
            BodyError::Idle { .. } => (Status::TIMEOUT, "body-idle"),
            BodyError::Slow { .. } => (Status::TIMEOUT, "body-slow"),
        };
        ServiceError::new(status, code, error.to_string())
    }
}
