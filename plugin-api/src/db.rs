//! The plugin's own SQLite database.
//!
//! Every table, index, view and trigger of the plugin `my-notes` is named
//! `ext_my_notes_...`; what lies outside is refused, except the tables of the host
//! that its operator has granted, which are readable.
//!
//! | for | use |
//! |---|---|
//! | a schema | [`Db::migrate`], in [`Plugin::init`](crate::Plugin::init) |
//! | one row, or all | [`Db::get`], [`Db::all`] |
//! | row by row | [`Db::iterate`] |
//! | a write | [`Db::run`], [`Db::insert`] |
//! | several writes, all or none | [`Db::batch`], [`Db::transaction`] |
//! | the same text over and over | [`Db::prepare`]; texts are cached as well |
//!
//! # Parameters
//! They are anything that serialises: a tuple or list by position, a struct or map
//! by name (the field `id` is `:id` in the text), `()` for none, and anything else
//! is the only one. `Option` is NULL or the value, `bool` 0 or 1, an enum without
//! data its name; bytes go into a [`Blob`]. Lists and maps within are refused:
//! encode them as JSON text.
//!
//! # Rows
//! They become anything that deserialises: a struct or map by the columns' names, a
//! tuple or list by their order, a scalar where there is one column, and `()` where
//! only its being there matters. `bool` is 0 or 1, `Option` takes NULL, a
//! [`Blob`] takes bytes.
//!
//! # Errors
//! [`Error::db_kind`](crate::Error::db_kind) tells them apart.
//!
//! | what went wrong | answered with |
//! |---|---|
//! | a table outside the plugin's scope | 403, `outside-scope` |
//! | a constraint ([`Error::is_conflict`](crate::Error::is_conflict)) | 409 |
//! | a value, or a statement, is too large | 413 |
//! | the statement, parameters, or the type asked for do not fit | 500 |
//! | a write beside the open transaction of the same request | 500, `own-transaction-open` |
//! | a transaction or statement that has ended | 500, `gone` |
//! | [`wait`](Call::wait) in an `async fn` | 500, `misplaced` |
//! | too much at once | 503 |
//! | the statement's or transaction's deadline, 5 s unless the operator says otherwise | 504 |
//! | the quota, or the disk, is full | 507 |

use std::ops::ControlFlow;

use exthost_abi::db::{
    DB_ON_AUTO, DB_ON_READER, DB_ON_READER_THEN_WRITER, DB_ON_WRITER, DIALECT_SQLITE,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::params::Params;
use self::sink::{All, Each, First, Sink};
use crate::export::db::{Exec, Migrate, Prepare, Rows, Run, Steps};
use crate::export::host::Host;
use crate::{Error, Result};

mod blob;
mod call;
pub(crate) mod cell;
mod encode;
mod insert;
mod kind;
pub(crate) mod params;
mod query;
pub(crate) mod row;
pub(crate) mod sink;
mod statement;
mod tx;

pub use blob::Blob;
pub use call::Call;
pub(crate) use call::Slot;
pub use kind::ErrorKind;
pub(crate) use query::{Ask, Target};
pub use query::{Query, query};
pub(crate) use statement::Prepared;
pub use statement::Statement;
pub use tx::Tx;

/// The plugin's own database.
///
/// It is a reference in disguise, as [`Services`](crate::Services) is. Each call is
/// lazy and has two forms, `.await` and [`.wait()`](Call::wait).
///
/// # Examples
/// ```
/// use exthost_plugin::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Note {
///     id: i64,
///     text: String,
/// }
///
/// struct Notes {
///     db: Db,
/// }
///
/// impl Plugin for Notes {
///     fn init(router: &mut Router, services: &Services) -> Result<Self> {
///         let db = services.db();
///         db.migrate(&[(1, "CREATE TABLE ext_notes_all (id INTEGER PRIMARY KEY, text TEXT)")])
///             .wait()?;
///         router.get("notes", list);
///         router.get("notes/{id}", show);
///         Ok(Notes { db })
///     }
/// }
///
/// async fn list(notes: State<Notes>) -> Result<Json<Vec<Note>>> {
///     let sql = "SELECT id, text FROM ext_notes_all ORDER BY id";
///     Ok(Json(notes.db.all(sql, ()).await?))
/// }
///
/// fn show(Path(id): Path<i64>, notes: State<Notes>) -> Result<Option<Json<Note>>> {
///     let sql = "SELECT id, text FROM ext_notes_all WHERE id = ?";
///     Ok(notes.db.get(sql, id).wait()?.map(Json))
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Db {
    host: &'static Host,
    /// The transaction that its statements run in, or 0.
    tx: u64,
}

/// What a statement that writes did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunResult {
    /// Rows changed.
    pub changes: u64,
    /// Rowid of the last row that this connection inserted.
    pub last_insert_rowid: i64,
}

