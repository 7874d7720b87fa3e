//! Statements on their way into the database.

use std::time::Duration;

use exthost_abi::Value as RawValue;
use exthost_abi::data::{VALUE_BLOB, VALUE_INTEGER, VALUE_NULL, VALUE_REAL, VALUE_TEXT};
use exthost_abi::db::{
    DB_ON_AUTO, DB_ON_READER, DB_ON_READER_THEN_WRITER, DB_ON_WRITER, Query as RawQuery,
};

use crate::ffi::convert::{array, known_flags, object, text};
use crate::services::PluginServices;
use crate::services::db::{On, Param, Query, StatementText, Value};
use crate::services::error::ServiceError;

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
    if raw.len() > QUERIES_MAX {
        return Err(ServiceError::invalid(format!(
            "{} statements in one batch are more than {QUERIES_MAX}; make several batches",
            raw.len()
        )));
    }
    let mut queries: Vec<Query<'a>> = Vec::with_capacity(raw.len());
    let mut tx = None;
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
    let on = connection(raw.on)?;
    // SAFETY: the caller's contract.
    let params = unsafe { params(raw) }?;
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

fn connection(on: u32) -> Result<On, ServiceError> {
    match on {
        DB_ON_AUTO => Ok(On::Auto),
        DB_ON_READER => Ok(On::Reader),
        DB_ON_WRITER => Ok(On::Writer),
        DB_ON_READER_THEN_WRITER => Ok(On::ReaderThenWriter),
        other => Err(ServiceError::invalid(format!(
            "on is {other}, not a DB_ON_"
        ))),
    }
}

/// # Safety
/// The parameters, with their names and values, must be readable.
unsafe fn params(raw: &RawQuery) -> Result<Vec<Param<'_>>, ServiceError> {
    // SAFETY: the caller's contract.
    let raw_params = unsafe { array(raw.params, raw.params_len, "params") }?;
    let mut params = Vec::with_capacity(raw_params.len());
    for param in raw_params {
        // SAFETY: the caller's contract covers each.
        let name = unsafe { text(param.name, "a parameter's name") }?;
        params.push(Param {
            name: (!name.is_empty()).then(|| name.into()),
            // SAFETY: the caller's contract covers each.
            value: unsafe { value(&param.value) }?,
        });
    }
    Ok(params)
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
        other => {
            return Err(ServiceError::invalid(format!(
                "a value is of kind {other}, not a VALUE_"
            )));
        }
    })
}
