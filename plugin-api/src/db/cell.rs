//! One value of a row, for serde.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

/// A value of a row, borrowed from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'r> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'r str),
    Blob(&'r [u8]),
    /// A kind that this version does not know, or text that is not UTF-8.
    Unreadable,
}

/// Why a row or a value is not of the type that was asked for.
#[derive(Debug)]
pub(crate) struct Misfit {
    reason: String,
    column: Option<String>,
}

impl Misfit {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Misfit {
            reason: reason.into(),
            column: None,
        }
    }

    pub(super) fn of(mut self, column: &str) -> Self {
        self.column.get_or_insert_with(|| column.to_owned());
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(column) = &self.column {
            write!(f, "column {column}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Misfit::new(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Misfit::new(format!("expected {expected}, found {}", Kind(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        <Self as de::Error>::invalid_type(found, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        Misfit::new(format!("the row has no column {field}"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Misfit::new(format!("the row has two columns {field}; name one with AS"))
    }
}

/// What was found, in SQL's words. Text is not quoted, for the message goes to
/// the log and text may be anyone's.
struct Kind<'a>(Unexpected<'a>);

impl fmt::Display for Kind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Unexpected::Unit | Unexpected::Option => f.write_str("NULL"),
            Unexpected::Signed(number) => write!(f, "INTEGER {number}"),
            Unexpected::Unsigned(number) => write!(f, "INTEGER {number}"),
            Unexpected::Float(number) => write!(f, "REAL {number}"),
            Unexpected::Str(_) | Unexpected::Char(_) => f.write_str("TEXT"),
            Unexpected::Bytes(bytes) => write!(f, "BLOB of {} bytes", bytes.len()),
            other => other.fmt(f),
        }
    }
}

impl<'r> Cell<'r> {
    fn unexpected(&self) -> Unexpected<'r> {
        match *self {
            Cell::Null => Unexpected::Unit,
            Cell::Integer(number) => Unexpected::Signed(number),
            Cell::Real(number) => Unexpected::Float(number),
            Cell::Text(text) => Unexpected::Str(text),
            Cell::Blob(bytes) => Unexpected::Bytes(bytes),
            Cell::Unreadable => Unexpected::Other("a value that is not readable"),
        }
    }

    fn misfit<T>(&self, expected: &str) -> Result<T, Misfit> {
        Err(de::Error::invalid_type(self.unexpected(), &expected))
    }
}

impl<'de> de::Deserializer<'de> for Cell<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self {
            Cell::Null => visitor.visit_unit(),
            Cell::Integer(number) => visitor.visit_i64(number),
            Cell::Real(number) => visitor.visit_f64(number),
            Cell::Text(text) => visitor.visit_str(text),
            Cell::Blob(bytes) => visitor.visit_bytes(bytes),
            Cell::Unreadable => self.misfit("a value"),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self {
            Cell::Integer(number @ (0 | 1)) => visitor.visit_bool(number == 1),
            other => other.misfit("bool (0 or 1)"),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self {
            Cell::Null => visitor.visit_none(),
            other => visitor.visit_some(other),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self {
            Cell::Text(name) => {
                let variant: StrDeserializer<'_, Misfit> = name.into_deserializer();
                visitor.visit_enum(variant)
            }
            other => other.misfit(&format!("TEXT, one of {}", variants.join(", "))),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
