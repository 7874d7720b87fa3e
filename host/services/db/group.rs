//! Statements that share a commit.
//!
//! Each is acknowledged after the commit that holds it. A statement that fails
//! is undone by SQLite alone, the others stand. What ends the transaction as a
//! whole (an interrupt, `OR ROLLBACK`, a full disk, a constraint that is checked
//! at the commit) takes nobody with it: those that were not acknowledged run
//! again, each by itself.

use std::time::{Duration, Instant};
use std::vec::IntoIter;

use crate::services::db::connection::Connection;
use crate::services::db::kept::KeptRows;
use crate::services::db::row::{Flow, RowSink};
use crate::services::db::statement::{Query, RunResult};
use crate::services::db::ticket::Ticket;
use crate::services::error::ServiceError;

/// A statement on its way to the writer.
#[derive(Debug)]
pub(super) struct Write {
    pub(super) work: Work,
    pub(super) ticket: Ticket<RunResult>,
}

/// What is to be written.
pub(super) enum Work {
    /// A statement of the plugin; its rows are handed over once committed.
    Statement {
        query: Query<'static>,
        rows: Option<RowSink>,
    },
    /// Statements of a service, which may have to run again, and change nothing when
    /// they fail.
    Own(OwnWork),
}

/// Statements of a service.
pub(super) type OwnWork = Box<dyn Fn(&Connection) -> Result<(), ServiceError> + Send>;

impl Write {
    /// Answers without having run.
    pub(super) fn refuse(self, error: ServiceError) {
        self.ticket.answer(Err(error));
    }
}

/// Runs writes and answers each.
pub(super) fn run(connection: &Connection, writes: Vec<Write>) {
    let mut writes = writes.into_iter();
    while writes.len() > 0 {
        let to_run = match writes.len() {
            1 => next(&mut writes).into_iter().collect(),
            _ => together(connection, &mut writes),
        };
        for write in to_run {
            alone(connection, write);
        }
    }
}

/// How long a commit waits for further statements, so that quick ones do not wait
/// for many slow ones.
pub(super) const GROUP_TIME: Duration = Duration::from_millis(50);

/// The next write that somebody still waits for.
fn next(writes: &mut IntoIter<Write>) -> Option<Write> {
    writes.find(|write| write.ticket.begin())
}

/// Runs writes in one transaction, all or the first of them. Returns those that
/// have to run by themselves.
fn together(connection: &Connection, writes: &mut IntoIter<Write>) -> Vec<Write> {
    if connection.begin().is_err() {
        return next(writes).into_iter().collect();
    }
    let began = Instant::now();
    let mut succeeded = Vec::with_capacity(writes.len());
    while began.elapsed() < GROUP_TIME
        && let Some(write) = next(writes)
    {
        match write.work.run(connection) {
            Ok(done) => succeeded.push((write, done)),
            // It changed nothing, whatever becomes of the others.
            Err(error) => write.refuse(error),
        }
        if connection.is_autocommit() {
            break;
        }
    }
    if !connection.is_autocommit() && connection.commit().is_ok() {
        for (write, done) in succeeded {
            write.acknowledge(done);
        }
        return Vec::new();
    }
    connection.roll_back();
    succeeded.into_iter().map(|(write, _)| write).collect()
}

/// Runs one write, which commits by itself.
fn alone(connection: &Connection, write: Write) {
    match write.work.run(connection) {
        Ok(done) => write.acknowledge(done),
        Err(error) => {
            connection.roll_back();
            write.refuse(error);
        }
    }
}

/// What a write did, until it is committed.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) result: RunResult,
    pub(super) rows: KeptRows,
}

/// Runs a statement that writes, and keeps its rows if they are wanted.
pub(super) fn write(
    connection: &Connection,
    query: &Query<'_>,
    wants_rows: bool,
) -> Result<Done, ServiceError> {
    let mut rows = KeptRows::default();
    let result = match wants_rows {
        true => connection.savepoint(|| rows.collect(connection, query, None))?,
        false => connection.run(query, None, &mut |_| Flow::Next)?,
    };
    Ok(Done { result, rows })
}

impl Work {
    fn run(&self, connection: &Connection) -> Result<Done, ServiceError> {
        match self {
            Work::Own(own) => own(connection).map(|()| Done::default()),
            Work::Statement { query, rows } => write(connection, query, rows.is_some()),
        }
    }
}

impl Write {
    fn acknowledge(self, done: Done) {
        if let Work::Statement {
            rows: Some(rows), ..
        } = &self.work
        {
            done.rows.deliver(&mut |row| rows.hand(row));
        }
        self.ticket.answer(Ok(done.result));
    }
}

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Work").finish_non_exhaustive()
    }
}
