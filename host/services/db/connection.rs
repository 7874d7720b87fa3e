//! One guarded connection to a plugin's database.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use exthost_abi::Status;
use rusqlite::{CachedStatement, Statement};

use crate::config::DbLimits;
use crate::services::db::checkpoint;
use crate::services::db::error::of_statement;
use crate::services::db::guard::{Clock, Guard, GuardError, is_ddl, statements};
use crate::services::db::opening::Opening;
use crate::services::db::outbox;
use crate::services::db::row::{Flow, Names, Row};
use crate::services::db::schema;
use crate::services::db::statement::{Query, RunResult};
use crate::services::error::ServiceError;
use crate::services::webhooks::OutboxMessage;

/// A connection whose plugin's statements run under the guard.
pub(super) struct Connection {
    raw: rusqlite::Connection,
    guard: Guard,
    clock: Arc<Clock>,
    opening: Arc<Opening>,
    took_message: Cell<bool>,
    /// Pages in the write-ahead log, as of the last commit.
    wal_pages: Arc<AtomicU32>,
}

impl Connection {
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
            wal_pages,
        }
    }

    /// Runs one statement of the plugin, within its deadline and until `until`,
    /// and hands its rows on.
    pub(super) fn run(
        &self,
        query: &Query,
        until: Option<Instant>,
        on_row: &mut dyn FnMut(&Row<'_>) -> Flow,
    ) -> Result<RunResult, ServiceError> {
        let outcome = self.try_run(query, until, on_row);
        self.opening.counters.count(&outcome);
        outcome
    }

    fn try_run(
        &self,
        query: &Query,
        until: Option<Instant>,
        on_row: &mut dyn FnMut(&Row<'_>) -> Flow,
    ) -> Result<RunResult, ServiceError> {
        self.check_text(&query.sql)?;
        self.limited(query.deadline, until, || {
            if !is_ddl(&query.sql) {
                let mut statement = self.statement(&query.sql)?;
                return self.step(&mut statement, query, on_row);
            }
            if !query.params.is_empty() {
                let reason = "a statement that changes the schema takes no parameters";
                return Err(ServiceError::invalid(reason));
            }
            self.change_schema(&query.sql)
        })
    }

    /// Runs a statement of the plugin if it only reads; nothing if it writes.
    pub(super) fn read(
        &self,
        query: &Query,
        until: Option<Instant>,
        on_row: &mut dyn FnMut(&Row<'_>) -> Flow,
    ) -> Result<Option<RunResult>, ServiceError> {
        let outcome = self.try_read(query, until, on_row);
        if !matches!(outcome, Ok(None)) {
            self.opening.counters.count(&outcome);
        }
        outcome
    }

    fn try_read(
        &self,
        query: &Query,
        until: Option<Instant>,
        on_row: &mut dyn FnMut(&Row<'_>) -> Flow,
    ) -> Result<Option<RunResult>, ServiceError> {
        self.check_text(&query.sql)?;
        if is_ddl(&query.sql) {
            return Ok(None);
        }
        self.limited(query.deadline, until, || {
            let mut statement = self.statement(&query.sql)?;
            match statement.readonly() {
                true => self.step(&mut statement, query, on_row).map(Some),
                false => Ok(None),
            }
        })
    }

    /// Checks a statement of the plugin without running it.
    pub(super) fn check(&self, sql: &str) -> Result<(), ServiceError> {
        self.check_text(sql)?;
        if statements(sql).next().is_none() {
            return Err(ServiceError::invalid("there is no statement in the text"));
        }
        match is_ddl(sql) {
            // It is judged by what it changes.
            true => Ok(()),
            false => self.statement(sql).map(drop),
        }
    }

    fn statement(&self, sql: &str) -> Result<CachedStatement<'_>, ServiceError> {
        self.guard.prepare(&self.raw, sql).map_err(failure)
    }

    /// Runs a change of the schema, which stands only if all that it changed is
    /// the plugin's own.
    fn change_schema(&self, sql: &str) -> Result<RunResult, ServiceError> {
        schema::run_ddl(&self.raw, &self.guard, sql).map_err(failure)?;
        Ok(RunResult {
            changes: 0,
            last_insert_rowid: self.raw.last_insert_rowid(),
        })
    }

    fn step(
        &self,
        statement: &mut Statement<'_>,
        query: &Query,
        on_row: &mut dyn FnMut(&Row<'_>) -> Flow,
    ) -> Result<RunResult, ServiceError> {
        query.bind(statement)?;
        let writes = !statement.readonly();
        let names: Names = statement.column_names().map(Box::from).collect();
        let mut rows = statement.raw_query();
        loop {
            match rows.next() {
                Ok(None) => break,
                Ok(Some(row)) => {
                    if on_row(&Row::lent(&names, row)) == Flow::Stop && !writes {
                        break;
                    }
                    // SQLite looks now and then, however long a row took.
                    if !writes {
                        self.clock.check().map_err(|error| of_statement(&error))?;
                    }
                }
                Err(error) => {
                    return Err(failure(self.guard.explain(&self.raw, &query.sql, error)));
                }
            }
        }
        Ok(RunResult {
            changes: if writes { self.raw.changes() } else { 0 },
            last_insert_rowid: self.raw.last_insert_rowid(),
        })
    }

    /// Runs the service's own SQL, which no plugin wrote.
    pub(super) fn own<R>(
        &self,
        run: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<R>,
    ) -> Result<R, ServiceError> {
        self.guard
            .trusted(|| run(&self.raw))
            .map_err(|error| of_statement(&error))
    }

    /// Runs the statements of a script, each within `deadline`; stops at the first
    /// failure.
    pub(super) fn script(
        &self,
        script: &str,
        deadline: Duration,
        until: Option<Instant>,
    ) -> Result<(), ServiceError> {
        self.check_text(script)?;
        for statement in statements(script) {
            let query = Query::plain(statement, deadline);
            self.run(&query, until, &mut |_| Flow::Next)?;
        }
        Ok(())
    }

    /// Opens a transaction that writes.
    pub(super) fn begin(&self) -> Result<(), ServiceError> {
        // With the host's database beside it an immediate one would read that as
        // well, for as long as it is open.
        let begin = match self.opening.host {
            Some(_) => "BEGIN",
            None => "BEGIN IMMEDIATE",
        };
        self.own(|raw| raw.execute_batch(begin))
    }

    pub(super) fn commit(&self) -> Result<(), ServiceError> {
        self.own(|raw| raw.execute_batch("COMMIT"))
    }

    /// Undoes what `run` wrote if it fails.
    pub(super) fn savepoint<R>(
        &self,
        run: impl FnOnce() -> Result<R, ServiceError>,
    ) -> Result<R, ServiceError> {
        self.own(|raw| raw.execute_batch("SAVEPOINT exthost_call"))?;
        let result = run();
        // SQLite may have ended the transaction, and with it the savepoint.
        if self.is_autocommit() {
            return result;
        }
        let end = match result {
            Ok(_) => "RELEASE exthost_call",
            Err(_) => "ROLLBACK TO exthost_call; RELEASE exthost_call",
        };
        self.own(|raw| raw.execute_batch(end))?;
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

    /// Queues a message for the endpoints.
    pub(super) fn queue(&self, message: &OutboxMessage) -> Result<(), ServiceError> {
        self.own(|raw| outbox::insert(raw, message))?;
        self.took_message.set(true);
        Ok(())
    }

    /// Whether a message was queued since the last time, committed or not.
    pub(super) fn took_message(&self) -> bool {
        self.took_message.take()
    }

    /// Moves what is left in the log into the file. Returns the pages of the log.
    pub(super) fn checkpoint(&self) -> Result<u32, ServiceError> {
        self.own(checkpoint::passive)
    }

    /// Pages in the write-ahead log, as of the last commit.
    pub(super) fn wal_pages(&self) -> u32 {
        self.wal_pages.load(Ordering::Relaxed)
    }

    pub(super) fn limits(&self) -> &DbLimits {
        &self.opening.limits
    }

    /// Stops the statements of `run` at its deadline, and at `until`.
    fn limited<R>(&self, deadline: Duration, until: Option<Instant>, run: impl FnOnce() -> R) -> R {
        let end = Instant::now() + deadline;
        let end = until.map_or(end, |until| end.min(until));
        self.clock.set_deadline(Some(end));
        let returned = run();
        self.clock.set_deadline(None);
        returned
    }

    fn check_text(&self, sql: &str) -> Result<(), ServiceError> {
        if sql.contains('\0') {
            // SQLite would stop there, and run the half of it.
            return Err(ServiceError::invalid("there is a zero byte in the text"));
        }
        let max = self.opening.limits.sql_bytes_max;
        if sql.len() > max {
            return Err(ServiceError::new(
                Status::TOO_LARGE,
                "sql-too-large",
                format!("a statement of {} bytes is longer than {max}", sql.len()),
            ));
        }
        Ok(())
    }
}

/// A failure as the plugin may see it: one fixed text for what is not its own.
fn failure(error: GuardError) -> ServiceError {
    match error {
        GuardError::Sql(error) => of_statement(&error),
        GuardError::Refused(refusal) => {
            ServiceError::new(Status::DENIED, "outside-scope", refusal.to_string())
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}
