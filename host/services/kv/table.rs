//! The table of keys and values, as of one moment.

use std::time::{Duration, Instant};

use exthost_abi::Status;
use rusqlite::{Connection as Raw, OptionalExtension, params};

use crate::services::db::OwnError;
use crate::services::error::ServiceError;
use crate::services::kv::check::{CALL_BYTES_MAX, ENTRIES_MAX, KV, check_together, no_entry};
use crate::services::kv::{Change, Entry, KeyWrite, ListQuery, Page, When};

/// The table behind a connection. What has ended by `now_ms` is not there.
pub(super) struct Table<'a> {
    pub(super) raw: &'a Raw,
    pub(super) now_ms: i64,
}

/// An entry as it lies in the table.
struct Found {
    value: Vec<u8>,
    ends_ms: Option<i64>,
}

impl Table<'_> {
    /// The entries of `keys` that are there.
    pub(super) fn get(&self, keys: Vec<String>) -> Result<Vec<Entry>, OwnError> {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for key in keys {
            let Some(found) = self.find(&key)? else {
                continue;
            };
            bytes += found.value.len();
            entries.push(Entry {
                key,
                value: found.value,
                ttl_ms: self.ttl_ms(found.ends_ms),
            });
            check_together(entries.len(), bytes)?;
        }
        Ok(entries)
    }

    /// Makes all writes; one after the other, so that a later one sees those before.
    pub(super) fn write(&self, writes: &[KeyWrite]) -> Result<u64, OwnError> {
        let mut count = 0;
        for KeyWrite { key, when, change } in writes {
            // What is there is looked at only where it matters.
            let current = match (when, change) {
                (When::Always, Change::Set { keep_ttl, .. }) if !keep_ttl => None,
                _ => self.find(key)?,
            };
            if !when.holds(current.as_ref().map(|found| &*found.value)) {
                return Err(KV.condition(key).into());
            }
            count += match change {
                Change::Delete => self.delete(key, current.is_some())?,
                Change::Set {
                    value,
                    ttl_ms,
                    keep_ttl,
                } => {
                    let ends_ms = match current.filter(|_| *keep_ttl) {
                        Some(found) => found.ends_ms,
                        None => self.end_ms(*ttl_ms),
                    };
                    self.set(key, value, ends_ms)?;
                    1
                }
            };
        }
        Ok(count)
    }

    /// Adds to a number, which keeps its time if it is there.
    pub(super) fn add(&self, key: &str, amount: i64, ttl_ms: u64) -> Result<i64, OwnError> {
        let current = self.find(key)?;
        let value = current.as_ref().map(|found| &*found.value);
        let sum = KV.sum(key, value, amount)?;
        let ends_ms = match &current {
            Some(found) => found.ends_ms,
            None => self.end_ms(ttl_ms),
        };
        self.set(key, sum.to_string().as_bytes(), ends_ms)?;
        Ok(sum)
    }

    /// Lets an entry end at another time.
    pub(super) fn expire(&self, key: &str, ttl_ms: u64) -> Result<(), OwnError> {
        let mut update = self.raw.prepare_cached(
            "UPDATE _exthost_kv SET expires_ms = ?3 \
             WHERE key = ?1 AND (expires_ms IS NULL OR expires_ms > ?2)",
        )?;
        match update.execute(params![key.as_bytes(), self.now_ms, self.end_ms(ttl_ms)])? {
            0 => Err(no_entry(key).into()),
            _ => Ok(()),
        }
    }

    /// Entries in the order of their keys, within `time`.
    pub(super) fn list(&self, query: &ListQuery, time: Duration) -> Result<Page, OwnError> {
        let until = Instant::now() + time;
        let most = match query.limit as usize {
            0 => ENTRIES_MAX,
            limit => limit.min(ENTRIES_MAX),
        };
        let value = if query.keys_only { "x''" } else { "value" };
        let mut select = self.raw.prepare_cached(&format!(
            "SELECT key, {value}, expires_ms FROM _exthost_kv \
             WHERE key > ?1 AND key >= ?2 AND key < ?3 ORDER BY key"
        ))?;
        let (begin, end) = (query.prefix.as_bytes(), end_of(&query.prefix));
        let mut rows = select.query(params![query.after.as_bytes(), begin, end])?;
        let mut page = Page {
            entries: Vec::new(),
            more: false,
        };
        let mut bytes = 0;
        while let Some(row) = rows.next()? {
            check_time(until)?;
            let ends_ms: Option<i64> = row.get(2)?;
            if ends_ms.is_some_and(|ends_ms| ends_ms <= self.now_ms) {
                continue;
            }
            if page.entries.len() == most || bytes >= CALL_BYTES_MAX {
                page.more = true;
                break;
            }
            let key = String::from_utf8(row.get(0)?).map_err(|_| damaged())?;
            let value: Vec<u8> = row.get(1)?;
            bytes += key.len() + value.len();
            page.entries.push(Entry {
                key,
                value,
                ttl_ms: self.ttl_ms(ends_ms),
            });
        }
        Ok(page)
    }

    /// Removes a range of keys, within `time`.
    pub(super) fn flush(&self, prefix: &str, time: Duration) -> Result<u64, OwnError> {
        let until = Instant::now() + time;
        let mut count = 0;
        let mut delete = self.raw.prepare_cached(
            "DELETE FROM _exthost_kv WHERE key IN \
             (SELECT key FROM _exthost_kv WHERE key >= ?1 AND key < ?2 LIMIT 1000) \
             RETURNING expires_ms",
        )?;
        let (begin, end) = (prefix.as_bytes(), end_of(prefix));
        loop {
            check_time(until)?;
            let mut rows = delete.query(params![begin, end])?;
            let mut removed = 0;
            while let Some(row) = rows.next()? {
                removed += 1;
                let ends_ms: Option<i64> = row.get(0)?;
                count += u64::from(ends_ms.is_none_or(|ends_ms| ends_ms > self.now_ms));
            }
            if removed == 0 {
                return Ok(count);
            }
        }
    }

    fn find(&self, key: &str) -> rusqlite::Result<Option<Found>> {
        let mut select = self.raw.prepare_cached(
            "SELECT value, expires_ms FROM _exthost_kv \
             WHERE key = ?1 AND (expires_ms IS NULL OR expires_ms > ?2)",
        )?;
        let found = select.query_row(params![key.as_bytes(), self.now_ms], |row| {
            Ok(Found {
                value: row.get(0)?,
                ends_ms: row.get(1)?,
            })
        });
        found.optional()
    }

    fn set(&self, key: &str, value: &[u8], ends_ms: Option<i64>) -> rusqlite::Result<()> {
        let mut upsert = self.raw.prepare_cached(
            "INSERT INTO _exthost_kv (key, value, expires_ms) VALUES (?1, ?2, ?3) \
             ON CONFLICT (key) DO UPDATE SET value = excluded.value, \
             expires_ms = excluded.expires_ms",
        )?;
        upsert.execute(params![key.as_bytes(), value, ends_ms])?;
        Ok(())
    }

    /// Removes an entry, of which is known whether it is there.
    fn delete(&self, key: &str, is_there: bool) -> rusqlite::Result<u64> {
        if is_there {
            let mut delete = self
                .raw
                .prepare_cached("DELETE FROM _exthost_kv WHERE key = ?1")?;
            delete.execute([key.as_bytes()])?;
        }
        Ok(u64::from(is_there))
    }

    /// When an entry ends that has `ttl_ms` from now on.
    fn end_ms(&self, ttl_ms: u64) -> Option<i64> {
        let ttl_ms = i64::try_from(ttl_ms).unwrap_or(i64::MAX);
        (ttl_ms > 0).then(|| self.now_ms.saturating_add(ttl_ms))
    }

    /// What is left of it, which is never none for one that is there.
    fn ttl_ms(&self, ends_ms: Option<i64>) -> u64 {
        ends_ms.map_or(0, |ends_ms| ends_ms.abs_diff(self.now_ms))
    }
}

/// Above all keys that begin with `prefix`: no byte of UTF-8 is 0xff.
fn end_of(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    match end.last_mut() {
        Some(last) => *last += 1,
        None => end.push(0xff),
    }
    end
}

fn check_time(until: Instant) -> Result<(), ServiceError> {
    match Instant::now() > until {
        false => Ok(()),
        true => Err(ServiceError::new(
            Status::TIMEOUT,
            "statement-deadline",
            "the call ran into the deadline of statements and was undone; take a longer prefix",
        )),
    }
}

fn damaged() -> ServiceError {
    ServiceError::new(
        Status::CORRUPT,
        "corrupt",
        "the database file is damaged: a key is not UTF-8; restore a backup",
    )
}
