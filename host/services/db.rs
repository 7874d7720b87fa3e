//! The scoped database: one SQLite file a plugin, in which it may name its own
//! tables.
//!
//! A [`Db`] is what one generation of a plugin holds. Below it is the [`Database`]
//! that the generations share: one connection that writes and some that read, each
//! in a [`Lane`](lane::Lane) with a queue. Every statement of the plugin runs under
//! the [`guard`], SQLite's own authorizer, which stays for the connection's life.

mod after;
pub(crate) mod application;
mod at_once;
mod backup;
mod checkpoint;
mod connection;
mod copy;
mod database;
mod databases;
mod error;
mod folder;
mod functions;
mod group;
mod guard;
mod inside;
mod kept;
mod lane;
mod log_header;
mod maintenance;
mod memory;
mod migrate;
mod opening;
pub(crate) mod outbox;
mod outboxes;
mod own;
mod pace;
mod reading;
mod remove;
mod restore;
mod row;
mod schema;
mod scope;
mod settings;
mod slow;
mod state;
mod statement;
mod status;
mod stored;
mod ticket;
mod transaction;
mod transactions;
mod vacuum;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use exthost_abi::Status;
use tokio::runtime::Handle;

use crate::services::cause::Causes;
use crate::services::context::PluginContext;
use crate::services::db::connection::Connection;
use crate::services::db::group::{Work, Write};
use crate::services::db::guard::{Kind, Text};
use crate::services::db::lane::Job;
use crate::services::db::outbox::Parcel;
use crate::services::db::ticket::ticket;
use crate::services::db::transaction::{Holder, Transaction};
use crate::services::error::ServiceError;
use crate::services::ids::Ids;

pub use backup::{check_target, take_out};
pub(crate) use database::Database;
pub(crate) use databases::Databases;
pub(crate) use guard::Text as StatementText;
pub(crate) use lane::By;
pub(crate) use migrate::Migration;
pub(crate) use own::OwnError;
pub(crate) use row::{Cell, Flow, Names, Row, RowSink};
pub(crate) use settings::{DatabasesSettings, DbSettings};
pub use slow::SlowStatement;
pub(crate) use statement::{On, Param, Query, RunResult, Value};
pub use status::DatabaseStatus;
pub use stored::{BackedUp, Restored, Stored, StoredError, StoredState, Vacuumed};
pub(crate) use transactions::TxSpec;

/// The database as one generation of a plugin sees it.
///
/// Every call is a future; one that was told [`By::This`] does its work when it
/// is first polled, on the thread that polls it.
#[derive(Debug)]
pub(crate) struct Db {
    runtime: Handle,
    context: Arc<PluginContext>,
    database: Arc<Database>,
    statements: Ids<Text>,
    /// How many of them there are.
    prepared: AtomicUsize,
    transactions: Arc<Ids<Transaction>>,
}

impl Db {
    /// The database itself, which the plugin's generations share.
    pub(crate) fn database(&self) -> &Arc<Database> {
        &self.database
    }

    /// The database of the plugin of `context`.
    pub(crate) fn new(
        runtime: Handle,
        context: Arc<PluginContext>,
        database: Arc<Database>,
    ) -> Self {
        Db {
            runtime,
            context,
            database,
            statements: Ids::new(),
            prepared: AtomicUsize::new(0),
            transactions: Arc::new(Ids::new()),
        }
    }

    /// Runs each migration above the recorded version and returns the version
    /// reached.
    pub(crate) async fn migrate(
        &self,
        cause: u64,
        migrations: Vec<Migration>,
        by: By,
    ) -> Result<u64, ServiceError> {
        self.check_no_own(cause)?;
        let folder = self.database.folder.clone();
        let run = move |connection: &Connection| migrate::migrate(connection, &migrations, &folder);
        let turn = Instant::now() + self.database.settings.limits.migration_deadline;
        let database = &self.database;
        database.alone(&database.writer, by, turn, run).await
    }

    /// Refuses every call of the database from inside an `on_row`; asked by the
    /// slots, since the futures run elsewhere or not at once.
    pub(crate) fn check_place(&self) -> Result<(), ServiceError> {
        inside::check()
    }

    /// Checks a statement and returns an id for its text.
    pub(crate) async fn prepare(&self, sql: Text, by: By) -> Result<u64, ServiceError> {
        let text = sql.clone();
        let check = move |connection: &Connection| connection.check(&text);
        let database = &self.database;
        database
            .alone(&database.readers, by, self.turn(), check)
            .await?;
        let max = database.settings.limits.statements_max;
        let taken = self.prepared.fetch_add(1, Ordering::Relaxed);
        let id = match taken < max {
            true => self.statements.insert(|_| sql),
            false => None,
        };
        id.ok_or_else(|| {
            self.prepared.fetch_sub(1, Ordering::Relaxed);
            ServiceError::busy(format!(
                "{taken} prepared statements are open, and db.statements_max is {max}; close some"
            ))
        })
    }

    /// Gives a prepared statement back.
    pub(crate) fn close(&self, statement: u64) -> Result<(), ServiceError> {
        match self.statements.remove(statement) {
            Some(_) => {
                self.prepared.fetch_sub(1, Ordering::Relaxed);
                Ok(())
            }
            None => Err(no_statement(statement)),
        }
    }

