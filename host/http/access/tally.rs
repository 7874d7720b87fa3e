//! Counts what may happen too often for a line of the log each.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time between two lines.
const PERIOD: Duration = Duration::from_secs(1);

/// Counts, so that there is at most one line a second, which says how often it
/// happened since the one before.
#[derive(Debug)]
pub(super) struct Tally(Mutex<Counted>);

#[derive(Debug)]
struct Counted {
    told_at: Option<Instant>,
    untold: u64,
}

impl Tally {
    pub(super) const fn new() -> Self {
        Tally(Mutex::new(Counted {
            told_at: None,
            untold: 0,
        }))
    }

    /// Counts one more; returns how many there are to tell of, if a line is due.
    pub(super) fn count(&self, now: Instant) -> Option<u64> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.untold += 1;
        let told_at = counted.told_at;
        if told_at.is_some_and(|at| now.saturating_duration_since(at) < PERIOD) {
            return None;
        }
        counted.told_at = Some(now);
        Some(std::mem::take(&mut counted.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_line_a_second() {
        let tally = Tally::new();
        let begun = Instant::now();
        let at = |ms| begun + Duration::from_millis(ms);
        let told: Vec<_> = [0, 1, 500, 999, 1000, 1001, 5000]
            .map(|ms| tally.count(at(ms)))
            .into();
        let expected = [Some(1), None, None, None, Some(4), None, Some(2)];
        assert_eq!(told, expected);
    }
}
