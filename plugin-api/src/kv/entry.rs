//! One key with its value.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// A key with its value, as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Its value as it is kept; empty where only keys were asked for.
    pub value: Vec<u8>,
    /// The time that it has left, if it ends by itself.
    pub ttl: Option<Duration>,
}

impl Entry {
    pub(crate) fn new(key: String, value: Vec<u8>, ttl_ms: u64) -> Self {
        Entry {
            key,
            value,
            ttl: (ttl_ms > 0).then(|| Duration::from_millis(ttl_ms)),
        }
    }

    /// The value that was set as one that serialises.
    ///
    /// # Errors
    /// 500 when it is not JSON, or not of this type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.value).map_err(|error| {
            let key = &self.key;
            Error::internal(format!(
                "the value of {key:?} is not what was asked for: {error}"
            ))
        })
    }
}