    /// The text of a prepared statement.
    pub(crate) fn text(&self, statement: u64) -> Result<Text, ServiceError> {
        let text = self.statements.find(statement);
        text.ok_or_else(|| no_statement(statement))
    }

    /// The time a statement has, of which `asked` is what the plugin asks for.
    pub(crate) fn deadline(&self, asked: Option<Duration>) -> Duration {
        let limit = self.database.settings.limits.statement_deadline;
        asked.map_or(limit, |asked| asked.min(limit))
    }

    /// Runs all statements of a script; stops at the first failure.
    pub(crate) async fn exec(
        &self,
        cause: u64,
        tx: u64,
        script: String,
        by: By,
    ) -> Result<(), ServiceError> {
        let deadline = self.deadline(None);
        if tx != 0 {
            let run = move |connection: &Connection, until| {
                connection.script(&script, deadline, Some(until))
            };
            return self.within(tx, by, run).await;
        }
        self.check_no_own(cause)?;
        let run = move |connection: &Connection| connection.script(&script, deadline, None);
        let database = &self.database;
        database.alone(&database.writer, by, self.turn(), run).await
    }

    /// Runs a statement and hands its rows to `rows`, or ignores them.
    pub(crate) async fn run(
        &self,
        cause: u64,
        tx: u64,
        query: Query<'static>,
        rows: Option<RowSink>,
        by: By,
    ) -> Result<RunResult, ServiceError> {
        if tx != 0 {
            let run = move |connection: &Connection, until| match rows {
                Some(rows) => {
                    at_once::rows_within(connection, &query, &mut |row| rows.hand(row), until)
                }
                None => connection.run(&query, Some(until), &mut |_| Flow::Next),
            };
            return self.within(tx, by, run).await;
        }
        let (mut query, mut rows) = (query, rows);
        if query.reads_first() {
            let tried = self.read(&self.database.readers, query, rows, by).await?;
            match tried.done {
                Some(result) if tried.found || tried.query.on != On::ReaderThenWriter => {
                    return Ok(result);
                }
                None if tried.query.on == On::Reader => return Err(read_only()),
                _ => (query, rows) = (tried.query, tried.rows),
            }
        }
        self.check_no_own(cause)?;
        if query.sql.kind() == Kind::MayRead {
            let tried = self.read(&self.database.writer, query, rows, by).await?;
            match tried.done {
                Some(result) => return Ok(result),
                None => (query, rows) = (tried.query, tried.rows),
            }
        }
        self.write(Work::Statement { query, rows }, by).await
    }

    /// Runs several statements, all or none, and returns what each did.
    pub(crate) async fn batch(
        &self,
        cause: u64,
        tx: u64,
        queries: Vec<Query<'static>>,
        by: By,
    ) -> Result<Vec<RunResult>, ServiceError> {
        let run = move |connection: &Connection, until| connection.batch(&queries, until);
        if tx != 0 {
            return self.within(tx, by, run).await;
        }
        self.check_no_own(cause)?;
        let limit = self.database.settings.limits.transaction_deadline;
        let database = &self.database;
        let run = move |connection: &Connection| run(connection, Instant::now() + limit);
        database.alone(&database.writer, by, self.turn(), run).await
    }

    /// Queues something for the relay, by itself or with a transaction.
    pub(crate) async fn queue(
        &self,
        cause: u64,
        tx: u64,
        parcel: impl Parcel,
        by: By,
    ) -> Result<(), ServiceError> {
        let queue = move |connection: &Connection| connection.queue(&parcel);
        if tx != 0 {
            let run = move |connection: &Connection, _| queue(connection);
            return self.within(tx, by, run).await;
        }
        self.check_no_own(cause)?;
        self.write(Work::Own(Box::new(queue)), by).await.map(|_| ())
    }

    /// Runs a write, which may share its commit with others.
    async fn write(&self, work: Work, by: By) -> Result<RunResult, ServiceError> {
        let (ticket, waiting) = ticket();
        let write = Box::new(Write { work, ticket });
        self.database.writer.submit(Job::Write(write), by)?;
        waiting.answer(self.turn()).await
    }

    /// Refuses what would wait for a transaction that its own cause holds open,
    /// until the deadline.
    fn check_no_own(&self, cause: u64) -> Result<(), ServiceError> {
        if cause != 0 && *self.database.holder() == Some(self.holder_of(cause)) {
            return Err(ServiceError::new(
                Status::CONFLICT,
                "own-transaction-open",
                "this call is outside the transaction that the same request or task holds open; \
                 make it inside, or end the transaction first",
            ));
        }
        Ok(())
    }

    fn holder_of(&self, cause: u64) -> Holder {
        match Causes::of_process().exchange(&self.context, cause) {
            Some(exchange) => Holder::Request(exchange.number),
            None => Holder::Cause(cause),
        }
    }

    /// Until when a call waits for a connection.
    fn turn(&self) -> Instant {
        Instant::now() + self.database.settings.limits.statement_deadline
    }
}

fn read_only() -> ServiceError {
    ServiceError::new(
        Status::INVALID,
        "read-only",
        "the statement writes, and was to run on a reader; run it on the writer",
    )
}

fn no_statement(id: u64) -> ServiceError {
    ServiceError::gone(format!(
        "no prepared statement of this plugin has the id {id}"
    ))
}
