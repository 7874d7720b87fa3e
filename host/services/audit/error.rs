//! Why the audit cannot be used.

use std::path::PathBuf;

use exthost_abi::Status;
use rusqlite::ErrorCode;

use crate::services::audit::verify::Fault;
use crate::services::error::ServiceError;

/// Why the audit cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The key cannot be used.
    #[error("{} cannot be used: {why}", .path.display())]
    Key {
        /// Its file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// There are records, and no key to go on with.
    #[error(
        "{} is not there, and it has signed the records in audit.db; put it back, or move audit.db \
         away to begin anew", .path.display()
    )]
    NoKey {
        /// Where it should be.
        path: PathBuf,
    },
    /// The file of records cannot be used.
    #[error("{} cannot be used: {why}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        why: String,
    },
    /// There is no file of records.
    #[error("there is no {}: nothing was recorded yet, or it was removed", .path.display())]
    NoFile {
        /// Where it would be.
        path: PathBuf,
    },
    /// The file of records is of a later host.
    #[error(
        "{} has schema {found} and this host knows {known}; upgrade the host", .path.display()
    )]
    SchemaNewer {
        /// The file.
        path: PathBuf,
        /// The schema of the file.
        found: i64,
        /// The latest schema of this host.
        known: i64,
    },
    /// Records were changed.
    #[error("{}: {fault}", .path.display())]
    Tampered {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: Fault,
    },
}

impl AuditError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Key { .. } => "audit-key",
            Self::NoKey { .. } => "no-audit-key",
            Self::File { .. } => "audit-file",
            Self::NoFile { .. } => "no-audit-file",
            Self::SchemaNewer { .. } => "schema-newer",
            Self::Tampered { .. } => "audit-damaged",
        }
    }
}

/// The failure of a statement on the file of records.
pub(super) fn failed(error: &rusqlite::Error) -> ServiceError {
    let (status, code) = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => (Status::FULL, "disk-full"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (Status::BUSY, "busy"),
        _ => (Status::INTERNAL, "io"),
    };
    ServiceError::new(status, code, format!("the audit was not written: {error}"))
}
