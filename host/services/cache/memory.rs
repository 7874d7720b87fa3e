//! Entries within a bound, in the order in which they were used.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashlink::LinkedHashMap;

/// The entries, and what they cost. Every call sees only those that have not ended.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// What was used longest ago is first.
    items: LinkedHashMap<Arc<str>, Item>,
    /// Those that end, so that they can go before others do.
    ends: BTreeSet<(Instant, Arc<str>)>,
    bytes: usize,
    evicted: u64,
}

/// A value, and when it ends, if it does.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) value: Box<[u8]>,
    pub(super) end: Option<Instant>,
}

/// What it takes to keep an entry, beside its key and value, in bytes: the links, the
/// lengths, the slot of the table, the place among those that end.
const OVERHEAD: usize = 128;

/// What an entry costs.
pub(super) fn cost(key: &str, value: &[u8]) -> usize {
    key.len() + value.len() + OVERHEAD
}

/// When what is set now ends; never for 0, and for more than a clock can tell.
pub(super) fn end(now: Instant, ttl_ms: u64) -> Option<Instant> {
    match ttl_ms {
        0 => None,
        ttl_ms => now.checked_add(Duration::from_millis(ttl_ms)),
    }
}

impl Item {
    /// Milliseconds until it ends, at least one, or 0 if it does not.
    pub(super) fn ttl_ms(&self, now: Instant) -> u64 {
        self.end.map_or(0, |end| {
            let left = end.saturating_duration_since(now).as_millis();
            u64::try_from(left).unwrap_or(u64::MAX).max(1)
        })
    }

    fn is_over(&self, now: Instant) -> bool {
        self.end.is_some_and(|end| end <= now)
    }
}

impl Memory {
    /// The entry, which counts as used.
    pub(super) fn find(&mut self, key: &str, now: Instant) -> Option<&Item> {
        self.forget_over(key, now);
        self.items.to_back(key).map(|item| &*item)
    }

    /// The entry, unused.
    pub(super) fn peek(&self, key: &str, now: Instant) -> Option<&Item> {
        self.items.get(key).filter(|item| !item.is_over(now))
    }

    /// Keeps an entry that has room within `bytes_max`, in place of the one before.
    pub(super) fn insert(
        &mut self,
        key: String,
        value: Vec<u8>,
        end: Option<Instant>,
        now: Instant,
        bytes_max: usize,
    ) {
        self.take(&key);
        let bytes = cost(&key, &value);
        self.shrink_to(bytes_max.saturating_sub(bytes), now);
        let key: Arc<str> = key.into();
        if let Some(end) = end {
            self.ends.insert((end, key.clone()));
        }
        self.bytes += bytes;
        let value = value.into_boxed_slice();
        self.items.insert(key, Item { value, end });
    }

    /// Removes an entry; whether it was there.
    pub(super) fn remove(&mut self, key: &str, now: Instant) -> bool {
        self.take(key).is_some_and(|item| !item.is_over(now))
    }

    /// Lets an entry end at another time; whether it is there.
    pub(super) fn end_at(&mut self, key: &str, end: Option<Instant>, now: Instant) -> bool {
        self.forget_over(key, now);
        let Some((key, _)) = self.items.get_key_value(key) else {
            return false;
        };
        let key = key.clone();
        if let Some(item) = self.items.get_mut(&*key) {
            if let Some(before) = std::mem::replace(&mut item.end, end) {
                self.ends.remove(&(before, key.clone()));
            }
            self.ends.extend(end.map(|end| (end, key)));
        }
        true
    }

    /// Removes all whose keys begin with `prefix`; how many there were.
    pub(super) fn flush(&mut self, prefix: &str, now: Instant) -> u64 {
        let keys = self.items.keys().filter(|key| key.starts_with(prefix));
        let keys: Vec<_> = keys.cloned().collect();
        let removed = keys.iter().filter(|key| self.remove(key, now));
        removed.count() as u64
    }

    /// Removes what is over, and then what was used longest ago, until the others
    /// cost no more than `bytes_max`.
    pub(super) fn shrink_to(&mut self, bytes_max: usize, now: Instant) {
        while self.bytes > bytes_max {
            let over = self.ends.first().filter(|(end, _)| *end <= now);
            if let Some((_, key)) = over.cloned() {
                self.take(&key);
            } else if let Some(key) = self.items.front().map(|(key, _)| key.clone()) {
                self.take(&key);
                self.evicted += 1;
            } else {
                return;
            }
        }
    }

    /// What all entries cost.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many entries there are, those that are over and still kept with them.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// How many had to go before their time to make room.
    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    fn forget_over(&mut self, key: &str, now: Instant) {
        if self.items.get(key).is_some_and(|item| item.is_over(now)) {
            self.take(key);
        }
    }

    fn take(&mut self, key: &str) -> Option<Item> {
        let (key, item) = self.items.remove_entry(key)?;
        self.bytes -= cost(&key, &item.value);
        if let Some(end) = item.end {
            self.ends.remove(&(end, key));
        }
        Some(item)
    }
}
