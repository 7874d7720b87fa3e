//! A change of one key, with its condition.

use std::borrow::Cow;
use std::time::Duration;

use exthost_abi::kv::{
    KV_ALWAYS, KV_DELETE, KV_IF_ABSENT, KV_IF_EQUAL, KV_IF_PRESENT, KV_KEEP_TTL,
};
use serde::Serialize;

use crate::Result;

/// A change of one key, for [`Kv::write`](super::Kv::write) and
/// [`Cache::write`](crate::Cache::write): [`set`], [`set_bytes`] or [`delete`], with
/// what must hold.
#[must_use = "nothing is changed until it is written"]
#[derive(Debug)]
pub struct Write<'a>(Result<Encoded<'a>>);

/// A change as it crosses.
#[derive(Debug)]
pub(crate) struct Encoded<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: Cow<'a, [u8]>,
    pub(crate) expected: Cow<'a, [u8]>,
    pub(crate) ttl_ms: u64,
    pub(crate) when: u32,
    pub(crate) flags: u32,
}

/// Sets a key to a value that serialises.
pub fn set<'a>(key: &'a str, value: &(impl Serialize + ?Sized)) -> Write<'a> {
    let value = serde_json::to_vec(value).map_err(Into::into);
    Write(value.map(|value| Encoded::new(key, Cow::Owned(value), 0)))
}

/// Sets a key to bytes as they are.
pub fn set_bytes<'a>(key: &'a str, value: impl Into<Cow<'a, [u8]>>) -> Write<'a> {
    Write(Ok(Encoded::new(key, value.into(), 0)))
}

/// Removes a key.
pub fn delete(key: &str) -> Write<'_> {
    Write(Ok(Encoded::new(key, Cow::Borrowed(&[]), KV_DELETE)))
}

impl<'a> Write<'a> {
    /// Lets the key end after `ttl`.
    pub fn ttl(self, ttl: Duration) -> Self {
        self.with(|encoded| encoded.ttl_ms = milliseconds(ttl))
    }

    /// Leaves a key that is there the time that it has.
    pub fn keep_ttl(self) -> Self {
        self.with(|encoded| encoded.flags |= KV_KEEP_TTL)
    }

    /// Only if the key is not there.
    pub fn if_absent(self) -> Self {
        self.with(|encoded| encoded.when = KV_IF_ABSENT)
    }

    /// Only if the key is there.
    pub fn if_present(self) -> Self {
        self.with(|encoded| encoded.when = KV_IF_PRESENT)
    }

    /// Only if the key has this value.
    pub fn if_equal(self, expected: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(expected) {
            Ok(expected) => self.if_equal_bytes(expected),
            Err(error) => Write(self.0.and(Err(error.into()))),
        }
    }

    /// Only if these are the bytes of the key's value.
    pub fn if_equal_bytes(self, expected: impl Into<Cow<'a, [u8]>>) -> Self {
        self.with(|encoded| {
            encoded.when = KV_IF_EQUAL;
            encoded.expected = expected.into();
        })
    }

    fn with(self, change: impl FnOnce(&mut Encoded<'a>)) -> Self {
        Write(self.0.map(|mut encoded| {
            change(&mut encoded);
            encoded
        }))
    }
}

impl<'a> Encoded<'a> {
    fn new(key: &'a str, value: Cow<'a, [u8]>, flags: u32) -> Self {
        Encoded {
            key,
            value,
            expected: Cow::Borrowed(&[]),
            ttl_ms: 0,
            when: KV_ALWAYS,
            flags,
        }
    }
}

/// All of them, unless one failed to serialise.
pub(crate) fn encoded<'a>(writes: impl IntoIterator<Item = Write<'a>>) -> Result<Vec<Encoded<'a>>> {
    writes.into_iter().map(|write| write.0).collect()
}

/// Time for the host, which takes 0 for no end.
pub(crate) fn milliseconds(ttl: Duration) -> u64 {
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1)
}
