//! SQLite's failures as the service's errors.

use std::time::Instant;

use exthost_abi::Status;
use rusqlite::{Error, ErrorCode, ffi};
use serde_json::json;

use crate::services::error::ServiceError;

/// What a failed statement is to the plugin: SQLite's reason, the extended code
/// and, where known, the position in the text.
pub(super) fn of_statement(error: &Error) -> ServiceError {
    let (sqlite, message, offset) = match error {
        Error::SqliteFailure(sqlite, message) => (Some(sqlite), message.clone(), None),
        Error::SqlInputError {
            error, msg, offset, ..
        } => (Some(error), Some(msg.clone()), Some(*offset)),
        _ => (None, None, None),
    };
    let message = message.unwrap_or_else(|| error.to_string());
    let (status, code) = match sqlite {
        Some(sqlite) => classify(sqlite),
        None if matches!(error, Error::MultipleStatement) => (Status::INVALID, "many-statements"),
        None => (Status::INVALID, "invalid"),
    };
    let message = match code {
        "statement-deadline" => "the statement ran into its deadline and was stopped; do less \
                                  within one, or raise db.statement_deadline_ms"
            .to_owned(),
        CORRUPT => format!("the database file is damaged ({message})"),
        "corrupt-virtual-table" => format!(
            "the content of a virtual table does not fit together ({message}); rebuild it or make it \
             anew"
        ),
        "too-large" => format!("{message}; db.value_bytes_max bounds a value and a row"),
        "quota" => format!(
            "{message}: the plugin's database has reached db.file_bytes_max, or the disk its end"
        ),
        "many-statements" => "more than one statement; use exec for a script".to_owned(),
        _ => message,
    };
    let mut detail = json!({});
    if let Some(sqlite) = sqlite {
        detail["sqlite"] = sqlite.extended_code.into();
    }
    if let Some(offset) = offset.filter(|offset| *offset >= 0) {
        detail["position"] = offset.into();
    }
    ServiceError {
        detail: detail.to_string(),
        ..ServiceError::new(status, code, message)
    }
}

/// What a call is told that has waited in vain since `since`.
pub(super) fn busy_since(since: Instant) -> ServiceError {
    let waited = since.elapsed().as_millis();
    ServiceError::busy(format!(
        "the database was busy for {waited} ms; a transaction or a long statement holds it"
    ))
}

/// The code of a damaged file.
pub(super) const CORRUPT: &str = "corrupt";

/// The status of a failure of SQLite, and its stable code.
fn classify(error: &ffi::Error) -> (Status, &'static str) {
    match error.code {
        ErrorCode::ConstraintViolation => (Status::CONFLICT, constraint(error.extended_code)),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::SchemaChanged => {
            (Status::BUSY, "busy")
        }
        ErrorCode::OperationInterrupted => (Status::TIMEOUT, "statement-deadline"),
        ErrorCode::TooBig => (Status::TOO_LARGE, "too-large"),
        ErrorCode::OutOfMemory => (Status::TOO_LARGE, "out-of-memory"),
        ErrorCode::DiskFull => (Status::FULL, "quota"),
        // A plugin can bring that about by itself, in an FTS5 table for one.
        ErrorCode::DatabaseCorrupt if error.extended_code == ffi::SQLITE_CORRUPT_VTAB => {
            (Status::CORRUPT, "corrupt-virtual-table")
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => (Status::CORRUPT, CORRUPT),
        ErrorCode::SystemIoFailure | ErrorCode::CannotOpen | ErrorCode::ReadOnly => {
            (Status::INTERNAL, "io")
        }
        ErrorCode::TypeMismatch => (Status::CONFLICT, "constraint-datatype"),
        ErrorCode::AuthorizationForStatementDenied => (Status::DENIED, "outside-scope"),
        _ => (Status::INVALID, "sql"),
    }
}

fn constraint(extended: i32) -> &'static str {
    match extended {
        ffi::SQLITE_CONSTRAINT_CHECK => "constraint-check",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "constraint-foreign-key",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "constraint-not-null",
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            "constraint-primary-key"
        }
        ffi::SQLITE_CONSTRAINT_TRIGGER => "constraint-trigger",
        ffi::SQLITE_CONSTRAINT_UNIQUE => "constraint-unique",
        ffi::SQLITE_CONSTRAINT_DATATYPE => "constraint-datatype",
        _ => "constraint",
    }
}
