//! Statements and rows across the boundary.

use std::ffi::c_void;
use std::sync::Arc;
use std::time::Duration;

use exthost_abi::data::{VALUE_BLOB, VALUE_INTEGER, VALUE_NULL, VALUE_REAL, VALUE_TEXT};
use exthost_abi::db::{
    DB_ON_AUTO, DB_ON_READER, DB_ON_READER_THEN_WRITER, DB_ON_WRITER, DB_ROW_NEXT, OnRow,
    Query as RawQuery, Row as RawRow, RunResult as RawRunResult,
};
use exthost_abi::{Str, Value as RawValue};

use crate::ffi::callback;
use crate::ffi::convert::{Data, array, known_flags, object, text};
use crate::services::PluginServices;
use crate::services::db::{
    Cell, Flow, Names, On, Param, Query, Row, RowSink, RunResult, StatementText, Value,
};
use crate::services::error::ServiceError;
use crate::services::exchange::Exchange;

/// A statement with its transaction; it borrows the values.
///
/// # Safety
/// If the pointer is not null, the query and all that it refers to must be
/// readable and unchanged for `'a`.
pub(super) unsafe fn query<'a>(
    services: &PluginServices,
    query: *const RawQuery,
) -> Result<(u64, Query<'a>), ServiceError> {
    // SAFETY: the caller's contract.
    let query = unsafe { object(query, "query") }?;
    // SAFETY: the caller's contract.
    unsafe { lent(services, query, None) }
}

/// Several statements with the transaction that all of them name.
///
/// # Safety
/// As [`query`], for each.
pub(super) unsafe fn queries<'a>(
    services: &PluginServices,
    ptr: *const RawQuery,
    len: usize,
) -> Result<(u64, Vec<Query<'a>>), ServiceError> {
    // SAFETY: the caller's contract.
    let raw = unsafe { array(ptr, len, "queries") }?;
    let mut queries: Vec<Query<'a>> = Vec::with_capacity(raw.len().min(QUERIES_MAX));
    let mut tx = None;
    if raw.len() > QUERIES_MAX {
        return Err(ServiceError::invalid(format!(
            "{} statements in one batch are more than {QUERIES_MAX}",
            raw.len()
        )));
    }
    for query in raw {
        let last = queries.last().map(|last| &last.sql);
        // SAFETY: the caller's contract covers each.
        let (of, query) = unsafe { lent(services, query, last) }?;
        if *tx.get_or_insert(of) != of {
            return Err(ServiceError::invalid(
                "the statements of a batch must name the same transaction",
            ));
        }
        queries.push(query);
    }
    Ok((tx.unwrap_or(0), queries))
}

/// The same statements, which borrow nothing.
pub(super) fn owned(queries: Vec<Query<'_>>) -> Vec<Query<'static>> {
    queries.into_iter().map(Query::into_owned).collect()
}

/// Most statements of one batch.
const QUERIES_MAX: usize = 10_000;

/// # Safety
/// As [`query`]; `last` is a text that it may have as well.
unsafe fn lent<'a>(
    services: &PluginServices,
    raw: &'a RawQuery,
    last: Option<&StatementText>,
) -> Result<(u64, Query<'a>), ServiceError> {
    known_flags(raw.flags, 0)?;
    // SAFETY: the caller's contract.
    let sql = unsafe { text(raw.sql, "sql") }?;
    let sql = match (raw.statement, sql) {
        (0, "") => {
            return Err(ServiceError::invalid(
                "neither sql nor a statement is given",
            ));
        }
        (0, sql) => match last {
            Some(last) if **last == *sql => last.clone(),
            _ => sql.into(),
        },
        (statement, "") => services.db.text(statement)?,
        _ => return Err(ServiceError::invalid("both sql and a statement are given")),
    };
    let on = match raw.on {
        DB_ON_AUTO => On::Auto,
        DB_ON_READER => On::Reader,
        DB_ON_WRITER => On::Writer,
        DB_ON_READER_THEN_WRITER => On::ReaderThenWriter,
        other => {
            return Err(ServiceError::invalid(format!(
                "on is {other}, not a DB_ON_"
            )));
        }
    };
    // SAFETY: the caller's contract.
    let raw_params = unsafe { array(raw.params, raw.params_len, "params") }?;
    let mut params = Vec::with_capacity(raw_params.len());
    for param in raw_params {
        // SAFETY: the caller's contract.
        let name = unsafe { text(param.name, "a parameter's name") }?;
        params.push(Param {
            name: (!name.is_empty()).then(|| name.into()),
            // SAFETY: the caller's contract.
            value: unsafe { value(&param.value) }?,
        });
    }
    let asked = (raw.deadline_ms > 0).then(|| Duration::from_millis(raw.deadline_ms));
    let deadline = services.db.deadline(asked);
    Ok((
        raw.tx,
        Query {
            sql,
            params,
            on,
            deadline,
        },
    ))
}

/// # Safety
/// The value's bytes must be readable.
unsafe fn value(raw: &RawValue) -> Result<Value<'_>, ServiceError> {
    known_flags(raw.reserved, 0)?;
    // SAFETY: the caller's contract.
    let bytes = || unsafe { raw.data.as_slice() };
    let not_readable = |_| ServiceError::invalid("a value is null with a length, or too long");
    Ok(match raw.kind {
        VALUE_NULL => Value::Null,
        VALUE_INTEGER => Value::Integer(raw.integer),
        VALUE_REAL => Value::Real(raw.real),
        VALUE_BLOB => Value::Blob(bytes().map_err(not_readable)?.into()),
        VALUE_TEXT => {
            let text = std::str::from_utf8(bytes().map_err(not_readable)?);
            Value::Text(
                text.map_err(|_| ServiceError::invalid("a text is not UTF-8"))?
                    .into(),
            )
        }
        other => return Err(ServiceError::invalid(format!("a value is of kind {other}"))),
    })
}

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
