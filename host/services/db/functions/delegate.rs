//! Functions whose work SQLite's own does, on a connection that has no others.
//!
//! Nobody else formats numbers or reads JSON as it does. One call of most ends with
//! the longest value, so a look at the clock before is enough. `json_patch` and
//! `jsonb_patch` compare every name of one object with every name of the other, so
//! the sizes are bounded too.

use std::cell::OnceCell;
use std::fmt::Write as _;
use std::sync::Arc;

use rusqlite::functions::{Context, FunctionFlags, SubType};
use rusqlite::limits::Limit;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Error, ErrorCode, Result};

use super::search::too_big;
use super::{flags, value::bytes};
use crate::services::db::guard::Clock;

/// How many bytes of one object may meet how many of the other: a document of
/// 1 MiB and a patch of 8 KiB. At most it takes a third of a second.
const PATCH_BYTES_SQUARED_MAX: usize = 1 << 33;

/// What SQLite marks a text with that is JSON.
const JSON: SubType = Some(74);

/// Those that end with the longest value, and how many arguments they take.
const LINEAR: &[(&str, i32)] = &[
    ("printf", -1),
    ("format", -1),
    ("concat", -1),
    ("concat_ws", -1),
    ("quote", 1),
    ("unhex", 1),
    ("unhex", 2),
    ("soundex", 1),
    ("unistr", 1),
    ("unistr_quote", 1),
    ("randomblob", 1),
    ("json_valid", 1),
    ("json_valid", 2),
    ("json_type", 1),
    ("json_type", 2),
    ("json_array_length", 1),
    ("json_array_length", 2),
    ("json_error_position", 1),
    ("json_pretty", 1),
    ("json_pretty", 2),
];

/// Puts them in place of SQLite's own.
pub(super) fn install(conn: &Connection, clock: &Arc<Clock>, value_bytes_max: i32) -> Result<()> {
    let linear = |_: &Context<'_>| Ok(());
    let patches = |context: &Context<'_>| {
        let (target, patch) = (bytes(context.get_raw(0)), bytes(context.get_raw(1)));
        if target.saturating_mul(patch) > PATCH_BYTES_SQUARED_MAX {
            return Err(too_big());
        }
        Ok(())
    };
    for (name, arguments) in LINEAR {
        delegate(conn, name, *arguments, None, clock, value_bytes_max, linear)?;
    }
    delegate(conn, "json_patch", 2, JSON, clock, value_bytes_max, patches)?;
    delegate(
        conn,
        "jsonb_patch",
        2,
        None,
        clock,
        value_bytes_max,
        patches,
    )
}

fn delegate(
    conn: &Connection,
    name: &'static str,
    arguments: i32,
    subtype: SubType,
    clock: &Arc<Clock>,
    value_bytes_max: i32,
    check: impl Fn(&Context<'_>) -> Result<()> + Send + 'static,
) -> Result<()> {
    let clock = Arc::clone(clock);
    let plain = OnceCell::new();
    let mut flags = flags();
    if name == "randomblob" {
        flags.remove(FunctionFlags::SQLITE_DETERMINISTIC);
    }
    if subtype.is_some() {
        flags |= FunctionFlags::SQLITE_RESULT_SUBTYPE;
    }
    conn.create_scalar_function(name, arguments, flags, move |context| {
        clock.check()?;
        check(context)?;
        let conn = match plain.get() {
            Some(conn) => conn,
            None => {
                let conn = Connection::open_in_memory()?;
                conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, value_bytes_max)?;
                plain.get_or_init(|| conn)
            }
        };
        let values = (0..context.len()).map(|at| ToSqlOutput::Borrowed(context.get_raw(at)));
        let mut statement = conn.prepare_cached(&call(name, context.len()))?;
        let answer = statement.query_row(rusqlite::params_from_iter(values), |row| {
            Ok(match row.get_ref(0)? {
                ValueRef::Text(text) => Given::Text(text.to_vec()),
                ValueRef::Blob(blob) => Given::Blob(blob.to_vec()),
                ValueRef::Integer(number) => Given::Integer(number),
                _ => Given::Null,
            })
        });
        let answer = answer.map_err(without_statement)?;
        let subtype = subtype.filter(|_| matches!(answer, Given::Text(_)));
        Ok((answer, subtype))
    })
}

/// What SQLite's own function gave; a text need not be UTF-8.
enum Given {
    Null,
    Integer(i64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl rusqlite::ToSql for Given {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(match self {
            Given::Null => ToSqlOutput::Owned(Value::Null),
            Given::Integer(number) => ToSqlOutput::Owned(Value::Integer(*number)),
            Given::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text)),
            Given::Blob(blob) => ToSqlOutput::Borrowed(ValueRef::Blob(blob)),
        })
    }
}

fn call(name: &str, arguments: usize) -> String {
    let mut sql = format!("SELECT {name}(");
    for at in 1..=arguments {
        let comma = if at > 1 { "," } else { "" };
        // Writing to a String cannot fail.
        let _ = write!(sql, "{comma}?{at}");
    }
    sql.push(')');
    sql
}

/// The error as SQLite's own function gives it. With a text it would lose its code,
/// which says of these what they are.
fn without_statement(error: Error) -> Error {
    match error {
        Error::SqliteFailure(error, _)
            if matches!(error.code, ErrorCode::OutOfMemory | ErrorCode::TooBig) =>
        {
            Error::SqliteFailure(error, None)
        }
        Error::SqlInputError { error, msg, .. } => Error::SqliteFailure(error, Some(msg)),
        other => other,
    }
}
