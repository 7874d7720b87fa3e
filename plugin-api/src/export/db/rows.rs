//! The slot of `db/1` that hands rows over.

use std::ffi::c_void;
use std::ops::ControlFlow;
use std::sync::Arc;

use abi::data::{VALUE_BLOB, VALUE_INTEGER, VALUE_NULL, VALUE_REAL, VALUE_TEXT, slice};
use abi::db::{DB_ROW_NEXT, DB_ROW_STOP, OnRow, RunDone};
use abi::{Status, Str, Value};
use exthost_abi as abi;

use super::super::host::Host;
use super::super::operation::{Held, Operation, outcome};
use super::with_query;
use crate::Result;
use crate::cause::Cause;
use crate::db::cell::Cell;
use crate::db::row::Row;
use crate::db::sink::{Gather, Sink};
use crate::db::{Ask, Prepared, Slot};

/// `rows`.
pub(crate) struct Rows<'a, S> {
    pub(crate) ask: Ask<'a>,
    pub(crate) sink: S,
}

/// What the callbacks of `rows` hold, with what must stay prepared meanwhile.
type HeldRows<S> = Held<<S as Sink>::Output, (Gather<S>, Option<Arc<Prepared>>)>;

impl<S: Sink> Slot<S::Output> for Rows<'_, S> {
    fn wait(self: Box<Self>, host: &'static Host) -> Result<S::Output> {
        let table = host.db()?;
        let Rows { ask, sink } = *self;
        let mut held: HeldRows<S> = Held::new(host, (Gather::new(sink), None));
        let status = with_query(&ask, |query| {
            // SAFETY: the table is the host's; what `query` borrows and `held` outlive
            // the call, within which `on_row` is called, never twice at a time.
            unsafe {
                (table.rows)(
                    host.ctx(),
                    Cause::id_for(host),
                    query,
                    (&raw mut held).cast(),
                    OnRow(Some(on_row::<S>)),
                    std::ptr::null_mut(),
                )
            }
        });
        host.check(status)?;
        held.into_sink().0.finish()
    }

    fn begin(self: Box<Self>, host: &'static Host) -> Result<Operation<S::Output>> {
        let table = host.db()?;
        let Rows { ask, sink } = *self;
        let sink = (Gather::new(sink), ask.prepared());
        Ok(Operation::start(host, sink, |data, op| {
            with_query(&ask, |query| {
                // SAFETY: the table is the host's; what `query` borrows outlives the
                // call, and `data` is the host's until `on_rows_done`.
                unsafe {
                    (table.rows_async)(
                        host.ctx(),
                        Cause::id_for(host),
                        query,
                        data,
                        OnRow(Some(on_row::<S>)),
                        RunDone(Some(on_rows_done::<S>)),
                        op,
                    )
                }
            })
        }))
    }
}

unsafe extern "C" fn on_row<S: Sink>(data: *mut c_void, row: *const abi::db::Row) -> u32 {
    // SAFETY: `Rows` passed a `Held` of this type, which is this callback's alone
    // until it returns.
    let held = unsafe { &mut *data.cast::<HeldRows<S>>() };
    // SAFETY: borrowed for this call, by the contract of `OnRow`.
    let row = unsafe { Columns::from_raw(row) };
    let stop = ControlFlow::Break(());
    match held.receive("row", stop, |(gather, _)| gather.row(row.map(Row))) {
        ControlFlow::Continue(()) => DB_ROW_NEXT,
        ControlFlow::Break(()) => DB_ROW_STOP,
    }
}

unsafe extern "C" fn on_rows_done<S: Sink>(
    data: *mut c_void,
    status: Status,
    error: *const abi::Error,
    _result: *const abi::db::RunResult,
) {
    // SAFETY: `Rows` passed a `Held` of this type, and this is the last callback.
    let held = unsafe { HeldRows::<S>::from_raw(data) };
    // SAFETY: borrowed for this call, by the contract of `RunDone`.
    let outcome = unsafe { outcome(status, error) };
    held.end(|(gather, _)| outcome.and_then(|()| gather.finish()));
}

/// The names and values of a row, as many of one as of the other, borrowed for the
/// callback.
#[derive(Clone, Copy)]
pub(crate) struct Columns<'r> {
    names: &'r [Str],
    values: &'r [Value],
}

impl<'r> Columns<'r> {
    /// # Safety
    /// `row`, and all that it borrows, is readable for `'r`.
    unsafe fn from_raw(row: *const abi::db::Row) -> Option<Columns<'r>> {
        // SAFETY: the caller's contract.
        let row = unsafe { row.as_ref::<'r>() }?;
        // SAFETY: the caller's contract.
        let names = unsafe { slice(row.names, row.len) }.ok()?;
        // SAFETY: the caller's contract.
        let values = unsafe { slice(row.values, row.len) }.ok()?;
        Some(Columns { names, values })
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// # Panics
    /// When there is no such column.
    pub(crate) fn name(&self, at: usize) -> &'r str {
        // SAFETY: readable for `'r`, by the contract of `from_raw`.
        unsafe { self.names[at].as_str() }.unwrap_or("that is not UTF-8")
    }

    /// # Panics
    /// When there is no such column.
    pub(crate) fn cell(&self, at: usize) -> Cell<'r> {
        let value = &self.values[at];
        match value.kind {
            VALUE_NULL => Cell::Null,
            VALUE_INTEGER => Cell::Integer(value.integer),
            VALUE_REAL => Cell::Real(value.real),
            // SAFETY: readable for `'r`, by the contract of `from_raw`.
            VALUE_TEXT => match unsafe { value.data.as_slice() }.map(std::str::from_utf8) {
                Ok(Ok(text)) => Cell::Text(text),
                _ => Cell::Unreadable,
            },
            // SAFETY: as above.
            VALUE_BLOB => match unsafe { value.data.as_slice() } {
                Ok(bytes) => Cell::Blob(bytes),
                Err(_) => Cell::Unreadable,
            },
            _ => Cell::Unreadable,
        }
    }
}
