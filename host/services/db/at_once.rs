//! Calls of a thread that may block, while nothing has to be waited for: they run
//! where they are made, on what they borrow.

use std::time::Instant;

use crate::services::db::connection::Connection;
use crate::services::db::guard::Kind;
use crate::services::db::kept::KeptRows;
use crate::services::db::row::{EachRow, Flow, Row};
use crate::services::db::statement::{On, Query, RunResult};
use crate::services::db::{Db, group, inside, read_only};
use crate::services::error::ServiceError;

impl Db {
    /// [`run`](Self::run) on this thread, which may block. `None` when something
    /// has to be waited for: then nothing was written and no row handed over.
    pub(crate) fn run_at_once(
        &self,
        cause: u64,
        tx: u64,
        query: &Query<'_>,
        on_row: Option<EachRow<'_>>,
    ) -> Option<Result<RunResult, ServiceError>> {
        let Some(on_row) = on_row else {
            return self.run_for(cause, tx, query, None);
        };
        let mut on_row = |row: &Row<'_>| inside::row(|| on_row(row));
        self.run_for(cause, tx, query, Some(&mut on_row))
    }

    fn run_for(
        &self,
        cause: u64,
        tx: u64,
        query: &Query<'_>,
        mut on_row: Option<EachRow<'_>>,
    ) -> Option<Result<RunResult, ServiceError>> {
        if tx != 0 {
            return self.within_at_once(tx, |connection, until| match on_row {
                Some(on_row) => rows_within(connection, query, on_row, until),
                None => connection.run(query, Some(until), &mut |_| Flow::Next),
            });
        }
        if query.reads_first() {
            let lane = &self.database.readers;
            let read = lane.at_once(|connection| read(connection, query, &mut on_row))?;
            match read {
                Ok(Some((result, found))) if found || query.on != On::ReaderThenWriter => {
                    return Some(Ok(result));
                }
                Ok(None) if query.on == On::Reader => return Some(Err(read_only())),
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
        }
        if let Err(error) = self.check_no_own(cause) {
            return Some(Err(error));
        }
        let wants_rows = on_row.is_some();
        let done = self.database.writer.at_once(|connection| {
            if query.sql.kind() == Kind::MayRead
                && let Some((result, _)) = read(connection, query, &mut on_row)?
            {
                return Ok((result, KeptRows::default()));
            }
            let done = group::write(connection, query, wants_rows)?;
            Ok((done.result, done.rows))
        })?;
        Some(done.map(|(result, kept)| {
            if let Some(on_row) = on_row {
                kept.deliver(on_row);
            }
            result
        }))
    }

    /// [`batch`](Self::batch) on this thread, which may block. `None` when something
    /// has to be waited for: then nothing was done.
    pub(crate) fn batch_at_once(
        &self,
        cause: u64,
        tx: u64,
        queries: &[Query<'_>],
    ) -> Option<Result<Vec<RunResult>, ServiceError>> {
        if tx != 0 {
            return self.within_at_once(tx, |connection, until| connection.batch(queries, until));
        }
        if let Err(error) = self.check_no_own(cause) {
            return Some(Err(error));
        }
        let limit = self.database.settings.limits.transaction_deadline;
        let lane = &self.database.writer;
        lane.at_once(|connection| connection.batch(queries, Instant::now() + limit))
    }
}

/// Runs a statement if it only reads, with whether it found a row.
fn read(
    connection: &Connection,
    query: &Query<'_>,
    on_row: &mut Option<EachRow<'_>>,
) -> Result<Option<(RunResult, bool)>, ServiceError> {
    let mut found = false;
    let read = connection.read(query, None, &mut |row| {
        found = true;
        match on_row {
            Some(on_row) => on_row(row),
            None => Flow::Stop,
        }
    })?;
    Ok(read.map(|result| (result, found)))
}

/// Runs a statement inside a transaction. The rows of one that writes are handed
/// over once all is written.
pub(super) fn rows_within(
    connection: &Connection,
    query: &Query<'_>,
    on_row: EachRow<'_>,
    until: Instant,
) -> Result<RunResult, ServiceError> {
    if let Some(read) = connection.read(query, Some(until), on_row)? {
        return Ok(read);
    }
    let mut kept = KeptRows::default();
    let result = connection.savepoint(|| kept.collect(connection, query, Some(until)))?;
    kept.deliver(on_row);
    Ok(result)
}
