//! One guarded connection to a plugin's database.

mod run;

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use exthost_abi::Status;

use crate::config::DbLimits;
use crate::services::db::checkpoint;
use crate::services::db::error::of_statement;
use crate::services::db::guard::{Clock, Guard};
use crate::services::db::opening::Opening;
use crate::services::db::outbox::Parcel;
use crate::services::error::ServiceError;

/// A connection whose plugin's statements run under the guard.
pub(super) struct Connection {
    raw: rusqlite::Connection,
    guard: Guard,
    clock: Arc<Clock>,
    opening: Arc<Opening>,
    /// Something was queued for the relay.
    took_message: Cell<bool>,
    /// A full disk, or the quota, was met.
    met_full: Cell<bool>,
    /// Pages in the write-ahead log, as of the last commit.
    wal_pages: Arc<AtomicU32>,
}

impl Connection {
    /// The connection `raw`, which `guard` guards.
    pub(super) fn new(
        raw: rusqlite::Connection,
        guard: Guard,
        opening: Arc<Opening>,
        wal_pages: Arc<AtomicU32>,
    ) -> Self {
        Connection {
            clock: guard.clock(),
            raw,
            guard,
            opening,
            took_message: Cell::new(false),
            met_full: Cell::new(false),
            wal_pages,
        }
    }

    /// Runs the service's own SQL, which no plugin wrote.
    pub(super) fn own<R>(
        &self,
        run: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<R>,
    ) -> Result<R, ServiceError> {
        let ran = self.guard.trusted(|| run(&self.raw));
        let outcome = ran.map_err(|error| of_statement(&error));
        self.note(&outcome);
        outcome
    }

    /// Runs one of the service's own statements that is run again and again.
    fn own_statement(&self, sql: &str) -> Result<(), ServiceError> {
        self.own(|raw| raw.prepare_cached(sql)?.raw_execute().map(drop))
    }

    /// Opens a transaction that writes.
    pub(super) fn begin(&self) -> Result<(), ServiceError> {
        // With the host's database beside it an immediate one would read that as
        // well, for as long as it is open.
        let begin = match self.opening.host {
            Some(_) => "BEGIN",
            None => "BEGIN IMMEDIATE",
        };
        self.own_statement(begin)
    }

    /// Commits the transaction that is open.
    pub(super) fn commit(&self) -> Result<(), ServiceError> {
        self.own_statement("COMMIT")
    }

    /// Undoes what `run` wrote if it fails.
    pub(super) fn savepoint<R>(
        &self,
        run: impl FnOnce() -> Result<R, ServiceError>,
    ) -> Result<R, ServiceError> {
        self.own_statement("SAVEPOINT exthost_call")?;
        let result = run();
        // SQLite may have ended the transaction, and with it the savepoint.
        if self.is_autocommit() {
            return result;
        }
        if result.is_err() {
            self.own_statement("ROLLBACK TO exthost_call")?;
        }
        self.own_statement("RELEASE exthost_call")?;
        result
    }

    /// Whether no transaction is open: also when SQLite itself has ended one.
    pub(super) fn is_autocommit(&self) -> bool {
        self.raw.is_autocommit()
    }

    /// Ends a transaction that may be open.
    pub(super) fn roll_back(&self) {
        if !self.is_autocommit()
            && let Err(error) = self.own(|raw| raw.execute_batch("ROLLBACK"))
        {
            tracing::error!(%error, "a transaction could not be rolled back");
        }
    }

    /// Queues something for the relay.
    pub(super) fn queue(&self, parcel: &impl Parcel) -> Result<(), ServiceError> {
        self.own(|raw| parcel.insert(raw))?;
        self.took_message.set(true);
        Ok(())
    }

    /// Whether something was queued since the last time, committed or not.
    pub(super) fn took_message(&self) -> bool {
        self.took_message.take()
    }

    /// Whether a full disk, or the quota, was met since the last time.
    pub(super) fn met_full(&self) -> bool {
        self.met_full.take()
    }

    /// Takes note of what an outcome says of the file and of the disk.
    pub(super) fn note<T>(&self, outcome: &Result<T, ServiceError>) {
        self.opening.note(outcome);
        if matches!(outcome, Err(error) if error.status == Status::FULL) {
            self.met_full.set(true);
        }
    }

    /// Moves what is left in the log into the file. Returns the pages of the log.
    pub(super) fn checkpoint(&self) -> Result<u32, ServiceError> {
        self.own(checkpoint::passive)
    }

    /// Pages in the write-ahead log, as of the last commit.
    pub(super) fn wal_pages(&self) -> u32 {
        self.wal_pages.load(Ordering::Relaxed)
    }

    /// Takes note of the version of the schema.
    pub(super) fn set_version(&self, version: u64) {
        self.opening.state.set_version(version);
    }

    /// What the plugin may use.
    pub(super) fn limits(&self) -> &DbLimits {
        &self.opening.limits
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}
