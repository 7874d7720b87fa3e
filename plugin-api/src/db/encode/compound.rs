//! Lists and maps of values, one at a time.

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeTuple, SerializeTupleStruct,
};

use super::{Encode, Encoded};
use crate::db::params::{Unfit, Value};

/// A list as it is being encoded; its values have no names.
pub(in crate::db) struct List(Vec<(String, Value)>);

impl List {
    pub(super) fn with_capacity(len: usize) -> Self {
        List(Vec::with_capacity(len))
    }

    fn push(&mut self, value: &(impl Serialize + ?Sized)) -> Result<(), Unfit> {
        match value.serialize(Encode).and_then(Encoded::value) {
            Ok(value) => self.0.push((String::new(), value)),
            Err(unfit) => return Err(unfit.of(self.0.len() + 1)),
        }
        Ok(())
    }
}

/// A struct or map as it is being encoded, with the key of the next value.
pub(in crate::db) struct Map {
    values: Vec<(String, Value)>,
    key: String,
}

impl Map {
    pub(super) fn with_capacity(len: usize) -> Self {
        Map {
            values: Vec::with_capacity(len),
            key: String::new(),
        }
    }

    fn push(&mut self, key: String, value: &(impl Serialize + ?Sized)) -> Result<(), Unfit> {
        match value.serialize(Encode).and_then(Encoded::value) {
            Ok(value) => self.values.push((key, value)),
            Err(unfit) => return Err(unfit.of(key)),
        }
        Ok(())
    }
}

impl SerializeSeq for List {
    type Ok = Encoded;
    type Error = Unfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        self.push(value)
    }

    fn end(self) -> Result<Encoded, Unfit> {
        Ok(Encoded::List(self.0))
    }
}

impl SerializeTuple for List {
    type Ok = Encoded;
    type Error = Unfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        self.push(value)
    }

    fn end(self) -> Result<Encoded, Unfit> {
        Ok(Encoded::List(self.0))
    }
}

impl SerializeTupleStruct for List {
    type Ok = Encoded;
    type Error = Unfit;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        self.push(value)
    }

    fn end(self) -> Result<Encoded, Unfit> {
        Ok(Encoded::List(self.0))
    }
}

impl SerializeMap for Map {
    type Ok = Encoded;
    type Error = Unfit;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unfit> {
        match key.serialize(Encode)? {
            Encoded::Value(Value::Text(key)) if !key.is_empty() => self.key = key,
            _ => return Err(Unfit::new("the keys of a map of parameters are names")),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        let key = std::mem::take(&mut self.key);
        self.push(key, value)
    }

    fn end(self) -> Result<Encoded, Unfit> {
        Ok(Encoded::Map(self.values))
    }
}

impl SerializeStruct for Map {
    type Ok = Encoded;
    type Error = Unfit;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Unfit> {
        self.push(key.to_owned(), value)
    }

    fn end(self) -> Result<Encoded, Unfit> {
        Ok(Encoded::Map(self.values))
    }
}
