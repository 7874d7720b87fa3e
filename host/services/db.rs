//! The scoped database: one SQLite file a plugin, in which it may name its own
//! tables.
//!
//! A [`Db`] is what one generation of a plugin holds. Below it is the
//! [`Database`](database::Database) that the generations share: one connection
//! that writes and some that read, each in a [`Lane`](lane::Lane) with a queue.
//! Every statement of the plugin runs under the [`guard`], SQLite's own
//! authorizer, which stays for the connection's life.

pub(crate) mod application;
mod checkpoint;
mod connection;
pub(crate) mod database;
mod error;
mod functions;
mod group;
mod guard;
mod inside;
mod kept;
mod lane;
mod migrate;
mod opening;
mod outbox;
mod pace;
mod reading;
mod row;
mod schema;
mod scope;
mod statement;
mod status;
mod ticket;
mod transaction;
mod transactions;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use exthost_abi::Status;
use tokio::runtime::Handle;

use crate::services::cause::Causes;
use crate::services::context::PluginContext;
use crate::services::db::connection::Connection;
use crate::services::db::database::Database;
use crate::services::db::group::{Work, Write};
use crate::services::db::kept::KeptRows;
use crate::services::db::lane::Job;
use crate::services::db::ticket::ticket;
use crate::services::db::transaction::{Holder, Transaction};
use crate::services::error::ServiceError;
use crate::services::ids::Ids;
use crate::services::webhooks::OutboxMessage;

pub(crate) use lane::By;
pub(crate) use migrate::Migration;
pub(crate) use row::{Cell, Flow, Row, RowSink};
pub(crate) use statement::{On, Param, Query, RunResult, Value};
pub(crate) use status::DatabaseStatus;
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
    statements: Ids<Arc<str>>,
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
        let backups = self.database.backups.clone();
        let run =
            move |connection: &Connection| migrate::migrate(connection, &migrations, &backups);
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
    pub(crate) async fn prepare(&self, sql: Arc<str>, by: By) -> Result<u64, ServiceError> {
        let text = sql.clone();
        let check = move |connection: &Connection| connection.check(&text);
        let database = &self.database;
        database
            .alone(&database.readers, by, self.turn(), check)
            .await?;
        let id = self.statements.insert(|_| sql);
        id.ok_or_else(|| ServiceError::busy("a million prepared statements are open; close some"))
    }

    /// Gives a prepared statement back.
    pub(crate) fn close(&self, statement: u64) -> Result<(), ServiceError> {
        match self.statements.remove(statement) {
            Some(_) => Ok(()),
            None => Err(no_statement(statement)),
        }
    }

    /// The text of a prepared statement.
    pub(crate) fn text(&self, statement: u64) -> Result<Arc<str>, ServiceError> {
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
        query: Query,
        rows: Option<RowSink>,
        by: By,
    ) -> Result<RunResult, ServiceError> {
        if tx != 0 {
            let run = move |connection: &Connection, until| {
                run_within(connection, &query, rows.as_ref(), until)
            };
            return self.within(tx, by, run).await;
        }
        let (mut query, mut rows) = (query, rows);
        if query.on != On::Writer && (query.on == On::Reader || guard::may_read(&query.sql)) {
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
        if guard::may_read(&query.sql) {
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
        queries: Vec<Query>,
        by: By,
    ) -> Result<Vec<RunResult>, ServiceError> {
        let run = move |connection: &Connection, until| {
            connection.savepoint(|| {
                let each = queries.iter().enumerate();
                each.map(|(at, query)| {
                    run_within(connection, query, None, until).map_err(|error| ServiceError {
                        message: format!("statement {at} of the batch: {}", error.message),
                        ..error
                    })
                })
                .collect()
            })
        };
        if tx != 0 {
            return self.within(tx, by, run).await;
        }
        self.check_no_own(cause)?;
        let limit = self.database.settings.limits.transaction_deadline;
        let database = &self.database;
        let run = move |connection: &Connection| run(connection, Instant::now() + limit);
        database.alone(&database.writer, by, self.turn(), run).await
    }

    /// Queues a message for the endpoints, by itself or with a transaction.
    pub(crate) async fn queue(
        &self,
        cause: u64,
        tx: u64,
        message: OutboxMessage,
        by: By,
    ) -> Result<(), ServiceError> {
        if tx != 0 {
            let run = move |connection: &Connection, _| connection.queue(&message);
            return self.within(tx, by, run).await;
        }
        self.check_no_own(cause)?;
        self.write(Work::Message(message), by).await.map(|_| ())
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

/// Runs a statement inside a transaction. The rows of one that writes are handed
/// over once all is written.
fn run_within(
    connection: &Connection,
    query: &Query,
    rows: Option<&RowSink>,
    until: Instant,
) -> Result<RunResult, ServiceError> {
    let Some(rows) = rows else {
        return connection.run(query, Some(until), &mut |_| Flow::Next);
    };
    if let Some(read) = connection.read(query, Some(until), &mut |row| rows.hand(row))? {
        return Ok(read);
    }
    let mut kept = KeptRows::default();
    let result = connection.savepoint(|| kept.collect(connection, query, Some(until)))?;
    kept.deliver(rows);
    Ok(result)
}

fn read_only() -> ServiceError {
    ServiceError::new(
        Status::INVALID,
        "read-only",
        "the statement writes, and was to run on a reader",
    )
}

fn no_statement(id: u64) -> ServiceError {
    ServiceError::gone(format!(
        "no prepared statement of this plugin has the id {id}"
    ))
}
