//! Keys and values in memory, which may be lost at any time.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Result;
use crate::export::host::Host;
use crate::kv::{Entry, Write, delete, encoded, milliseconds, set};

/// Keys and values in memory: what can be had again, only slower.
///
/// All that a plugin keeps here is bounded, 16 MiB unless the operator says otherwise;
/// to make room, what was used longest ago goes. A reload of the plugin keeps it, a
/// restart of the host does not. Keys and values are those of [`Kv`](crate::Kv). No call
/// waits, so each works in any handler.
///
/// It is a reference in disguise, as [`Services`](crate::Services) is.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use exthost_plugin::prelude::*;
///
/// async fn rate(cache: Cache, db: Db, currency: String) -> Result<f64> {
///     if let Some(rate) = cache.get(&currency)? {
///         return Ok(rate);
///     }
///     let sql = "SELECT rate FROM ext_shop_rates WHERE currency = ?";
///     let rate: Option<f64> = db.get(sql, &currency).await?;
///     let rate = rate.ok_or_else(|| Error::not_found("no such currency"))?;
///     cache.set_for(&currency, &rate, Duration::from_secs(60))?;
///     Ok(rate)
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Cache {
    host: &'static Host,
}

impl Cache {
    pub(crate) fn new(host: &'static Host) -> Self {
        Cache { host }
    }

    /// The value of a key, if it is still there.
    ///
    /// # Errors
    /// 500 when it does not deserialise.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        self.entry(key)?.map(|entry| entry.json()).transpose()
    }

    /// The value of a key as it is kept.
    ///
    /// # Errors
    /// 413 when the key is too large, 500 when it is empty; so with all that follow.
    pub fn get_bytes(&self, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.entry(key)?.map(|entry| entry.value))
    }

    /// A key with its value, and the time that it has left.
    ///
    /// # Errors
    /// As [`get_bytes`](Cache::get_bytes).
    pub fn entry(&self, key: &str) -> Result<Option<Entry>> {
        Ok(self.host.cached(&[key])?.into_iter().next())
    }

    /// Sets a key, whatever its value was; it does not end by itself.
    ///
    /// # Errors
    /// 413 when the key or value is too large; 500 when the value does not serialise.
    pub fn set(&self, key: &str, value: &(impl Serialize + ?Sized)) -> Result<()> {
        self.write([set(key, value)]).map(drop)
    }

    /// Sets a key that ends after `ttl`.
    ///
    /// # Errors
    /// As [`set`](Cache::set).
    pub fn set_for(
        &self,
        key: &str,
        value: &(impl Serialize + ?Sized),
        ttl: Duration,
    ) -> Result<()> {
        self.write([set(key, value).ttl(ttl)]).map(drop)
    }

    /// Removes a key; answers whether it was there.
    ///
    /// # Errors
    /// As [`get_bytes`](Cache::get_bytes).
    pub fn delete(&self, key: &str) -> Result<bool> {
        Ok(self.write([delete(key)])? > 0)
    }

    /// Adds to a number, and answers the sum. A key that is not there counts as 0.
    ///
    /// # Errors
    /// 409 when the value is no whole number, or the sum has no room in 64 bits.
    pub fn add(&self, key: &str, amount: i64) -> Result<i64> {
        self.host.add_cached(key, amount, 0)
    }

    /// [`add`](Cache::add), of a number that ends `ttl` after it was first added to.
    ///
    /// # Errors
    /// As [`add`](Cache::add).
    pub fn add_for(&self, key: &str, amount: i64, ttl: Duration) -> Result<i64> {
        self.host.add_cached(key, amount, milliseconds(ttl))
    }

    /// Lets a key end after `ttl`, or only to make room.
    ///
    /// # Errors
    /// 404 when it is not there.
    pub fn expire(&self, key: &str, ttl: Option<Duration>) -> Result<()> {
        self.host.expire_cached(key, ttl.map_or(0, milliseconds))
    }

    /// Sets and removes several keys, 1,000 at most, all or none; answers how many were
    /// set, or were there to be removed.
    ///
    /// # Errors
    /// 409 with the code `cache-condition`, and the `key` in its detail, when a condition
    /// does not hold.
    pub fn write<'a>(&self, writes: impl IntoIterator<Item = Write<'a>>) -> Result<u64> {
        self.host.write_cached(&encoded(writes)?)
    }

    /// Removes all keys that begin with `prefix`, all there are when it is empty; answers
    /// how many.
    ///
    /// # Errors
    /// 413 when the prefix is longer than a key.
    pub fn flush(&self, prefix: &str) -> Result<u64> {
        self.host.flush_cached(prefix)
    }
}