/// One statement in the words of each database, for [`Db::case`].
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// SQLite's.
    pub sqlite: &'a str,
    /// PostgreSQL's.
    pub postgres: &'a str,
}

impl Db {
    pub(crate) fn new(host: &'static Host) -> Self {
        Db { host, tx: 0 }
    }

    /// Brings the schema up to date: runs each migration above the version that is
    /// recorded, in a transaction of its own, and answers the version reached.
    ///
    /// Versions ascend from 1. At a reload the old generation is still serving on
    /// the same data, so a migration only adds. Not in a transaction.
    ///
    /// # Errors
    /// With the code `schema-newer` when the recorded version is above the last one
    /// given.
    pub fn migrate<'a>(&self, migrations: &'a [(u64, &'a str)]) -> Call<'a, u64> {
        let slot = match self.tx {
            0 => Ok(Migrate(migrations)),
            _ => Err(Error::internal("a migration is a transaction of its own")),
        };
        Call::new(self.host, slot)
    }

    /// Runs all statements of a text, without parameters, each by itself unless
    /// this is a transaction. Stops at the first that fails.
    pub fn exec<'a>(&self, sql: &'a str) -> Call<'a, ()> {
        Call::new(self.host, Ok(Exec { tx: self.tx, sql }))
    }

    /// Checks a statement once, to be run many times.
    pub fn prepare<'a>(&self, sql: &'a str) -> Call<'a, Statement> {
        Call::new(self.host, Ok(Prepare { tx: self.tx, sql }))
    }

    /// Runs a statement that writes. It is committed when this is done, unless
    /// this is a transaction.
    pub fn run<'a>(&self, sql: &'a str, params: impl Serialize) -> Call<'a, RunResult> {
        self.changes(query(sql, params), DB_ON_AUTO)
    }

    /// The first row, if there is one; of a statement that writes, what its
    /// `RETURNING` names.
    pub fn get<'a, T>(&self, sql: &'a str, params: impl Serialize) -> Call<'a, Option<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.rows(query(sql, params), DB_ON_AUTO, First::new())
    }

    /// All rows.
    pub fn all<'a, T>(&self, sql: &'a str, params: impl Serialize) -> Call<'a, Vec<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.rows(query(sql, params), DB_ON_AUTO, All::new())
    }

    /// Calls `each` with each row until it breaks, without keeping them.
    ///
    /// It is called on a thread of the host's, which it must not block and from
    /// which it must not call the database.
    ///
    /// # Examples
    /// ```
    /// use std::ops::ControlFlow;
    /// use std::sync::mpsc;
    /// use exthost_plugin::prelude::*;
    ///
    /// async fn longest(db: Db) -> Result<Option<String>> {
    ///     let (sender, texts) = mpsc::channel();
    ///     db.iterate("SELECT text FROM ext_notes_all", (), move |text: String| {
    ///         match sender.send(text) {
    ///             Ok(()) => ControlFlow::Continue(()),
    ///             Err(_) => ControlFlow::Break(()),
    ///         }
    ///     })
    ///     .await?;
    ///     Ok(texts.iter().max_by_key(String::len))
    /// }
    /// ```
    pub fn iterate<'a, T>(
        &self,
        sql: &'a str,
        params: impl Serialize,
        each: impl FnMut(T) -> ControlFlow<()> + Send + 'static,
    ) -> Call<'a, ()>
    where
        T: DeserializeOwned + 'static,
    {
        self.rows(query(sql, params), DB_ON_AUTO, Each::new(each))
    }

    /// All rows, read beside whatever is being written: what was committed when it
    /// begins.
    pub fn read<'a, T>(&self, sql: &'a str, params: impl Serialize) -> Call<'a, Vec<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.rows(query(sql, params), DB_ON_READER, All::new())
    }

    /// All rows, read where writes are made: after every write before it.
    pub fn pread<'a, T>(&self, sql: &'a str, params: impl Serialize) -> Call<'a, Vec<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.rows(query(sql, params), DB_ON_WRITER, All::new())
    }

    /// All rows as [`read`](Db::read) finds them, and as [`pread`](Db::pread) does
    /// when there are none.
    pub fn require_read<'a, T>(&self, sql: &'a str, params: impl Serialize) -> Call<'a, Vec<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.rows(query(sql, params), DB_ON_READER_THEN_WRITER, All::new())
    }

    /// Runs a statement where writes are made, whether or not it writes.
    pub fn write<'a>(&self, sql: &'a str, params: impl Serialize) -> Call<'a, RunResult> {
        self.changes(query(sql, params), DB_ON_WRITER)
    }

    /// Inserts one row: a struct or map of columns and their values.
    ///
    /// # Examples
    /// ```
    /// use exthost_plugin::prelude::*;
    /// use serde::Serialize;
    ///
    /// #[derive(Serialize)]
    /// struct Note<'a> {
    ///     text: &'a str,
    ///     pinned: bool,
    /// }
    ///
    /// async fn add(db: Db, text: &str) -> Result<i64> {
    ///     let note = Note { text, pinned: false };
    ///     Ok(db.insert("ext_notes_all", &note).await?.last_insert_rowid)
    /// }
    /// ```
    pub fn insert(&self, table: &str, row: &(impl Serialize + ?Sized)) -> Call<'static, RunResult> {
        let params = Params::of(row);
        let query = params.and_then(|params| insert::into(table, params));
        self.changes(Query(query), DB_ON_AUTO)
    }

    /// Runs several statements in one transaction, or in this one: all or none.
    ///
    /// # Examples
    /// ```
    /// use exthost_plugin::db::query;
    /// use exthost_plugin::prelude::*;
    ///
    /// async fn transfer(db: Db, from: i64, to: i64) -> Result<()> {
    ///     db.batch([
    ///         query("UPDATE ext_bank_accounts SET coins = coins - 1 WHERE id = ?", from),
    ///         query("UPDATE ext_bank_accounts SET coins = coins + 1 WHERE id = ?", to),
    ///     ])
    ///     .await?;
    ///     Ok(())
    /// }
    /// ```
    pub fn batch<'a>(
        &self,
        queries: impl IntoIterator<Item = Query<'a>>,
    ) -> Call<'a, Vec<RunResult>> {
        let asks = queries.into_iter().map(|query| self.ask(query, DB_ON_AUTO));
        let steps = asks.collect::<Result<Vec<_>>>();
        Call::new(self.host, steps.map(Steps))
    }

    /// The text for the database that the host uses.
    pub fn case<'a>(&self, case: Case<'a>) -> &'a str {
        match self.host.db_dialect() {
            // Where the host does not say, neither does it run the statement.
            Ok(DIALECT_SQLITE) | Err(_) => case.sqlite,
            Ok(_) => case.postgres,
        }
    }

    fn ask<'a>(&self, query: Query<'a>, on: u32) -> Result<Ask<'a>> {
        let ask = query.0?;
        Ok(Ask {
            tx: self.tx,
            on,
            ..ask
        })
    }

    fn changes<'a>(&self, query: Query<'a>, on: u32) -> Call<'a, RunResult> {
        Call::new(self.host, self.ask(query, on).map(Run))
    }

    fn rows<'a, S: Sink>(&self, query: Query<'a>, on: u32, sink: S) -> Call<'a, S::Output> {
        let slot = self.ask(query, on).map(|ask| Rows { ask, sink });
        Call::new(self.host, slot)
    }
}

#[cfg(test)]
mod tests;
