//! Which channel each message went to, so that losses can be counted.

use std::collections::VecDeque;

/// The channels of the latest messages of the host, in the order of their ids.
///
/// It takes 8 bytes a message, and at most twice that while it grows.
#[derive(Debug)]
pub(super) struct Journal {
    /// The id of the first entry; those before it are forgotten.
    first: u64,
    /// The channel of each id from `first` on.
    channels: VecDeque<u32>,
    /// For each channel the low half of its ids from `first` on.
    ids: Vec<VecDeque<u32>>,
    entries_max: usize,
}

impl Journal {
    /// An empty journal of at most `entries_max` messages, fewer than 2^32.
    pub(super) fn new(entries_max: usize) -> Self {
        Journal {
            first: 1,
            channels: VecDeque::new(),
            ids: Vec::new(),
            entries_max,
        }
    }

    /// The id of the last message; 0 before the first.
    pub(super) fn last(&self) -> u64 {
        self.first + self.channels.len() as u64 - 1
    }

    /// Enters the next message, which is of `channel`, and returns its id.
    pub(super) fn enter(&mut self, channel: u32) -> u64 {
        if self.channels.len() >= self.entries_max {
            self.forget();
        }
        let at = channel as usize;
        if self.ids.len() <= at {
            self.ids.resize_with(at + 1, VecDeque::new);
        }
        self.channels.push_back(channel);
        let id = self.last();
        self.ids[at].push_back(id as u32);
        id
    }

    fn forget(&mut self) {
        let Some(channel) = self.channels.pop_front() else {
            return;
        };
        let ids = &mut self.ids[channel as usize];
        ids.pop_front();
        // Or each channel would keep the room of its busiest hour.
        if ids.len() < ids.capacity() / 4 {
            ids.shrink_to(2 * ids.len());
        }
        self.first += 1;
    }

    /// The channels of the messages with ids above `after`, in their order; nothing
    /// when some of these are forgotten.
    pub(super) fn since(&self, after: u64) -> Option<impl ExactSizeIterator<Item = u32>> {
        let known = (after + 1).checked_sub(self.first)?;
        let at = self.channels.len().min(known as usize);
        Some(self.channels.range(at..).copied())
    }

    /// How many messages of `channel` have an id above `after` and up to `to`;
    /// nothing when some of these ids are forgotten.
    pub(super) fn count(&self, channel: u32, after: u64, to: u64) -> Option<u64> {
        if after + 1 < self.first {
            return None;
        }
        let ids = self.ids.get(channel as usize)?;
        // Entries are fewer than 2^32, so differences fit where ids do not.
        let since_first = |id: u32| u64::from(id.wrapping_sub(self.first as u32));
        let up_to = |last: u64| ids.partition_point(|&id| self.first + since_first(id) <= last);
        Some((up_to(to) - up_to(after)) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_a_plain_list() {
        let mut journal = Journal::new(100);
        // Ids that wrap around in 32 bits.
        journal.first = u64::from(u32::MAX) - 150;
        let first = journal.first;
        let mut plain: Vec<u32> = Vec::new();
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..400 {
            let channel = random.u32(0..5).min(random.u32(0..5));
            assert_eq!(journal.enter(channel), first + plain.len() as u64);
            plain.push(channel);
            let oldest = plain.len().saturating_sub(100);
            let at = random.usize(oldest..=plain.len());
            let since = journal.since(first + at as u64 - 1).unwrap();
            assert!(since.eq(plain[at..].iter().copied()));
            for channel in 0..5 {
                let after = random.usize(oldest..=plain.len());
                let to = random.usize(after..=plain.len());
                let slice = &plain[after..to];
                let expected = slice.iter().filter(|it| **it == channel).count() as u64;
                // The id of the last entry before `after`.
                let id = |at: usize| first + at as u64 - 1;
                let counted = journal.count(channel, id(after), id(to));
                assert!(counted == Some(expected) || (counted.is_none() && expected == 0));
                if oldest > 0 {
                    assert!(journal.since(id(oldest) - 1).is_none());
                    assert_eq!(journal.count(channel, id(oldest) - 1, id(to)), None);
                }
            }
        }
        assert_eq!(journal.last(), first + 399);
    }

    #[test]
    fn a_quiet_channel_gives_its_room_back() {
        let mut journal = Journal::new(10_000);
        for channel in 0..10 {
            for _ in 0..10_000 {
                journal.enter(channel);
            }
        }
        let room: usize = journal.ids.iter().map(VecDeque::capacity).sum();
        assert!(room < 40_000, "{room}");
    }
}
