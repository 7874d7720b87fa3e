//! The slots of `db/1` that run statements.

use std::ffi::c_void;
use std::sync::Arc;

use abi::db::{IdDone, Param, RunDone};
use abi::{Status, Str, Value};
use exthost_abi as abi;

use super::host::Host;
use super::operation::{Held, Operation, outcome};
use crate::cause::Cause;
use crate::db::params;
use crate::db::{Ask, Prepared, RunResult, Slot, Statement, Target};
use crate::{Error, Result};

mod batch;
mod migrate;
mod rows;
mod tx;

pub(crate) use batch::Steps;
pub(crate) use migrate::Migrate;
pub(crate) use rows::{Columns, Rows};
pub(crate) use tx::{Begin, End};

/// `exec`.
pub(crate) struct Exec<'a> {
    pub(crate) tx: u64,
    pub(crate) sql: &'a str,
}

/// `prepare`.
pub(crate) struct Prepare<'a> {
    /// The transaction that the statement is to run in, or 0.
    pub(crate) tx: u64,
    pub(crate) sql: &'a str,
}

/// `run`.
pub(crate) struct Run<'a>(pub(crate) Ask<'a>);

impl Host {
    /// One of the `DIALECT_` constants.
    pub(crate) fn db_dialect(&self) -> Result<u32> {
        let table = self.db()?;
        let mut dialect = 0;
        // SAFETY: the table is the host's; the place is writable.
        let status = unsafe { (table.dialect)(self.ctx(), Cause::id_for(self), &raw mut dialect) };
        self.check(status).map(|()| dialect)
    }

    /// Gives a prepared statement back; one that has ended needs none.
    pub(crate) fn db_close(&self, statement: u64) {
        if let Ok(table) = self.db() {
            // SAFETY: the table is the host's.
            unsafe { (table.close)(self.ctx(), Cause::id_for(self), statement) };
        }
    }
}

impl Slot<()> for Exec<'_> {
    fn wait(self: Box<Self>, host: &'static Host) -> Result<()> {
        let (table, sql) = (host.db()?, Str::new(self.sql));
        // SAFETY: the table is the host's; the text outlives the call.
        let status = unsafe { (table.exec)(host.ctx(), Cause::id_for(host), self.tx, sql) };
        host.check(status)
    }

    fn begin(self: Box<Self>, host: &'static Host) -> Result<Operation<()>> {
        let (table, sql) = (host.db()?, Str::new(self.sql));
        Ok(Operation::done(host, |data, done, op| {
            let cause = Cause::id_for(host);
            // SAFETY: the table is the host's; the text outlives the call, and
            // `data` is the host's until `done`.
            unsafe { (table.exec_async)(host.ctx(), cause, self.tx, sql, data, done, op) }
        }))
    }
}

impl Slot<Statement> for Prepare<'_> {
    fn wait(self: Box<Self>, host: &'static Host) -> Result<Statement> {
        let (table, sql) = (host.db()?, Str::new(self.sql));
        let mut id = 0;
        // SAFETY: the table is the host's; the text outlives the call, and the
        // place is writable.
        let status = unsafe { (table.prepare)(host.ctx(), Cause::id_for(host), sql, &raw mut id) };
        host.check(status)?;
        Ok(Statement::new(host, id, self.tx))
    }

    fn begin(self: Box<Self>, host: &'static Host) -> Result<Operation<Statement>> {
        let (table, sql, tx) = (host.db()?, Str::new(self.sql), self.tx);
        let make: MakeOfId<Statement> = Box::new(move |id| Statement::new(host, id, tx));
        Ok(Operation::start(host, make, |data, op| {
            let (cause, done) = (Cause::id_for(host), IdDone(Some(on_id::<Statement>)));
            // SAFETY: the table is the host's; the text outlives the call, and
            // `data` is the host's until `done`.
            unsafe { (table.prepare_async)(host.ctx(), cause, sql, data, done, op) }
        }))
    }
}

