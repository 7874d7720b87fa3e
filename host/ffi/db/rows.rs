//! Rows and results on their way to the plugin.

use std::ffi::c_void;
use std::sync::Arc;

use exthost_abi::data::{VALUE_BLOB, VALUE_TEXT};
use exthost_abi::db::{DB_ROW_NEXT, OnRow, Row as RawRow, RunResult as RawRunResult};
use exthost_abi::{Str, Value as RawValue};

use crate::ffi::callback;
use crate::ffi::convert::Data;
use crate::services::PluginServices;
use crate::services::db::{Cell, Flow, Names, Row, RowSink, RunResult};
use crate::services::error::ServiceError;
use crate::services::exchange::Exchange;

/// A plugin's `on_row`, which the service hands rows to.
pub(super) struct Receiver {
    services: &'static PluginServices,
    request: Option<Arc<Exchange>>,
    on_row: unsafe extern "C" fn(*mut c_void, *const RawRow) -> u32,
    data: Data,
    lists: Lists,
}

impl Receiver {
    pub(super) fn new(
        services: &'static PluginServices,
        cause: u64,
        on_row: OnRow,
        data: Data,
    ) -> Result<Self, ServiceError> {
        let null = || ServiceError::invalid("on_row is null");
        Ok(Receiver {
            services,
            request: services.causes.exchange(&services.context, cause),
            on_row: on_row.0.ok_or_else(null)?,
            data,
            lists: Lists::default(),
        })
    }

    /// Hands a row over. Called on any thread, for one row at a time, and not after
    /// the call that `data` was given with has ended.
    pub(super) fn take(&mut self, row: &Row<'_>) -> Flow {
        let raw = self.lists.lend(row);
        let (context, request) = (&self.services.context, self.request.as_deref());
        let wanted = callback(context, request, "on_row", || {
            // SAFETY: `data` is that of a call that has not ended; the lists outlive
            // this one.
            unsafe { (self.on_row)(self.data.ptr(), &raw const raw) }
        });
        self.lists.values.clear();
        match wanted {
            DB_ROW_NEXT => Flow::Next,
            _ => Flow::Stop,
        }
    }

    /// What it is to a statement that may run elsewhere; closed before the call
    /// ends.
    pub(super) fn into_sink(mut self) -> RowSink {
        RowSink::new(Box::new(move |row| self.take(row)))
    }
}

/// What a row borrows for one call.
#[derive(Default)]
struct Lists {
    /// What `names` point to.
    named: Names,
    names: Vec<Str>,
    /// Empty between calls.
    values: Vec<RawValue>,
}

// SAFETY: the names point to what the lists hold and any thread may read, and there
// are no values whenever they change threads.
unsafe impl Send for Lists {}

impl Lists {
    fn lend(&mut self, row: &Row<'_>) -> RawRow {
        if !Arc::ptr_eq(&self.named, row.names()) {
            self.named = row.names().clone();
            self.names.clear();
            self.names
                .extend(self.named.iter().map(|name| Str::new(name)));
        }
        self.values.extend(row.cells().map(|cell| match cell {
            Cell::Null => RawValue::NULL,
            Cell::Integer(integer) => RawValue::integer(integer),
            Cell::Real(real) => RawValue::real(real),
            Cell::Blob(blob) => RawValue::blob(blob),
            Cell::Text(text) => RawValue {
                // What is not UTF-8 is no text to a plugin.
                kind: match std::str::from_utf8(text) {
                    Ok(_) => VALUE_TEXT,
                    Err(_) => VALUE_BLOB,
                },
                ..RawValue::blob(text)
            },
        }));
        RawRow {
            names: self.names.as_ptr(),
            values: self.values.as_ptr(),
            len: self.values.len(),
        }
    }
}

/// What a statement did, in the ABI's form.
pub(super) fn raw_result(result: &RunResult) -> RawRunResult {
    RawRunResult {
        changes: result.changes,
        last_insert_rowid: result.last_insert_rowid,
    }
}
