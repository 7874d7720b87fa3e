//! Headers of requests and responses.

use std::borrow::Cow;

use crate::{FromRequest, Parts, Result};

/// Headers, in order; names compare without regard to case.
///
/// As an extractor it copies the request's headers; [`Parts::header`] reads one
/// without copying.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(Cow<'static, str>, Cow<'static, [u8]>)>);

impl Headers {
    /// No headers.
    pub const fn new() -> Self {
        Headers(Vec::new())
    }

    /// The first value of `name` that is UTF-8.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name)
            .find_map(|value| std::str::from_utf8(value).ok())
    }

    /// Every value of `name`, as sent.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Every header in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Number of headers.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets `name` to `value`, in place of every earlier value.
    pub fn insert(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) {
        let name = name.into();
        self.0
            .retain(|(other, _)| !other.eq_ignore_ascii_case(&name));
        self.append(name, value);
    }

    /// Adds a value of `name` to those that are there.
    pub fn append(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) {
        let value = match value.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        self.0.push((name.into(), value));
    }

    /// Sets every header of `others`, in place of earlier values; one that they
    /// have several times stays so.
    pub fn extend(&mut self, others: Headers) {
        self.0.retain(|(name, _)| others.all(name).next().is_none());
        self.0.extend(others.0);
    }
}

impl<K, V, const N: usize> From<[(K, V); N]> for Headers
where
    K: Into<Cow<'static, str>>,
    V: Into<Cow<'static, str>>,
{
    fn from(pairs: [(K, V); N]) -> Self {
        let mut headers = Headers::new();
        for (name, value) in pairs {
            headers.append(name, value);
        }
        headers
    }
}

impl FromRequest for Headers {
    fn from_request(parts: &Parts<'_>) -> Result<Self> {
        let owned = |(name, value): (&str, &[u8])| {
            (Cow::Owned(name.to_owned()), Cow::Owned(value.to_owned()))
        };
        Ok(Headers(parts.headers().map(owned).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insert_replaces_and_append_adds() {
        let mut headers = Headers::from([("X-A", "1"), ("x-a", "2")]);
        assert_eq!(headers.all("x-A").count(), 2);
        headers.insert("x-a", "3");
        headers.append("x-b", String::from("4"));
        assert_eq!(headers.get("X-A"), Some("3"));
        assert_eq!(headers.len(), 2);
    }
}
