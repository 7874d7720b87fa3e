//! Values from the query.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use crate::values::{Invalid, Values};
use crate::{Error, FromRequest, Parts, Result};

/// The query, `?name=World&tag=a&tag=b`, by field.
///
/// A field may be a number, a truth value (`true`, `false`, `1`, `0`), text, an
/// enum without data, an `Option` of those, or a `Vec` of them, which collects
/// every value of its name.
///
/// # Errors
/// 400 that names the field.
///
/// # Examples
/// ```
/// use exthost_plugin::prelude::*;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Filter {
///     limit: Option<u32>,
///     #[serde(default)]
///     tag: Vec<String>,
/// }
///
/// async fn list(Query(filter): Query<Filter>) -> String {
///     format!("{:?} {:?}", filter.limit, filter.tag)
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Query<T>(pub T);

/// The query as the client sent it, without `?`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawQuery(pub String);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    fn from_request(parts: &Parts<'_>) -> Result<Self> {
        from_query(parts.query())
            .map(Query)
            .map_err(|error| Error::bad_request(format!("query: {error}")).with_code("bad-query"))
    }
}

impl FromRequest for RawQuery {
    fn from_request(parts: &Parts<'_>) -> Result<Self> {
        Ok(RawQuery(parts.query().to_owned()))
    }
}

fn from_query<T: DeserializeOwned>(query: &str) -> Result<T, Invalid> {
    let pairs = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        });
    T::deserialize(pairs.collect::<Result<Values<'_>, Invalid>>()?)
}

/// Decodes `+` and `%XX`; borrows what has none.
fn decode(text: &str) -> Result<Cow<'_, str>, Invalid> {
    if !text.bytes().any(|byte| byte == b'+' || byte == b'%') {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit(), digit());
                match (high, low) {
                    (Some(high), Some(low)) => (high * 16 + low) as u8,
                    _ => return Err(Invalid::new(format!("`{text}` is not percent-encoded"))),
                }
            }
            byte => byte,
        });
    }
    let text = String::from_utf8(bytes);
    text.map(Cow::Owned)
        .map_err(|_| Invalid::new("a value is not UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Order {
        Newest,
        Oldest,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Filter {
        name: String,
        limit: Option<u32>,
        #[serde(default)]
        tag: Vec<u8>,
        order: Option<Order>,
        #[serde(default)]
        all: bool,
    }

    #[test]
    fn every_kind_of_field() {
        let filter: Filter =
            from_query("name=a+b%C3%A9&tag=1&limit=3&tag=2&order=oldest&all=1&other=x").unwrap();
        let expected = Filter {
            name: "a bé".into(),
            limit: Some(3),
            tag: vec![1, 2],
            order: Some(Order::Oldest),
            all: true,
        };
        assert_eq!(filter, expected);
    }

    #[test]
    fn what_is_missing_is_none_or_an_error() {
        assert_eq!(from_query::<Filter>("name=").unwrap().limit, None);
        let error = from_query::<Filter>("").unwrap_err();
        assert_eq!(error.to_string(), "missing field `name`");
    }

    #[test]
    fn errors_name_the_field() {
        for (query, expected) in [
            (
                "name=a&limit=x",
                "limit: expected a whole number from 0 to 4294967295, got `x`",
            ),
            ("name=a&name=b", "name: given 2 times, expected once"),
            (
                "name=a&tag=1&tag=300",
                "tag: expected a whole number from 0 to 255, got `300`",
            ),
            ("name=%zz", "`%zz` is not percent-encoded"),
        ] {
            assert_eq!(
                from_query::<Filter>(query).unwrap_err().to_string(),
                expected
            );
        }
        let error = from_query::<Filter>("name=a&order=random").unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("order: unknown variant `random`"),
            "{error}"
        );
    }

    #[test]
    fn an_ordinary_map_works_too() {
        let map: std::collections::HashMap<String, String> = from_query("a=1&b=2").unwrap();
        assert_eq!(map["b"], "2");
    }
}
