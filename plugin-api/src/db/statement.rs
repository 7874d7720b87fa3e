//! A prepared statement.

use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::params::Params;
use super::query::{Ask, Target};
use super::sink::{All, Each, First, Sink};
use super::{Call, RunResult, Tx};
use crate::Result;
use crate::export::db::{Rows, Run};
use crate::export::host::Host;

/// A prepared statement, from [`Db::prepare`](super::Db::prepare).
///
/// Cloning it costs next to nothing, and it may be kept with the plugin's state; it
/// is closed when the last clone is dropped. One that a transaction has prepared
/// runs in that; for others see [`within`](Statement::within).
///
/// # Examples
/// ```
/// use exthost_plugin::db::Statement;
/// use exthost_plugin::prelude::*;
///
/// struct Notes {
///     text: Statement,
/// }
///
/// fn prepare(db: Db) -> Result<Notes> {
///     let text = db.prepare("SELECT text FROM ext_notes_all WHERE id = ?").wait()?;
///     Ok(Notes { text })
/// }
///
/// fn show(Path(id): Path<i64>, notes: State<Notes>) -> Result<Option<String>> {
///     notes.text.get(id).wait()
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Statement {
    prepared: Arc<Prepared>,
    /// The transaction to run in, or 0.
    tx: u64,
}

/// What the host has prepared, until it is dropped.
#[derive(Debug)]
pub(crate) struct Prepared {
    host: &'static Host,
    id: u64,
}

impl Statement {
    pub(crate) fn new(host: &'static Host, id: u64, tx: u64) -> Self {
        let prepared = Arc::new(Prepared { host, id });
        Statement { prepared, tx }
    }

    /// The same statement, to run in a transaction.
    #[must_use]
    pub fn within(&self, tx: &Tx) -> Statement {
        Statement {
            prepared: Arc::clone(&self.prepared),
            tx: tx.id(),
        }
    }

    /// Runs it, for what it writes; see [`Db::run`](super::Db::run).
    pub fn run(&self, params: impl Serialize) -> Call<'static, RunResult> {
        Call::new(self.prepared.host, self.ask(params).map(Run))
    }

    /// The first row, if there is one.
    pub fn get<T>(&self, params: impl Serialize) -> Call<'static, Option<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.rows(params, First::new())
    }

    /// All rows.
    pub fn all<T>(&self, params: impl Serialize) -> Call<'static, Vec<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.rows(params, All::new())
    }

    /// Calls `each` with each row until it breaks; see
    /// [`Db::iterate`](super::Db::iterate).
    pub fn iterate<T>(
        &self,
        params: impl Serialize,
        each: impl FnMut(T) -> ControlFlow<()> + Send + 'static,
    ) -> Call<'static, ()>
    where
        T: DeserializeOwned + 'static,
    {
        self.rows(params, Each::new(each))
    }

    fn rows<S: Sink>(&self, params: impl Serialize, sink: S) -> Call<'static, S::Output> {
        let slot = self.ask(params).map(|ask| Rows { ask, sink });
        Call::new(self.prepared.host, slot)
    }

    fn ask(&self, params: impl Serialize) -> Result<Ask<'static>> {
        let target = Target::Prepared(Arc::clone(&self.prepared));
        let mut ask = Ask::new(target, Params::of(&params)?);
        ask.tx = self.tx;
        Ok(ask)
    }
}

impl Prepared {
    pub(crate) fn id(&self) -> u64 {
        self.id
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        self.host.db_close(self.id);
    }
}
