//! `webhooks.db`: messages, deliveries, attempts, and what is known of each
//! endpoint.
//!
//! Every change is one transaction that is on the disk when it returns, so that
//! a host killed at any moment goes on from the last of them.

mod accept;
mod endpoints;
mod list;
mod outcome;
mod replay;
mod schema;
mod sweep;
#[cfg(test)]
mod tests;
mod turn;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use exthost_abi::Status;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use crate::services::error::ServiceError;
use crate::services::webhooks::error::WebhooksError;

pub(crate) use list::{AttemptRow, Counts, DeliveryFilter, DeliveryRow};
pub(crate) use outcome::{GONE, Outcome};
pub(crate) use replay::Replay;
pub(crate) use turn::{Ask, Leased, Plan};

/// The file of messages, open.
#[derive(Debug)]
pub(crate) struct Store {
    writer: Mutex<Connection>,
    /// Lists are read beside the deliveries, not between them.
    reader: Mutex<Connection>,
    file_bytes_max: u64,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeliveryState {
    Pending = 0,
    Leased = 1,
    Done = 2,
    Dead = 3,
}

impl DeliveryState {
    pub(crate) const ALL: [DeliveryState; 4] = [
        DeliveryState::Pending,
        DeliveryState::Leased,
        DeliveryState::Done,
        DeliveryState::Dead,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            DeliveryState::Pending => "pending",
            DeliveryState::Leased => "leased",
            DeliveryState::Done => "done",
            DeliveryState::Dead => "dead",
        }
    }

    /// The state that stands as `number` in the file.
    fn of(number: i64) -> Self {
        let found = Self::ALL.into_iter().find(|state| *state as i64 == number);
        found.unwrap_or(DeliveryState::Dead)
    }
}

impl Store {
    /// Opens the file, and makes it if there is none.
    pub(crate) fn open(path: &Path, file_bytes_max: u64) -> Result<Self, WebhooksError> {
        let unusable = |error: rusqlite::Error| WebhooksError::File {
            path: path.to_owned(),
            why: error.to_string(),
        };
        let writer = schema::open(path).map_err(unusable)?;
        let found = schema::migrate(&writer).map_err(unusable)?;
        if found > schema::VERSION {
            return Err(WebhooksError::SchemaNewer {
                path: path.to_owned(),
                found,
                known: schema::VERSION,
            });
        }
        Ok(Store {
            writer: Mutex::new(writer),
            reader: Mutex::new(schema::open(path).map_err(unusable)?),
            file_bytes_max,
        })
    }

    /// Runs `work` in a transaction that is on the disk when this returns.
    fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, ServiceError> {
        let mut connection = lock(&self.writer);
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let value = work(&transaction).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(value)
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, ServiceError> {
        work(&lock(&self.reader)).map_err(failed)
    }
}

fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    // A transaction that a panic left open was rolled back by its drop.
    connection.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The failure of a statement on this file.
fn failed(error: rusqlite::Error) -> ServiceError {
    let (status, code) = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => (Status::FULL, "disk-full"),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (Status::BUSY, "busy"),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (Status::CORRUPT, "corrupt"),
        _ => (Status::INTERNAL, "webhooks-file"),
    };
    ServiceError::new(status, code, format!("webhooks.db: {error}"))
}
