//! One statement with its parameters: borrowed where it runs at once, owned where
//! it waits in a queue and runs on another thread.

use std::borrow::Cow;
use std::time::Duration;

use rusqlite::Statement;
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

use crate::services::db::guard::{Kind, Text};
use crate::services::error::ServiceError;

/// A statement to run.
#[derive(Debug, Clone)]
pub(crate) struct Query<'a> {
    /// Its text; statements are cached by it.
    pub(crate) sql: Text,
    /// What is bound to its parameters.
    pub(crate) params: Vec<Param<'a>>,
    /// Which connection runs it, outside a transaction.
    pub(crate) on: On,
    /// Time for it to run.
    pub(crate) deadline: Duration,
}

/// A value for one parameter.
#[derive(Debug, Clone)]
pub(crate) struct Param<'a> {
    /// Its name with its sign, or nothing for the next position.
    pub(crate) name: Option<Cow<'a, str>>,
    /// Its value.
    pub(crate) value: Value<'a>,
}

/// One of SQLite's values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(Cow<'a, str>),
    Blob(Cow<'a, [u8]>),
}

/// Which connection runs a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    /// The writer if the statement writes, else a reader.
    Auto,
    /// A reader.
    Reader,
    /// The writer, which sees all that was acknowledged.
    Writer,
    /// A reader, and the writer when that found no row.
    ReaderThenWriter,
}

/// What a statement did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RunResult {
    /// Rows changed.
    pub(crate) changes: u64,
    /// Rowid of the last row that the connection inserted.
    pub(crate) last_insert_rowid: i64,
}

impl Query<'static> {
    /// A statement without parameters.
    pub(super) fn plain(sql: &str, deadline: Duration) -> Self {
        Query {
            sql: sql.into(),
            params: Vec::new(),
            on: On::Auto,
            deadline,
        }
    }
}

impl Query<'_> {
    /// The same, copied where it is borrowed.
    pub(crate) fn into_owned(self) -> Query<'static> {
        Query {
            sql: self.sql,
            params: self.params.into_iter().map(Param::into_owned).collect(),
            on: self.on,
            deadline: self.deadline,
        }
    }

    /// Whether it is tried on a reader first, outside a transaction.
    pub(super) fn reads_first(&self) -> bool {
        match self.on {
            On::Writer => false,
            On::Reader => true,
            On::Auto | On::ReaderThenWriter => self.sql.kind() == Kind::MayRead,
        }
    }

    /// Binds the parameters, all of them, by position or by name.
    pub(super) fn bind(&self, statement: &mut Statement<'_>) -> Result<(), ServiceError> {
        let wanted = statement.parameter_count();
        if self.params.len() != wanted {
            return Err(ServiceError::invalid(format!(
                "parameters: the statement has {wanted}, and was given {}",
                self.params.len()
            )));
        }
        for (position, param) in (1..).zip(&self.params) {
            let index = match param.name.as_deref() {
                None => position,
                Some(name) => index_of(statement, name)?,
            };
            statement
                .raw_bind_parameter(index, &param.value)
                .map_err(|error| super::error::of_statement(&error))?;
        }
        Ok(())
    }
}

fn index_of(statement: &Statement<'_>, name: &str) -> Result<usize, ServiceError> {
    let index = statement.parameter_index(name).ok().flatten();
    index.ok_or_else(|| {
        ServiceError::invalid(format!("the statement has no parameter named {name}"))
    })
}

impl Param<'_> {
    fn into_owned(self) -> Param<'static> {
        Param {
            name: self.name.map(|name| Cow::Owned(name.into_owned())),
            value: self.value.into_owned(),
        }
    }
}

impl Value<'_> {
    fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Integer(integer) => Value::Integer(integer),
            Value::Real(real) => Value::Real(real),
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::Blob(blob) => Value::Blob(Cow::Owned(blob.into_owned())),
        }
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Integer(integer) => ValueRef::Integer(*integer),
            Value::Real(real) => ValueRef::Real(*real),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(blob) => ValueRef::Blob(blob),
        }))
    }
}
