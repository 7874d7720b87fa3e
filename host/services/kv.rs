//! A plugin's durable keys and values, in the file of its database.
//!
//! They are one table there, which the plugin's own statements cannot name. A write
//! inside a transaction of the plugin is part of it; one outside shares its commit
//! with other single statements.

pub(crate) mod check;
mod entry;
mod sweep;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::services::context::PluginContext;
use crate::services::db::{By, Db};
use crate::services::error::ServiceError;
use check::{check_key, check_keys, check_list, check_prefix, check_writes};
use table::Table;

pub(crate) use entry::{Change, Entry, KeyWrite, ListQuery, Page, When};
pub(crate) use sweep::sweep;

/// The keys and values as one generation of a plugin sees them.
///
/// Each call is a future that does its work as one of [`Db`] does. What fails has
/// changed nothing.
#[derive(Debug)]
pub(crate) struct Kv {
    context: Arc<PluginContext>,
    db: Arc<Db>,
}

impl Kv {
    /// The keys and values in the file of `db`.
    pub(crate) fn new(context: Arc<PluginContext>, db: Arc<Db>) -> Self {
        Kv { context, db }
    }

    /// The entries of `keys` that are there, in their order.
    pub(crate) async fn get(
        &self,
        tx: u64,
        keys: Vec<String>,
        by: By,
    ) -> Result<Vec<Entry>, ServiceError> {
        check_keys(&keys)?;
        let now_ms = self.now_ms();
        let get = move |raw: &_| Table { raw, now_ms }.get(keys);
        self.db.own_read(tx, get, by).await
    }

    /// Sets and removes entries, all or none. Returns how many were set, or were
    /// there to be removed.
    ///
    /// # Errors
    /// `kv-condition`, and the key in the detail.
    pub(crate) async fn write(
        &self,
        cause: u64,
        tx: u64,
        writes: Vec<KeyWrite>,
        by: By,
    ) -> Result<u64, ServiceError> {
        check_writes(&writes, self.context.limits.kv.value_bytes_max)?;
        let now_ms = self.now_ms();
        let write = move |raw: &_| Table { raw, now_ms }.write(&writes);
        self.db.own_write(cause, tx, write, by).await
    }

    /// Adds to a number and returns the sum; one that is not there is 0, and ends in
    /// `ttl_ms` unless that is 0.
    ///
    /// # Errors
    /// `kv-not-a-number` and `kv-overflow`.
    pub(crate) async fn add(
        &self,
        cause: u64,
        tx: u64,
        key: String,
        amount: i64,
        ttl_ms: u64,
        by: By,
    ) -> Result<i64, ServiceError> {
        check_key(&key)?;
        let now_ms = self.now_ms();
        let add = move |raw: &_| Table { raw, now_ms }.add(&key, amount, ttl_ms);
        self.db.own_write(cause, tx, add, by).await
    }

    /// Lets an entry end in `ttl_ms` from now, or never for 0.
    ///
    /// # Errors
    /// `no-such-key`.
    pub(crate) async fn expire(
        &self,
        cause: u64,
        tx: u64,
        key: String,
        ttl_ms: u64,
        by: By,
    ) -> Result<(), ServiceError> {
        check_key(&key)?;
        let now_ms = self.now_ms();
        let expire = move |raw: &_| Table { raw, now_ms }.expire(&key, ttl_ms);
        self.db.own_write(cause, tx, expire, by).await
    }

    /// Entries in the order of their keys' bytes.
    pub(crate) async fn list(
        &self,
        tx: u64,
        query: ListQuery,
        by: By,
    ) -> Result<Page, ServiceError> {
        check_list(&query)?;
        let (now_ms, time) = (self.now_ms(), self.db.deadline(None));
        let list = move |raw: &_| Table { raw, now_ms }.list(&query, time);
        self.db.own_read(tx, list, by).await
    }

    /// Removes all entries whose keys begin with `prefix`, and returns how many there
    /// were.
    pub(crate) async fn flush(
        &self,
        cause: u64,
        tx: u64,
        prefix: String,
        by: By,
    ) -> Result<u64, ServiceError> {
        check_prefix(&prefix)?;
        let (now_ms, time) = (self.now_ms(), self.db.deadline(None));
        let flush = move |raw: &_| Table { raw, now_ms }.flush(&prefix, time);
        self.db.own_write(cause, tx, flush, by).await
    }

    fn now_ms(&self) -> i64 {
        self.context.clock.now_ms()
    }
}
