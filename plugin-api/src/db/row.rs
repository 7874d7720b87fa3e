//! A row, for serde.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};

use super::cell::{Cell, Misfit};
use crate::export::db::Columns;
use crate::{Error, Result, StatusCode};

/// A row of a result. It deserialises into a struct or map by the columns'
/// names, into a tuple or list by their order, and into a scalar when there is
/// one.
#[derive(Clone, Copy)]
pub(crate) struct Row<'r>(pub(crate) Columns<'r>);

impl Row<'_> {
    /// # Errors
    /// When it is not of the form of `T`, naming the column.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T> {
        T::deserialize(self).map_err(|misfit| {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            Error::new(status, "bad-row", format!("a row: {misfit}"))
        })
    }

    /// Deserialises the only column.
    fn only<T>(self, read: impl FnOnce(Cell<'_>) -> Result<T, Misfit>) -> Result<T, Misfit> {
        match self.0.len() {
            1 => read(self.0.cell(0)).map_err(|misfit| misfit.of(self.0.name(0))),
            len => Err(Misfit::new(format!(
                "one value was asked for, it has {len}; ask for a struct or a tuple"
            ))),
        }
    }
}

impl<'de> Deserializer<'de> for Row<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_bool(visitor))
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_i8(visitor))
    }

    fn deserialize_i16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_i16(visitor))
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_i32(visitor))
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_i64(visitor))
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_i128(visitor))
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_u8(visitor))
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_u16(visitor))
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_u32(visitor))
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_u64(visitor))
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_u128(visitor))
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_f32(visitor))
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_f64(visitor))
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_char(visitor))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_str(visitor))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_string(visitor))
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_bytes(visitor))
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_byte_buf(visitor))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_identifier(visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0.len() {
            1 if self.0.cell(0) == Cell::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    /// A row that is there is all that `()` asks for.
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_seq(InOrder { row: self, next: 0 })
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.0.len() {
            columns if columns == len => self.deserialize_seq(visitor),
            columns => Err(Misfit::new(format!(
                "{len} columns were asked for, it has {columns}"
            ))),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_map(ByName { row: self, next: 0 })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.only(|cell| cell.deserialize_enum(name, variants, visitor))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }
}

/// One value after the other.
struct InOrder<'r> {
    row: Row<'r>,
    next: usize,
}

impl<'de> SeqAccess<'de> for InOrder<'_> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        let (columns, at) = (self.row.0, self.next);
        if at == columns.len() {
            return Ok(None);
        }
        self.next += 1;
        let value = seed.deserialize(columns.cell(at));
        value
            .map(Some)
            .map_err(|misfit| misfit.of(columns.name(at)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.row.0.len() - self.next)
    }
}

/// One name after the other, each with its value.
struct ByName<'r> {
    row: Row<'r>,
    next: usize,
}

impl<'de> MapAccess<'de> for ByName<'_> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        if self.next == self.row.0.len() {
            return Ok(None);
        }
        let name: StrDeserializer<'_, Misfit> = self.row.0.name(self.next).into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let (columns, at) = (self.row.0, self.next);
        self.next += 1;
        let value = seed.deserialize(columns.cell(at));
        value.map_err(|misfit| misfit.of(columns.name(at)))
    }
}
