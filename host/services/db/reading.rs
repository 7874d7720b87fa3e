//! Statements that may turn out to only read, and where they run.

use std::sync::Arc;
use std::time::Instant;

use exthost_abi::Status;

use crate::services::db::Db;
use crate::services::db::connection::Connection;
use crate::services::db::kept::KeptRows;
use crate::services::db::lane::{By, Lane};
use crate::services::db::pace::{GLANCE, GLANCE_BYTES};
use crate::services::db::row::{Flow, RowSink};
use crate::services::db::statement::{Query, RunResult};
use crate::services::error::ServiceError;

/// A statement that was tried on a connection that reads.
pub(super) struct Tried {
    /// What it did; nothing when it writes.
    pub(super) done: Option<RunResult>,
    /// Whether it found a row.
    pub(super) found: bool,
    pub(super) query: Query<'static>,
    pub(super) rows: Option<RowSink>,
}

impl Db {
    /// Tries a statement on a connection, unless it writes.
    pub(super) async fn read(
        &self,
        lane: &Arc<Lane>,
        mut query: Query<'static>,
        mut rows: Option<RowSink>,
        by: By,
    ) -> Result<Tried, ServiceError> {
        let database = self.database.clone();
        if by == By::Runtime
            && Arc::ptr_eq(lane, &database.readers)
            && database.paces.is_short(&query.sql)
        {
            let glance = self.glance(query, rows).await?;
            match glance {
                Glance::Done(tried) => return Ok(tried),
                Glance::Long(again, sink) => (query, rows) = (again, sink),
            }
        }
        let run = move |connection: &Connection| {
            let begun = Instant::now();
            let mut found = false;
            let done = connection.read(&query, None, &mut |row| {
                found = true;
                rows.as_ref().map_or(Flow::Stop, |rows| rows.hand(row))
            });
            database.paces.note(&query.sql, begun.elapsed());
            Ok(Tried {
                done: done?,
                found,
                query,
                rows,
            })
        };
        self.database.alone(lane, by, self.turn(), run).await
    }

    /// Runs a statement that was short whenever it was run of late on this
    /// thread, which must not block: it is given up as soon as it takes long, and
    /// nobody has seen a row of it then.
    async fn glance(
        &self,
        mut query: Query<'static>,
        rows: Option<RowSink>,
    ) -> Result<Glance, ServiceError> {
        let database = self.database.clone();
        let whole = std::mem::replace(&mut query.deadline, GLANCE);
        let run = move |connection: &Connection| {
            let begun = Instant::now();
            let mut kept = KeptRows::default();
            let mut found = false;
            let done = connection.read(&query, None, &mut |row| {
                found = true;
                if rows.is_some() {
                    kept.keep(row);
                }
                match rows.is_some() && kept.size() <= GLANCE_BYTES {
                    true => Flow::Next,
                    false => Flow::Stop,
                }
            });
            database.paces.note(&query.sql, begun.elapsed());
            query.deadline = whole;
            let late = matches!(&done, Err(error) if error.status == Status::TIMEOUT);
            if late || kept.size() > GLANCE_BYTES {
                database.paces.note(&query.sql, whole);
                return Ok((Glance::Long(query, rows), kept));
            }
            let tried = Tried {
                done: done?,
                found,
                query,
                rows,
            };
            Ok((Glance::Done(tried), kept))
        };
        let readers = &self.database.readers;
        let ran = self.database.alone(readers, By::Worker, self.turn(), run);
        let (glance, kept) = ran.await?;
        if let Glance::Done(Tried {
            rows: Some(rows), ..
        }) = &glance
        {
            kept.deliver(&mut |row| rows.hand(row));
        }
        Ok(glance)
    }
}

/// What became of a statement that was thought to be short.
enum Glance {
    Done(Tried),
    /// It is to be run where it may take its time.
    Long(Query<'static>, Option<RowSink>),
}
