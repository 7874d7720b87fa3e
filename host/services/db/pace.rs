//! Which statements are short enough to be run where they are asked for.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// Remembers how long statements took, by a hash of their text.
///
/// Changing threads costs as much as a short statement does. One that was short
/// time and again is tried on the thread that asks, which must not block, and
/// interrupted there as soon as it is not: see [`GLANCE`].
#[derive(Debug)]
pub(super) struct Paces {
    /// Runs in a row that were short, up to [`TRUSTED`]. Texts that share a slot
    /// share its fate.
    short_runs: Box<[AtomicU8]>,
    hasher: RandomState,
}

/// Time that a short statement has where it is asked for.
pub(super) const GLANCE: Duration = Duration::from_millis(2);

/// What its rows may take, in bytes: they are kept until it has ended.
pub(super) const GLANCE_BYTES: usize = 64 * 1024;

/// A statement that takes less is short.
const SHORT: Duration = Duration::from_micros(500);

/// Short runs in a row that make a statement one to be tried.
const TRUSTED: u8 = 8;

const SLOTS: usize = 1024;

impl Paces {
    pub(super) fn new() -> Self {
        Paces {
            short_runs: (0..SLOTS).map(|_| AtomicU8::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Whether the statement was short whenever it was run of late.
    pub(super) fn is_short(&self, sql: &str) -> bool {
        self.slot(sql).load(Ordering::Relaxed) >= TRUSTED
    }

    /// Notes how long it took.
    pub(super) fn note(&self, sql: &str, took: Duration) {
        let slot = self.slot(sql);
        let runs = slot.load(Ordering::Relaxed);
        match took < SHORT {
            true if runs >= TRUSTED => {}
            true => slot.store(runs + 1, Ordering::Relaxed),
            false => slot.store(0, Ordering::Relaxed),
        }
    }

    fn slot(&self, sql: &str) -> &AtomicU8 {
        // The remainder is below the number of slots.
        &self.short_runs[self.hasher.hash_one(sql) as usize % SLOTS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_long_run_ends_the_trust_of_many_short_ones() {
        let paces = Paces::new();
        let short = || paces.note("SELECT 1", Duration::from_micros(20));
        (1..TRUSTED).for_each(|_| short());
        assert!(!paces.is_short("SELECT 1"));
        short();
        assert!(paces.is_short("SELECT 1"));
        paces.note("SELECT 1", SHORT);
        assert!(!paces.is_short("SELECT 1"));
    }
}
