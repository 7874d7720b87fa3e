//! The plugin's own durable keys and values.
//!
//! | for | use |
//! |---|---|
//! | one value, or several | [`Kv::get`], [`Kv::get_many`] |
//! | a value that stays, or ends by itself | [`Kv::set`], [`Kv::set_for`] |
//! | a value that nobody else may have changed | [`Kv::set_if`] |
//! | a number that many count | [`Kv::add`] |
//! | keys in order, page by page | [`Kv::list`] |
//! | several changes, all or none | [`Kv::write`] |
//! | a change with those of a transaction | [`Tx::kv`](crate::db::Tx::kv) |
//!
//! A key is text of 1 to 1,024 bytes, and keys are in the order of their bytes. A value
//! is anything that serialises, kept as JSON, or bytes; 1 MiB unless the operator says
//! otherwise. [`Cache`](crate::Cache) has the same in memory.
//!
//! # Errors
//! | what went wrong | answered with |
//! |---|---|
//! | a condition that does not hold ([`Error::is_conflict`](crate::Error::is_conflict)) | 409, `kv-condition` |
//! | a key or value is too large | 413 |
//! | an empty key, a value that does not deserialise as what was asked for | 500 |
//! | a write beside the open transaction of the same request | 500, `own-transaction-open` |
//! | too much at once | 503 |
//! | the quota, or the disk, is full | 507 |

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Result;
use crate::db::Call;
use crate::export::host::Host;
use crate::export::kv::{Change, Expire, Read, Wanted};

mod entry;
mod list;
mod write;

pub use entry::Entry;
pub use list::{List, Page};
pub(crate) use write::{Encoded, encoded, milliseconds};
pub use write::{Write, delete, set, set_bytes};

/// Durable keys and values.
///
/// It is a reference in disguise, as [`Services`](crate::Services) is. Each call is
/// lazy and has two forms, `.await` and [`.wait()`](Call::wait).
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use exthost_plugin::prelude::*;
///
/// async fn visit(kv: Kv, visitor: String) -> Result<String> {
///     let visits = kv.add("visits", 1).await?;
///     let last: Option<String> = kv.get("last").await?;
///     kv.set("last", &visitor).await?;
///     kv.set_for(&format!("online:{visitor}"), &true, Duration::from_secs(60)).await?;
///     Ok(format!("visit {visits}, the last by {last:?}"))
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Kv {
    host: &'static Host,
    /// The transaction that it is part of, or 0.
    tx: u64,
}

impl Kv {
    pub(crate) fn new(host: &'static Host) -> Self {
        Kv { host, tx: 0 }
    }

    pub(crate) fn within(host: &'static Host, tx: u64) -> Self {
        Kv { host, tx }
    }

