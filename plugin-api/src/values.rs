//! Named values out of text, for serde: what a query and a path have in common.

use std::borrow::Cow;
use std::fmt;
use std::iter::Peekable;
use std::str::FromStr;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// A list of names and values. It deserialises into a struct or map by name,
/// into a list or tuple by order, and into a scalar when it is of one value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// Why the values are not what was asked for.
#[derive(Debug)]
pub(crate) struct Invalid {
    reason: String,
    /// The name of the value at fault.
    field: Option<String>,
    /// The number of values is not the one that the handler's type takes, which
    /// no other text in them would mend.
    pub(crate) misfit: bool,
}

impl Invalid {
    pub(crate) fn new(reason: String) -> Self {
        Invalid {
            reason,
            field: None,
            misfit: false,
        }
    }

    fn of(mut self, name: &str) -> Self {
        self.field.get_or_insert_with(|| name.to_owned());
        self
    }

    fn count(taken: usize, given: usize) -> Self {
        Invalid {
            reason: format!("the handler takes {taken}, the pattern captures {given}"),
            field: None,
            misfit: true,
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Invalid {}

impl de::Error for Invalid {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Invalid::new(message.to_string())
    }
}

impl<'a> FromIterator<(Cow<'a, str>, Cow<'a, str>)> for Values<'a> {
    fn from_iter<I: IntoIterator<Item = (Cow<'a, str>, Cow<'a, str>)>>(pairs: I) -> Self {
        Values(pairs.into_iter().collect())
    }
}

impl<'a> Values<'a> {
    /// The one value; several of one name are a field that was repeated, of
    /// several names a pattern that captures more.
    fn one(&self) -> Result<&str, Invalid> {
        match &self.0[..] {
            [(_, value)] => Ok(value),
            [(first, _), rest @ ..] if rest.iter().all(|(name, _)| name == first) => {
                let count = rest.len() + 1;
                Err(Invalid::new(format!("given {count} times, expected once")))
            }
            others => Err(Invalid::count(1, others.len())),
        }
    }

    fn parse<T: FromStr>(&self, expected: &str) -> Result<T, Invalid> {
        let value = self.one()?;
        let wrong = |_| Invalid::new(format!("expected {expected}, got `{value}`"));
        value.parse().map_err(wrong)
    }
}

impl<'de> de::Deserializer<'de> for Values<'_> {
    type Error = Invalid;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        visitor.visit_str(self.one()?)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        match self.one()? {
            "true" | "1" => visitor.visit_bool(true),
            "false" | "0" => visitor.visit_bool(false),
            other => Err(Invalid::new(format!(
                "expected true or false, got `{other}`"
            ))),
        }
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        visitor.visit_i8(self.parse("a whole number from -128 to 127")?)
    }

    fn deserialize_i16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        visitor.visit_i16(self.parse("a whole number from -32768 to 32767")?)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        visitor.visit_i32(self.parse("a whole number from -2147483648 to 2147483647")?)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        visitor.visit_i64(self.parse("a whole number")?)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        visitor.visit_u8(self.parse("a whole number from 0 to 255")?)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        visitor.visit_u16(self.parse("a whole number from 0 to 65535")?)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        visitor.visit_u32(self.parse("a whole number from 0 to 4294967295")?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        visitor.visit_u64(self.parse("a whole number from 0")?)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        visitor.visit_f32(self.parse("a number")?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        visitor.visit_f64(self.parse("a number")?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Invalid> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Invalid> {
        let variant: StrDeserializer<'_, Invalid> = self.one()?.into_deserializer();
        visitor.visit_enum(variant)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        visitor.visit_unit()
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        visitor.visit_seq(InOrder(self.0.into_iter()))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Invalid> {
        if len != self.0.len() {
            return Err(Invalid::count(len, self.0.len()));
        }
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Invalid> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Invalid> {
        // Stable, so that the values of one name stay in their order.
        self.0.sort_by(|(one, _), (other, _)| one.cmp(other));
        visitor.visit_map(ByName {
            rest: self.0.into_iter().peekable(),
            value: None,
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Invalid> {
        self.deserialize_map(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Invalid> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit_struct identifier
    }
}

/// One value after the other.
struct InOrder<'a>(std::vec::IntoIter<(Cow<'a, str>, Cow<'a, str>)>);

impl<'de> SeqAccess<'de> for InOrder<'_> {
    type Error = Invalid;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Invalid> {
        let Some((name, value)) = self.0.next() else {
            return Ok(None);
        };
        let one = Values(vec![(name.clone(), value)]);
        seed.deserialize(one)
            .map(Some)
            .map_err(|error| error.of(&name))
    }
}

/// One name after the other, each with all its values.
struct ByName<'a> {
    rest: Peekable<std::vec::IntoIter<(Cow<'a, str>, Cow<'a, str>)>>,
    value: Option<(Cow<'a, str>, Values<'a>)>,
}

impl<'de> MapAccess<'de> for ByName<'_> {
    type Error = Invalid;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Invalid> {
        let Some(first) = self.rest.next() else {
            return Ok(None);
        };
        let name = first.0.clone();
        let mut values = vec![first];
        while let Some(pair) = self.rest.next_if(|(other, _)| *other == name) {
            values.push(pair);
        }
        let key: StrDeserializer<'_, Invalid> = (*name).into_deserializer();
        let key = seed.deserialize(key)?;
        self.value = Some((name, Values(values)));
        Ok(Some(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Invalid> {
        let (name, values) = self.value.take().unwrap_or_default();
        seed.deserialize(values).map_err(|error| error.of(&name))
    }
}
