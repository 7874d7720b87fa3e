//! Ids for what a plugin may name: requests, tasks, timers, operations.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// A table from 64-bit ids to values, in which no id is ever used twice.
///
/// An id holds the generation of its slot above the slot's place, so one that
/// has ended is told from the one that took its slot.
///
/// # Threading
/// Each thread inserts into a shard of its own; a lookup locks one shard for the
/// time of a clone.
#[derive(Debug)]
pub(crate) struct Ids<T> {
    shards: [Mutex<Shard<T>>; SHARDS],
}

const SHARD_BITS: u32 = 4;
const SLOT_BITS: u32 = 20;
const SHARDS: usize = 1 << SHARD_BITS;
const SLOTS_MAX: usize = 1 << SLOT_BITS;
const GENERATION_MAX: u64 = (1 << (64 - SLOT_BITS - SHARD_BITS)) - 1;

impl<T: Clone> Ids<T> {
    /// Makes an empty table.
    pub(crate) fn new() -> Self {
        Ids {
            shards: std::array::from_fn(|_| Mutex::new(Shard::default())),
        }
    }

    /// Stores what `make` returns for its own id.
    ///
    /// Returns nothing when the thread's shard holds a million values.
    pub(crate) fn insert(&self, make: impl FnOnce(u64) -> T) -> Option<u64> {
        let shard_at = THREAD_SHARD.get() % SHARDS;
        let mut shard = self.shard(shard_at);
        let slot_at = match shard.free.pop() {
            Some(at) => at,
            None if shard.slots.len() < SLOTS_MAX => {
                shard.slots.push(Slot {
                    generation: 1,
                    value: None,
                });
                shard.slots.len() - 1
            }
            None => return None,
        };
        let slot = &mut shard.slots[slot_at];
        let id = slot.generation << (SLOT_BITS + SHARD_BITS)
            | (slot_at as u64) << SHARD_BITS
            | shard_at as u64;
        slot.value = Some(make(id));
        Some(id)
    }

    /// The value of `id`, if it has not ended.
    pub(crate) fn find(&self, id: u64) -> Option<T> {
        let place = Place::of(id);
        let shard = self.shard(place.shard);
        let slot = shard.slots.get(place.slot)?;
        (slot.generation == place.generation).then(|| slot.value.clone())?
    }

    /// Ends `id` and returns its value.
    pub(crate) fn remove(&self, id: u64) -> Option<T> {
        let place = Place::of(id);
        let mut shard = self.shard(place.shard);
        let slot = shard.slots.get_mut(place.slot)?;
        if slot.generation != place.generation {
            return None;
        }
        let value = slot.value.take()?;
        slot.generation += 1;
        // A slot that has used up its generations is never used again.
        if slot.generation <= GENERATION_MAX {
            shard.free.push(place.slot);
        }
        Some(value)
    }

    /// Ends `id` and gives its value, which `change` makes another of, a new one.
    /// It costs less than to remove one and to insert another.
    pub(crate) fn renew(&self, id: u64, change: impl FnOnce(&mut T)) -> Option<u64> {
        let place = Place::of(id);
        let mut shard = self.shard(place.shard);
        let slot = shard.slots.get_mut(place.slot)?;
        if slot.generation != place.generation || slot.generation == GENERATION_MAX {
            return None;
        }
        change(slot.value.as_mut()?);
        slot.generation += 1;
        Some(id + (1 << (SLOT_BITS + SHARD_BITS)))
    }

    /// What `pick` makes of the values alive.
    pub(crate) fn filter_map<R>(&self, mut pick: impl FnMut(&T) -> Option<R>) -> Vec<R> {
        let mut picked = Vec::new();
        for at in 0..SHARDS {
            let shard = self.shard(at);
            picked.extend(
                shard
                    .slots
                    .iter()
                    .filter_map(|slot| pick(slot.value.as_ref()?)),
            );
        }
        picked
    }

    fn shard(&self, at: usize) -> std::sync::MutexGuard<'_, Shard<T>> {
        // A panic inside `make` leaves the slot empty, which is a legal state.
        self.shards[at]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Shard<T> {
    slots: Vec<Slot<T>>,
    free: Vec<usize>,
}

impl<T> Default for Shard<T> {
    fn default() -> Self {
        Shard {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }
}

#[derive(Debug)]
struct Slot<T> {
    generation: u64,
    value: Option<T>,
}

/// An id taken apart.
struct Place {
    generation: u64,
    slot: usize,
    shard: usize,
}

impl Place {
    fn of(id: u64) -> Self {
        Place {
            generation: id >> (SLOT_BITS + SHARD_BITS),
            slot: (id >> SHARD_BITS) as usize % SLOTS_MAX,
            shard: id as usize % SHARDS,
        }
    }
}

static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static THREAD_SHARD: Cell<usize> = Cell::new(THREADS.fetch_add(1, Ordering::Relaxed));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_id_is_not_found_after_its_slot_is_taken() {
        let ids = Ids::new();
        let first = ids.insert(|_| "first").unwrap();
        assert_eq!(ids.remove(first), Some("first"));
        let second = ids.insert(|_| "second").unwrap();
        assert_ne!(first, second);
        assert_eq!(ids.find(first), None);
        assert_eq!(ids.remove(first), None);
        assert_eq!(ids.find(second), Some("second"));
    }

    #[test]
    fn a_renewed_id_is_another() {
        let ids = Ids::new();
        let first = ids.insert(|_| 1).unwrap();
        let second = ids.renew(first, |value| *value += 1).unwrap();
        assert_eq!((ids.find(first), ids.find(second)), (None, Some(2)));
        assert_eq!(ids.renew(first, |_| ()), None);
        assert_eq!(ids.remove(second), Some(2));
        assert_eq!(ids.renew(second, |_| ()), None);
    }

    #[test]
    fn made_up_ids_are_not_found() {
        let ids = Ids::new();
        ids.insert(|_| ()).unwrap();
        for id in [0, 1, 7, u64::MAX, 1 << 24, 1 << 63] {
            if ids.find(id).is_some() {
                assert_eq!(id >> 24, 1, "{id}");
            }
        }
    }

    #[test]
    fn ids_are_told_to_their_values() {
        let ids = Ids::new();
        let id = ids.insert(|id| id).unwrap();
        assert_eq!(ids.find(id), Some(id));
        assert_ne!(id, 0);
    }
}