    /// The value of a key, if it is there.
    pub fn get<'a, T>(&self, key: &'a str) -> Call<'a, Option<T>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        self.one(key, |entry| entry.json())
    }

    /// The value of a key as it is kept.
    pub fn get_bytes<'a>(&self, key: &'a str) -> Call<'a, Option<Vec<u8>>> {
        self.one(key, |entry| Ok(entry.value))
    }

    /// A key with its value, and the time that it has left.
    pub fn entry<'a>(&self, key: &'a str) -> Call<'a, Option<Entry>> {
        self.one(key, Ok)
    }

    /// The values of several keys, 1,000 at most, all as of one moment: as many as
    /// there are keys, in their order.
    pub fn get_many<'a, T>(
        &self,
        keys: impl IntoIterator<Item = &'a str>,
    ) -> Call<'a, Vec<Option<T>>>
    where
        T: DeserializeOwned + Send + 'static,
    {
        let keys: Vec<&str> = keys.into_iter().collect();
        let asked: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
        self.read(Wanted::Keys(keys), move |entries, _| {
            let found: HashMap<&str, &Entry> = entries
                .iter()
                .map(|entry| (entry.key.as_str(), entry))
                .collect();
            let value = |key: &String| found.get(key.as_str()).map(|entry| entry.json());
            asked.iter().map(|key| value(key).transpose()).collect()
        })
    }

    /// Sets a key, whatever its value was; it does not end by itself.
    pub fn set<'a>(&self, key: &'a str, value: &(impl Serialize + ?Sized)) -> Call<'a, ()> {
        self.change([set(key, value)], |number| number.map(|_| ()))
    }

    /// Sets a key that ends after `ttl`.
    pub fn set_for<'a>(
        &self,
        key: &'a str,
        value: &(impl Serialize + ?Sized),
        ttl: Duration,
    ) -> Call<'a, ()> {
        self.change([set(key, value).ttl(ttl)], |number| number.map(|_| ()))
    }

    /// Sets a key to bytes as they are.
    pub fn set_bytes<'a>(&self, key: &'a str, value: impl Into<Cow<'a, [u8]>>) -> Call<'a, ()> {
        self.change([set_bytes(key, value)], |number| number.map(|_| ()))
    }

    /// Sets a key if its value is still `expected`, `None` for a key that is not there;
    /// answers whether it was. Values are compared as they are kept, so one that is a map
    /// in no particular order may differ from itself.
    ///
    /// # Examples
    /// ```
    /// use exthost_plugin::prelude::*;
    ///
    /// async fn take_turn(kv: Kv, me: String) -> Result<bool> {
    ///     kv.set_if("turn", &me, None).await
    /// }
    /// ```
    pub fn set_if<'a, V>(&self, key: &'a str, value: &V, expected: Option<&V>) -> Call<'a, bool>
    where
        V: Serialize + ?Sized,
    {
        let write = match expected {
            None => set(key, value).if_absent(),
            Some(expected) => set(key, value).if_equal(expected),
        };
        self.change([write], |number| match number {
            Ok(_) => Ok(true),
            Err(error) if error.code() == CONDITION => Ok(false),
            Err(error) => Err(error),
        })
    }

    /// Removes a key; answers whether it was there.
    pub fn delete<'a>(&self, key: &'a str) -> Call<'a, bool> {
        self.change([delete(key)], |number| number.map(|number| number > 0))
    }

    /// Adds to a number, and answers the sum. A key that is not there counts as 0.
    ///
    /// # Errors
    /// 409 when the value is no whole number, or the sum has no room in 64 bits.
    pub fn add<'a>(&self, key: &'a str, amount: i64) -> Call<'a, i64> {
        self.sum(key, amount, 0)
    }

    /// [`add`](Kv::add), of a number that ends `ttl` after it was first added to:
    /// requests in a minute, say.
    pub fn add_for<'a>(&self, key: &'a str, amount: i64, ttl: Duration) -> Call<'a, i64> {
        self.sum(key, amount, milliseconds(ttl))
    }

    /// Lets a key end after `ttl`, or never.
    ///
    /// # Errors
    /// 404 when it is not there.
    pub fn expire<'a>(&self, key: &'a str, ttl: Option<Duration>) -> Call<'a, ()> {
        let slot = Expire {
            tx: self.tx,
            key,
            ttl_ms: ttl.map_or(0, milliseconds),
        };
        Call::new(self.host, Ok(slot))
    }

    /// What begins with `prefix`, everything when it is empty, in the order of keys.
    ///
    /// # Examples
    /// ```
    /// use exthost_plugin::prelude::*;
    ///
    /// async fn online(kv: Kv) -> Result<Vec<String>> {
    ///     let (mut names, mut after) = (Vec::new(), String::new());
    ///     loop {
    ///         let page = kv.list("online:").after(&after).limit(100).keys().await?;
    ///         names.extend(page.items);
    ///         match page.next {
    ///             Some(next) => after = next,
    ///             None => return Ok(names),
    ///         }
    ///     }
    /// }
    /// ```
    pub fn list<'a>(&self, prefix: &'a str) -> List<'a> {
        List::new(*self, prefix)
    }

    /// Removes all keys that begin with `prefix`, all there are when it is empty; answers
    /// how many.
    pub fn flush<'a>(&self, prefix: &'a str) -> Call<'a, u64> {
        self.number(Ok(Change::Flush { prefix }), |number| {
            number.map(i64::unsigned_abs)
        })
    }

    /// Sets and removes several keys, 1,000 at most, all or none; answers how many were
    /// set, or were there to be removed.
    ///
    /// # Errors
    /// 409 with the code `kv-condition`, and the `key` in its detail, when a condition
    /// does not hold.
    ///
    /// # Examples
    /// ```
    /// use exthost_plugin::kv;
    /// use exthost_plugin::prelude::*;
    ///
    /// async fn rename(store: Kv, from: &str, to: &str, name: &str) -> Result<()> {
    ///     store
    ///         .write([kv::delete(from).if_present(), kv::set(to, name).if_absent()])
    ///         .await?;
    ///     Ok(())
    /// }
    /// ```
    pub fn write<'a>(&self, writes: impl IntoIterator<Item = Write<'a>>) -> Call<'a, u64> {
        self.change(writes, |number| number.map(i64::unsigned_abs))
    }

    fn one<'a, T: Send + 'static>(
        &self,
        key: &'a str,
        make: impl FnOnce(Entry) -> Result<T> + Send + 'static,
    ) -> Call<'a, Option<T>> {
        self.read(Wanted::Keys(vec![key]), |entries, _| {
            entries.into_iter().next().map(make).transpose()
        })
    }

    fn read<'a, T: Send + 'static>(
        &self,
        wanted: Wanted<'a>,
        finish: impl FnOnce(Vec<Entry>, bool) -> Result<T> + Send + 'static,
    ) -> Call<'a, T> {
        let slot = Read {
            tx: self.tx,
            wanted,
            finish,
        };
        Call::new(self.host, Ok(slot))
    }

    fn sum<'a>(&self, key: &'a str, amount: i64, ttl_ms: u64) -> Call<'a, i64> {
        let add = Change::Add {
            key,
            amount,
            ttl_ms,
        };
        self.number(Ok(add), |number| number)
    }

    fn change<'a, T: Send + 'static>(
        &self,
        writes: impl IntoIterator<Item = Write<'a>>,
        finish: impl FnOnce(Result<i64>) -> Result<T> + Send + 'static,
    ) -> Call<'a, T> {
        self.number(encoded(writes).map(Change::Write), finish)
    }

    fn number<'a, T: Send + 'static>(
        &self,
        change: Result<Change<'a>>,
        finish: impl FnOnce(Result<i64>) -> Result<T> + Send + 'static,
    ) -> Call<'a, T> {
        let tx = self.tx;
        let slot = change.map(|change| change.finished(tx, finish));
        Call::new(self.host, slot)
    }
}

/// What the host answers when a condition does not hold.
const CONDITION: &str = "kv-condition";
