//! Requests to plugins that the host has answered itself.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts refused requests by the code of the refusal.
///
/// # Threading
/// Takes a lock, for the time of an addition: these requests are not those that
/// have to be quick.
#[derive(Debug, Default)]
pub struct RefusedRequests {
    codes: Mutex<BTreeMap<Box<str>, u64>>,
}

/// Codes that are told apart; there are fewer, and if not, the rest is one.
const CODES_MAX: usize = 64;

/// The code of all further ones.
const OTHER: &str = "other";

impl RefusedRequests {
    /// Counts one.
    pub fn add(&self, code: &str) {
        let mut codes = self.lock();
        let code = match codes.contains_key(code) || codes.len() < CODES_MAX {
            true => code,
            false => OTHER,
        };
        match codes.get_mut(code) {
            Some(count) => *count += 1,
            None => drop(codes.insert(code.into(), 1)),
        }
    }

    /// How many there were of each code.
    pub fn counts(&self) -> BTreeMap<Box<str>, u64> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Box<str>, u64>> {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_beyond_the_bound_are_one() {
        let refused = RefusedRequests::default();
        for number in 0..CODES_MAX + 5 {
            refused.add(&format!("code-{number}"));
        }
        refused.add("code-0");
        let counts = refused.counts();
        assert_eq!(counts.len(), CODES_MAX + 1);
        assert_eq!((counts["code-0"], counts[OTHER]), (2, 5));
    }
}
