//! A plugin's keys and values in memory, which may be lost at any time.

mod all;
mod memory;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use exthost_abi::Status;

use crate::clock::Clock;
use crate::config::CacheLimits;
use crate::services::error::ServiceError;
use crate::services::kv::check::{
    CACHE, check_key, check_keys, check_prefix, check_together, check_writes, no_entry,
};
use crate::services::kv::{Change, Entry, KeyWrite};
use memory::Memory;

pub(crate) use all::{CacheStatus, Caches};

/// The cache of one plugin, which its generations share.
///
/// Each call does its work under one lock, without waiting for anything else. To make
/// room, what was used longest ago goes.
#[derive(Debug)]
pub(crate) struct Cache {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    memory: Memory,
    limits: CacheLimits,
}

impl Cache {
    /// An empty one.
    pub(crate) fn new(clock: Clock, limits: CacheLimits) -> Self {
        let memory = Memory::default();
        Cache {
            clock,
            state: Mutex::new(State { memory, limits }),
        }
    }

    /// Lets other limits hold; what is too much for them goes.
    pub(crate) fn set_limits(&self, limits: CacheLimits) {
        let mut state = self.state();
        state.limits = limits;
        state.memory.shrink_to(limits.bytes_max, self.clock.now());
    }

    /// The entries of `keys` that are there, in their order.
    pub(crate) fn get(&self, keys: &[String]) -> Result<Vec<Entry>, ServiceError> {
        check_keys(keys)?;
        let now = self.clock.now();
        let mut state = self.state();
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for key in keys {
            let Some(item) = state.memory.find(key, now) else {
                continue;
            };
            bytes += item.value.len();
            check_together(entries.len() + 1, bytes)?;
            entries.push(Entry {
                key: key.clone(),
                value: item.value.to_vec(),
                ttl_ms: item.ttl_ms(now),
            });
        }
        Ok(entries)
    }

    /// Sets and removes entries, all or none. Returns how many were set, or were
    /// there to be removed.
    ///
    /// # Errors
    /// `cache-condition`, and the key in the detail.
    pub(crate) fn write(&self, writes: Vec<KeyWrite>) -> Result<u64, ServiceError> {
        let mut state = self.state();
        let State { memory, limits } = &mut *state;
        check_writes(&writes, limits.value_bytes_max)?;
        let now = self.clock.now();
        // First what each would find, so that nothing is written if one may not be.
        let mut found = HashMap::new();
        for KeyWrite { key, when, change } in &writes {
            let current = match found.get(&**key) {
                Some(written) => *written,
                None => memory.peek(key, now).map(|item| &*item.value),
            };
            if !when.holds(current) {
                return Err(CACHE.condition(key));
            }
            let written = match change {
                Change::Delete => None,
                Change::Set { value, .. } => {
                    check_room(key, value, limits.bytes_max)?;
                    Some(&**value)
                }
            };
            found.insert(&**key, written);
        }
        let mut count = 0;
        for KeyWrite { key, change, .. } in writes {
            count += match change {
                Change::Delete => u64::from(memory.remove(&key, now)),
                Change::Set {
                    value,
                    ttl_ms,
                    keep_ttl,
                } => {
                    let kept = memory.peek(&key, now).filter(|_| keep_ttl);
                    let end = kept.map_or_else(|| memory::end(now, ttl_ms), |item| item.end);
                    memory.insert(key, value, end, now, limits.bytes_max);
                    1
                }
            };
        }
        Ok(count)
    }

    /// Adds to a number and returns the sum; one that is not there is 0, and ends in
    /// `ttl_ms` unless that is 0.
    ///
    /// # Errors
    /// `cache-not-a-number` and `cache-overflow`.
    pub(crate) fn add(&self, key: String, amount: i64, ttl_ms: u64) -> Result<i64, ServiceError> {
        check_key(&key)?;
        let now = self.clock.now();
        let mut state = self.state();
        let State { memory, limits } = &mut *state;
        let current = memory.peek(&key, now);
        let sum = CACHE.sum(&key, current.map(|item| &*item.value), amount)?;
        let end = current.map_or_else(|| memory::end(now, ttl_ms), |item| item.end);
        let value = sum.to_string().into_bytes();
        check_room(&key, &value, limits.bytes_max)?;
        memory.insert(key, value, end, now, limits.bytes_max);
        Ok(sum)
    }

    /// Lets an entry end in `ttl_ms` from now, or never for 0.
    ///
    /// # Errors
    /// `no-such-key`.
    pub(crate) fn expire(&self, key: &str, ttl_ms: u64) -> Result<(), ServiceError> {
        check_key(key)?;
        let now = self.clock.now();
        match self
            .state()
            .memory
            .end_at(key, memory::end(now, ttl_ms), now)
        {
            true => Ok(()),
            false => Err(no_entry(key)),
        }
    }

    /// Removes all entries whose keys begin with `prefix`, and returns how many there
    /// were.
    pub(crate) fn flush(&self, prefix: &str) -> Result<u64, ServiceError> {
        check_prefix(prefix)?;
        Ok(self.state().memory.flush(prefix, self.clock.now()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Refuses what would have no room if it were all there is.
fn check_room(key: &str, value: &[u8], bytes_max: usize) -> Result<(), ServiceError> {
    let bytes = memory::cost(key, value);
    match bytes > bytes_max {
        false => Ok(()),
        true => Err(ServiceError::new(
            Status::TOO_LARGE,
            "value-too-large",
            format!(
                "an entry of {bytes} bytes has no room in a cache of {bytes_max}; keep less in it"
            ),
        )),
    }
}
