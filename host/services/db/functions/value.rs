//! Arguments as text, and answers, as SQLite's own functions take and give them.

use std::borrow::Cow;
use std::cell::OnceCell;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Result, ToSql};

/// What a function answers.
pub(super) enum Answer {
    Null,
    Integer(i64),
    /// A text, which SQLite does not promise to be UTF-8.
    Text(Vec<u8>),
}

impl ToSql for Answer {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(match self {
            Answer::Null => ToSqlOutput::Owned(Value::Null),
            Answer::Integer(number) => ToSqlOutput::Owned(Value::Integer(*number)),
            Answer::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text)),
        })
    }
}

/// Turns values into text.
#[derive(Default)]
pub(super) struct Texts {
    /// Writes real numbers, since no other code does it as SQLite does.
    numbers: OnceCell<Connection>,
}

impl Texts {
    /// The text of a value; `None` for NULL. A blob's bytes are its text.
    pub(super) fn of<'v>(&self, value: ValueRef<'v>) -> Result<Option<Cow<'v, [u8]>>> {
        Ok(Some(match value {
            ValueRef::Null => return Ok(None),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Cow::Borrowed(bytes),
            ValueRef::Integer(number) => Cow::Owned(number.to_string().into_bytes()),
            ValueRef::Real(number) => Cow::Owned(self.real(number)?.into_bytes()),
        }))
    }

    fn real(&self, number: f64) -> Result<String> {
        let conn = match self.numbers.get() {
            Some(conn) => conn,
            None => {
                let conn = Connection::open_in_memory()?;
                self.numbers.get_or_init(|| conn)
            }
        };
        conn.prepare_cached("SELECT CAST(?1 AS TEXT)")?
            .query_row([number], |row| row.get(0))
    }
}

/// The length of a text or a blob.
pub(super) fn bytes(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
        _ => 0,
    }
}

/// The bytes up to the first NUL, for the functions that take a text for a C
/// string.
pub(super) fn until_nul(text: &[u8]) -> &[u8] {
    let end = text.iter().position(|byte| *byte == 0);
    &text[..end.unwrap_or(text.len())]
}

/// How many bytes the character at the front takes, by SQLite's rule: a lead byte
/// and whatever continuation bytes follow.
pub(super) fn char_bytes(text: &[u8]) -> usize {
    match text.first() {
        None => 0,
        Some(0xc0..) => 1 + continuation_bytes(&text[1..]),
        Some(_) => 1,
    }
}

/// How many continuation bytes stand at the front.
pub(super) fn continuation_bytes(text: &[u8]) -> usize {
    let continues = |byte: &&u8| **byte & 0xc0 == 0x80;
    text.iter().take_while(continues).count()
}
