//! The one way a service call fails.

use std::borrow::Cow;
use std::fmt;

use exthost_abi::Status;

/// Why a service refused a call: a kind, a stable code, and one sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ServiceError {
    /// The kind of failure.
    pub status: Status,
    /// A stable code in lower case.
    pub code: Cow<'static, str>,
    /// One sentence for a person, naming what differs and what to do.
    pub message: String,
    /// A JSON object with particulars, or empty.
    pub detail: String,
}

impl ServiceError {
    /// An error with a code of its own.
    pub fn new(status: Status, code: &'static str, message: impl Into<String>) -> Self {
        ServiceError {
            status,
            code: Cow::Borrowed(code),
            message: message.into(),
            detail: String::new(),
        }
    }

    /// A malformed argument.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Status::INVALID, "invalid", message)
    }

    /// The addressed request, task or operation has ended.
    pub fn gone(message: impl Into<String>) -> Self {
        Self::new(Status::GONE, "gone", message)
    }

    /// A bounded queue or pool is full.
    pub fn busy(message: impl Into<String>) -> Self {
        Self::new(Status::BUSY, "busy", message)
    }

    /// A call at the wrong time or on the wrong thread.
    pub fn misplaced(message: impl Into<String>) -> Self {
        Self::new(Status::MISPLACED, "misplaced", message)
    }

    /// A call after the plugin was stopped.
    pub fn stopped() -> Self {
        Self::new(Status::STOPPED, "stopped", "this plugin has been stopped")
    }

    /// The same, of a part of what was asked: `what` stands before the sentence.
    #[must_use]
    pub(crate) fn within(self, what: impl fmt::Display) -> Self {
        ServiceError {
            message: format!("{what}: {}", self.message),
            ..self
        }
    }

    /// Whether it is the plugin's fault rather than the client's, so that the
    /// client learns no more than that.
    pub fn is_server_fault(&self) -> bool {
        // A plugin that writes past its own transaction passes on a conflict, but not one
        // that a client could mend.
        let own = self.code == "own-transaction-open";
        own || !matches!(
            self.status,
            Status::INVALID
                | Status::DENIED
                | Status::NOT_FOUND
                | Status::CONFLICT
                | Status::TOO_LARGE
                | Status::BUSY
                | Status::STOPPED
                | Status::TIMEOUT
                | Status::FULL
        )
    }

    /// A plain status, as a stream or an operation ends with.
    pub fn status(status: Status) -> Self {
        Self::new(status, status.name(), status.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_is_the_clients_unless_it_is_with_the_plugins_own_transaction() {
        let conflict = |code| ServiceError::new(Status::CONFLICT, code, "why");
        assert!(!conflict("constraint-unique").is_server_fault());
        assert!(conflict("own-transaction-open").is_server_fault());
    }
}
