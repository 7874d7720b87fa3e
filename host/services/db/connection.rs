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
use crate::services::db::guard::{Clock, Guard, GuardError, Kind, Text, statements};
use crate::services::db::opening::Opening;
use crate::services::db::outbox::Parcel;
use crate::services::db::row::{EachRow, Flow, Row};
use crate::services::db::schema;
use crate::services::db::statement::{Query, RunResult};
use crate::services::error::ServiceError;

/// A connection whose plugin's statements run under the guard.
pub(super) struct Connection {
    raw: rusqlite::Connection,
    guard: Guard,
    clock: Arc<Clock>,
    opening: Arc<Opening>,
    took_message: Cell<bool>,
    met_full: Cell<bool>,
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
            met_full: Cell::new(false),
            wal_pages,
        }
    }

    /// Runs one statement of the plugin, within its deadline and until `until`,
    /// and hands its rows on.
    pub(super) fn run(
        &self,
        query: &Query<'_>,
        until: Option<Instant>,
        on_row: EachRow<'_>,
    ) -> Result<RunResult, ServiceError> {
        self.run_after(&mut None, query, until, on_row)
    }

    /// Runs several statements, all or none, each within its deadline and all until
    /// `until`.
    pub(super) fn batch(
        &self,
        queries: &[Query<'_>],
        until: Instant,
    ) -> Result<Vec<RunResult>, ServiceError> {
        self.savepoint(|| {
            let mut last = None;
            let each = queries.iter().enumerate().map(|(at, query)| {
                let ran = self.run_after(&mut last, query, Some(until), &mut |_| Flow::Next);
                ran.map_err(|error| ServiceError {
                    message: format!("statement {at} of the batch: {}", error.message),
                    ..error
                })
            });
            each.collect()
        })
    }

    /// [`run`](Self::run), with the statement of `last` if that has the same text.
    fn run_after<'c>(
        &'c self,
        last: &mut Option<Prepared<'c>>,
        query: &Query<'_>,
        until: Option<Instant>,
        on_row: EachRow<'_>,
    ) -> Result<RunResult, ServiceError> {
        let outcome = self.try_run(last, query, until, on_row);
        self.opening.counters.count(&outcome);
        self.note(&outcome);
        outcome
    }

    fn try_run<'c>(
        &'c self,
        last: &mut Option<Prepared<'c>>,
        query: &Query<'_>,
        until: Option<Instant>,
        on_row: EachRow<'_>,
    ) -> Result<RunResult, ServiceError> {
        self.check_text(&query.sql)?;
        self.limited(query, until, || {
            if query.sql.kind() != Kind::Ddl {
                let prepared = match last.take() {
                    Some(prepared) if prepared.text.is(&query.sql) => prepared,
                    _ => Prepared {
                        text: query.sql.clone(),
                        statement: self.statement(&query.sql)?,
                    },
                };
                return self.step(&mut last.insert(prepared).statement, query, on_row);
            }
            *last = None;
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
        query: &Query<'_>,
        until: Option<Instant>,
        on_row: EachRow<'_>,
    ) -> Result<Option<RunResult>, ServiceError> {
        let outcome = self.try_read(query, until, on_row);
        if !matches!(outcome, Ok(None)) {
            self.opening.counters.count(&outcome);
        }
        self.note(&outcome);
        outcome
    }

    fn try_read(
        &self,
        query: &Query<'_>,
        until: Option<Instant>,
        on_row: EachRow<'_>,
    ) -> Result<Option<RunResult>, ServiceError> {
        self.check_text(&query.sql)?;
        if query.sql.kind() == Kind::Ddl {
            return Ok(None);
        }
        self.limited(query, until, || {
            let mut statement = self.statement(&query.sql)?;
            match statement.readonly() {
                true => self.step(&mut statement, query, on_row).map(Some),
                false => Ok(None),
            }
        })
    }

    /// Checks a statement of the plugin without running it.
    pub(super) fn check(&self, sql: &Text) -> Result<(), ServiceError> {
        self.check_text(sql)?;
        if statements(sql).next().is_none() {
            return Err(ServiceError::invalid("there is no statement in the text"));
        }
        match sql.kind() {
            // It is judged by what it changes.
            Kind::Ddl => Ok(()),
            _ => {
                let outcome = self.statement(sql).map(drop);
                self.note(&outcome);
                outcome
            }
        }
    }

    fn statement(&self, sql: &Text) -> Result<CachedStatement<'_>, ServiceError> {
        self.guard.prepare_text(&self.raw, sql).map_err(failure)
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
        query: &Query<'_>,
        on_row: EachRow<'_>,
    ) -> Result<RunResult, ServiceError> {
        query.bind(statement)?;
        let writes = !statement.readonly();
        let mut names = None;
        let mut rows = statement.raw_query();
        loop {
            match rows.next() {
                Ok(None) => break,
                Ok(Some(row)) => {
                    // Not before: the first step prepares anew what has changed.
                    let names = names.get_or_insert_with(|| query.sql.names(row.as_ref()));
                    if on_row(&Row::lent(names, row)) == Flow::Stop && !writes {
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
        let ran = self.guard.trusted(|| run(&self.raw));
        let outcome = ran.map_err(|error| of_statement(&error));
        self.note(&outcome);
        outcome
    }

    /// Runs one of the service's own statements that is run again and again.
    fn own_statement(&self, sql: &str) -> Result<(), ServiceError> {
        self.own(|raw| raw.prepare_cached(sql)?.raw_execute().map(drop))
    }

    /// Runs the statements of a script, each within `deadline`; stops at the first
    /// failure.
    pub(super) fn script(
        &self,
        script: &str,
        deadline: Duration,
        until: Option<Instant>,
    ) -> Result<(), ServiceError> {
        self.check_script(script.len(), script.contains('\0'))?;
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
        self.own_statement(begin)
    }

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

    pub(super) fn limits(&self) -> &DbLimits {
        &self.opening.limits
    }

    /// Runs `run`, the statement of `query`, which ends at its deadline and at
    /// `until`, and notes it if it was slow.
    fn limited<R>(&self, query: &Query<'_>, until: Option<Instant>, run: impl FnOnce() -> R) -> R {
        let slow = self.opening.limits.slow_statement;
        let begun = self.clock.begin(query.deadline, until, slow);
        let returned = run();
        let took = self.clock.end(begun);
        if took >= slow {
            self.opening.counters.slow.note(&query.sql, took);
        }
        returned
    }

    fn check_text(&self, sql: &Text) -> Result<(), ServiceError> {
        self.check_script(sql.len(), sql.has_zero())
    }

    fn check_script(&self, bytes: usize, has_zero: bool) -> Result<(), ServiceError> {
        if has_zero {
            // SQLite would stop there, and run the half of it.
            return Err(ServiceError::invalid("there is a zero byte in the text"));
        }
        let max = self.opening.limits.sql_bytes_max;
        if bytes > max {
            return Err(ServiceError::new(
                Status::TOO_LARGE,
                "sql-too-large",
                format!("a statement of {bytes} bytes is longer than {max}"),
            ));
        }
        Ok(())
    }
}

/// A statement that was prepared for one call.
struct Prepared<'c> {
    text: Text,
    statement: CachedStatement<'c>,
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
