//! Turns a value that serialises into values of SQL.

use serde::Serialize;
use serde::ser::{Impossible, Serializer};

use super::params::{Unfit, Value};

mod compound;

use compound::{List, Map};

/// What a value came to.
pub(super) enum Encoded {
    /// `()`: no parameters, and NULL as one of them.
    Unit,
    Value(Value),
    /// Without names.
    List(Vec<(String, Value)>),
    Map(Vec<(String, Value)>),
}

impl Encoded {
    /// SQL has no lists and maps, and guessing at an encoding would hide what a
    /// column holds.
    fn value(self) -> Result<Value, Unfit> {
        match self {
            Encoded::Unit => Ok(Value::Null),
            Encoded::Value(value) => Ok(value),
            Encoded::List(_) => Err(nested("a list", "; bytes go into a Blob")),
            Encoded::Map(_) => Err(nested("a struct or map", "")),
        }
    }
}

fn nested(what: &str, rest: &str) -> Unfit {
    Unfit::new(format!(
        "{what} is not a value of SQL; encode it as JSON text, with serde_json::to_string{rest}"
    ))
}

fn integer<T: TryInto<i64> + ToString + Copy>(value: T) -> Result<Encoded, Unfit> {
    match value.try_into() {
        Ok(number) => Ok(Encoded::Value(Value::Integer(number))),
        Err(_) => Err(Unfit::new(format!(
            "{} is not a 64-bit signed integer, which is what SQL has",
            value.to_string()
        ))),
    }
}

fn text(text: impl Into<String>) -> Result<Encoded, Unfit> {
    Ok(Encoded::Value(Value::Text(text.into())))
}

/// The serialiser.
pub(super) struct Encode;

impl Serializer for Encode {
    type Ok = Encoded;
    type Error = Unfit;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = Impossible<Encoded, Unfit>;
    type SerializeMap = Map;
    type SerializeStruct = Map;
    type SerializeStructVariant = Impossible<Encoded, Unfit>;

    fn serialize_bool(self, value: bool) -> Result<Encoded, Unfit> {
        integer(i64::from(value))
    }

    fn serialize_i8(self, value: i8) -> Result<Encoded, Unfit> {
        integer(value)
    }

    fn serialize_i16(self, value: i16) -> Result<Encoded, Unfit> {
        integer(value)
    }

    fn serialize_i32(self, value: i32) -> Result<Encoded, Unfit> {
        integer(value)
    }

    fn serialize_i64(self, value: i64) -> Result<Encoded, Unfit> {
        integer(value)
    }

    fn serialize_i128(self, value: i128) -> Result<Encoded, Unfit> {
        integer(value)
    }

    fn serialize_u8(self, value: u8) -> Result<Encoded, Unfit> {
        integer(value)
    }

    fn serialize_u16(self, value: u16) -> Result<Encoded, Unfit> {
        integer(value)
    }

    fn serialize_u32(self, value: u32) -> Result<Encoded, Unfit> {
        integer(value)
    }

    fn serialize_u64(self, value: u64) -> Result<Encoded, Unfit> {
        integer(value)
    }

    fn serialize_u128(self, value: u128) -> Result<Encoded, Unfit> {
        integer(value)
    }

    fn serialize_f32(self, value: f32) -> Result<Encoded, Unfit> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<Encoded, Unfit> {
        Ok(Encoded::Value(Value::Real(value)))
    }

    fn serialize_char(self, value: char) -> Result<Encoded, Unfit> {
        text(value)
    }

    fn serialize_str(self, value: &str) -> Result<Encoded, Unfit> {
        text(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Encoded, Unfit> {
        Ok(Encoded::Value(Value::Blob(value.to_owned())))
    }

    fn serialize_none(self) -> Result<Encoded, Unfit> {
        Ok(Encoded::Value(Value::Null))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Encoded, Unfit> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Encoded, Unfit> {
        Ok(Encoded::Unit)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Encoded, Unfit> {
        Ok(Encoded::Unit)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Encoded, Unfit> {
        text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Encoded, Unfit> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<Encoded, Unfit> {
        Err(nested("an enum with data", ""))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<List, Unfit> {
        self.serialize_tuple(len.unwrap_or(0))
    }

    fn serialize_tuple(self, len: usize) -> Result<List, Unfit> {
        // A length that somebody made up must not cost memory.
        Ok(List::with_capacity(len.min(64)))
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<List, Unfit> {
        self.serialize_tuple(len)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleVariant, Unfit> {
        Err(nested("an enum with data", ""))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Map, Unfit> {
        Ok(Map::with_capacity(len.unwrap_or(0).min(64)))
    }

    fn serialize_struct(self, _name: &'static str, len: usize) -> Result<Map, Unfit> {
        self.serialize_map(Some(len))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeStructVariant, Unfit> {
        Err(nested("an enum with data", ""))
    }
}