impl Slot<RunResult> for Run<'_> {
    fn wait(self: Box<Self>, host: &'static Host) -> Result<RunResult> {
        let table = host.db()?;
        let mut result = NOTHING;
        let status = with_query(&self.0, |query| {
            // SAFETY: the table is the host's; what `query` borrows outlives the
            // call, and the place is writable.
            unsafe { (table.run)(host.ctx(), Cause::id_for(host), query, &raw mut result) }
        });
        host.check(status).map(|()| result.into())
    }

    fn begin(self: Box<Self>, host: &'static Host) -> Result<Operation<RunResult>> {
        let table = host.db()?;
        Ok(Operation::start(host, self.0.prepared(), |data, op| {
            with_query(&self.0, |query| {
                let (cause, done) = (Cause::id_for(host), RunDone(Some(on_run)));
                // SAFETY: the table is the host's; what `query` borrows outlives the
                // call, and `data` is the host's until `on_run`.
                unsafe { (table.run_async)(host.ctx(), cause, query, data, done, op) }
            })
        }))
    }
}

/// What a place for a result holds before there is one.
const NOTHING: abi::db::RunResult = abi::db::RunResult {
    changes: 0,
    last_insert_rowid: 0,
};

impl From<abi::db::RunResult> for RunResult {
    fn from(result: abi::db::RunResult) -> Self {
        RunResult {
            changes: result.changes,
            last_insert_rowid: result.last_insert_rowid,
        }
    }
}

/// Makes something of an id that gives it back when dropped, within the callback:
/// an id that nobody waits for any more must not stay open.
type MakeOfId<T> = Box<dyn FnOnce(u64) -> T + Send>;

/// Hands `ask` as the table takes it to `call`.
fn with_query<R>(ask: &Ask<'_>, call: impl FnOnce(*const abi::db::Query) -> R) -> R {
    let mut few = [NO_PARAM; FEW];
    let Some(places) = few.get_mut(..ask.params.0.len()) else {
        let params = raw_params(ask);
        let query = raw_query(ask, &params);
        return call(&raw const query);
    };
    for (place, param) in places.iter_mut().zip(&ask.params.0) {
        *place = raw_param(param);
    }
    let query = raw_query(ask, places);
    call(&raw const query)
}

/// As many parameters as take no allocation to be handed over.
const FEW: usize = 6;

const NO_PARAM: Param = Param {
    name: Str::EMPTY,
    value: Value::NULL,
};

/// The parameters of `ask`, which they borrow from.
fn raw_params(ask: &Ask<'_>) -> Vec<Param> {
    ask.params.0.iter().map(raw_param).collect()
}

fn raw_param((name, value): &(String, params::Value)) -> Param {
    Param {
        name: Str::new(name),
        value: match value {
            params::Value::Null => Value::NULL,
            params::Value::Integer(number) => Value::integer(*number),
            params::Value::Real(number) => Value::real(*number),
            params::Value::Text(text) => Value::text(text),
            params::Value::Blob(bytes) => Value::blob(bytes),
        },
    }
}

/// `ask` as the table takes it; it borrows from both.
fn raw_query(ask: &Ask<'_>, params: &[Param]) -> abi::db::Query {
    let (statement, sql) = match &ask.target {
        Target::Sql(sql) => (0, Str::new(sql)),
        Target::Prepared(prepared) => (prepared.id(), Str::EMPTY),
    };
    abi::db::Query {
        statement,
        sql,
        tx: ask.tx,
        params: params.as_ptr(),
        params_len: params.len(),
        on: ask.on,
        flags: 0,
        deadline_ms: 0,
    }
}

unsafe extern "C" fn on_run(
    data: *mut c_void,
    status: Status,
    error: *const abi::Error,
    result: *const abi::db::RunResult,
) {
    // SAFETY: `Run` passed a `Held` of this type, and this is the one callback.
    let held = unsafe { Held::<RunResult, Option<Arc<Prepared>>>::from_raw(data) };
    // SAFETY: borrowed for this call, by the contract of `RunDone`.
    let outcome = unsafe { outcome(status, error) };
    // SAFETY: null or borrowed for this call as well.
    let result = unsafe { result.as_ref() };
    held.end(|_prepared| {
        outcome?;
        result
            .map(|result| (*result).into())
            .ok_or_else(|| Error::internal("the host ran a statement and gave no result"))
    });
}

unsafe extern "C" fn on_id<T: Send + 'static>(
    data: *mut c_void,
    status: Status,
    error: *const abi::Error,
    id: u64,
) {
    // SAFETY: whoever passes this callback passes a `Held` of this type, and this
    // is the one callback.
    let held = unsafe { Held::<T, MakeOfId<T>>::from_raw(data) };
    // SAFETY: borrowed for this call, by the contract of `IdDone`.
    let outcome = unsafe { outcome(status, error) };
    held.end(|make| outcome.map(|()| make(id)));
}
