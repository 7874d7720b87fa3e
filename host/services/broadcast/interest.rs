//! What clients with the same patterns share.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::services::broadcast::patterns::Patterns;

/// Patterns that at least one client has, with the channels that match.
#[derive(Debug)]
pub(super) struct Interest {
    pub(super) patterns: Patterns,
    /// Numbers of the channels that match, ascending as they were made.
    pub(super) channels: Vec<u32>,
    /// How many clients have these patterns.
    pub(super) clients: u64,
    /// Wakes those of them that wait.
    pub(super) news: Arc<Notify>,
}

impl Interest {
    fn new(patterns: Patterns) -> Self {
        Interest {
            patterns,
            channels: Vec::new(),
            clients: 0,
            news: Arc::default(),
        }
    }
}

/// All interests, by number and by patterns.
#[derive(Debug, Default)]
pub(super) struct Interests {
    by_number: HashMap<u64, Interest>,
    numbers: HashMap<Patterns, u64>,
    made: u64,
}

impl Interests {
    /// Counts one more client with `patterns`; returns the interest with its
    /// number. One with a single client is new.
    pub(super) fn enter(&mut self, patterns: Patterns) -> (u64, &mut Interest) {
        let number = match self.numbers.get(&patterns) {
            Some(number) => *number,
            None => {
                self.made += 1;
                self.numbers.insert(patterns.clone(), self.made);
                self.made
            }
        };
        let interest = self.by_number.entry(number);
        let interest = interest.or_insert_with(|| Interest::new(patterns));
        interest.clients += 1;
        (number, interest)
    }

    /// Counts one client less; returns the interest if that was the last.
    pub(super) fn leave(&mut self, number: u64) -> Option<Interest> {
        let interest = self.by_number.get_mut(&number)?;
        interest.clients -= 1;
        if interest.clients > 0 {
            return None;
        }
        self.numbers.remove(&interest.patterns);
        self.by_number.remove(&number)
    }

    pub(super) fn find(&self, number: u64) -> Option<&Interest> {
        self.by_number.get(&number)
    }

    pub(super) fn count(&self) -> usize {
        self.by_number.len()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut Interest)> {
        self.by_number.iter_mut().map(|(number, it)| (*number, it))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Interest> {
        self.by_number.values()
    }
}
