//! The plugin's own statements on a connection: judged, timed and counted.

use std::time::{Duration, Instant};

use exthost_abi::Status;
use rusqlite::{CachedStatement, Statement};

use crate::services::db::connection::Connection;
use crate::services::db::error::of_statement;
use crate::services::db::guard::{GuardError, Kind, Text, statements};
use crate::services::db::row::{EachRow, Flow, Row};
use crate::services::db::schema;
use crate::services::db::statement::{Query, RunResult};
use crate::services::error::ServiceError;

impl Connection {
    /// Runs one statement of the plugin, within its deadline and until `until`,
    /// and hands its rows on.
    pub(in crate::services::db) fn run(
        &self,
        query: &Query<'_>,
        until: Option<Instant>,
        on_row: EachRow<'_>,
    ) -> Result<RunResult, ServiceError> {
        self.run_after(&mut None, query, until, on_row)
    }

    /// Runs several statements, all or none, each within its deadline and all until
    /// `until`.
    pub(in crate::services::db) fn batch(
        &self,
        queries: &[Query<'_>],
        until: Instant,
    ) -> Result<Vec<RunResult>, ServiceError> {
        self.savepoint(|| {
            let mut last = None;
            let each = queries.iter().enumerate().map(|(at, query)| {
                let ran = self.run_after(&mut last, query, Some(until), &mut |_| Flow::Next);
                ran.map_err(|error| error.within(format_args!("statement {at} of the batch")))
            });
            each.collect()
        })
    }

    /// Runs a statement of the plugin if it only reads; nothing if it writes.
    pub(in crate::services::db) fn read(
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

    /// Checks a statement of the plugin without running it.
    pub(in crate::services::db) fn check(&self, sql: &Text) -> Result<(), ServiceError> {
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

    /// Runs the statements of a script, each within `deadline`; stops at the first
    /// failure.
    pub(in crate::services::db) fn script(
        &self,
        script: &str,
        deadline: Duration,
        until: Option<Instant>,
    ) -> Result<(), ServiceError> {
        self.check_script(script.len(), script.contains('\0'))?;
        let statements: Vec<&str> = statements(script).collect();
        for (at, statement) in statements.iter().enumerate() {
            let query = Query::plain(statement, deadline);
            let ran = self.run(&query, until, &mut |_| Flow::Next);
            ran.map_err(|error| match statements.len() {
                1 => error,
                _ => error.within(format_args!("statement {at} of the script")),
            })?;
        }
        Ok(())
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
            if query.sql.kind() == Kind::Ddl {
                *last = None;
                return self.change_schema(query);
            }
            let prepared = match last.take() {
                Some(prepared) if prepared.text.is(&query.sql) => prepared,
                _ => Prepared {
                    text: query.sql.clone(),
                    statement: self.statement(&query.sql)?,
                },
            };
            self.step(&mut last.insert(prepared).statement, query, on_row)
        })
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

    fn statement(&self, sql: &Text) -> Result<CachedStatement<'_>, ServiceError> {
        self.guard.prepare_text(&self.raw, sql).map_err(failure)
    }

    /// Runs a change of the schema, which stands only if all that it changed is
    /// the plugin's own.
    fn change_schema(&self, query: &Query<'_>) -> Result<RunResult, ServiceError> {
        if !query.params.is_empty() {
            let reason = "a statement that changes the schema takes no parameters";
            return Err(ServiceError::invalid(reason));
        }
        schema::run_ddl(&self.raw, &self.guard, &query.sql).map_err(failure)?;
        Ok(RunResult {
            changes: 0,
            last_insert_rowid: self.raw.last_insert_rowid(),
        })
    }

    /// Runs a statement to its end, or until no further row of one that only reads
    /// is wanted.
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

    fn check_text(&self, sql: &Text) -> Result<(), ServiceError> {
        self.check_script(sql.len(), sql.has_zero())
    }

    fn check_script(&self, bytes: usize, has_zero: bool) -> Result<(), ServiceError> {
        if has_zero {
            // SQLite would stop there, and run the half of it.
            return Err(ServiceError::invalid(
                "there is a zero byte in the text; give it as a parameter",
            ));
        }
        let max = self.opening.limits.sql_bytes_max;
        if bytes > max {
            return Err(ServiceError::new(
                Status::TOO_LARGE,
                "sql-too-large",
                format!(
                    "a text of {bytes} bytes is longer than db.sql_bytes_max, {max}; give values as \
                     parameters, or several shorter texts"
                ),
            ));
        }
        Ok(())
    }
}

/// A statement that was prepared for one call, or for several of the same text.
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
