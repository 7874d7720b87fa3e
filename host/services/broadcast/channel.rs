//! One channel with its ring of messages.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use crate::services::broadcast::message::Message;

/// A channel: the messages that are kept, and what became of the others.
#[derive(Debug)]
pub(super) struct Channel {
    /// Where its owner is among all of them.
    pub(super) owner: usize,
    /// Its name with its owner's, `notes/changed`.
    pub(super) name: Arc<str>,
    /// Numbers of the interests that match. A set, or all clients with patterns
    /// of their own would take the square of their number of steps to leave.
    pub(super) interests: BTreeSet<u64>,
    /// Whether it has messages of which its clients were not told yet.
    pub(super) is_fresh: bool,
    ring: VecDeque<Message>,
    bytes: usize,
    sequence: u64,
    last: u64,
    floor: u64,
}

impl Channel {
    pub(super) fn new(owner: usize, name: &str) -> Self {
        Channel {
            owner,
            name: name.into(),
            interests: BTreeSet::new(),
            is_fresh: false,
            ring: VecDeque::new(),
            bytes: 0,
            sequence: 0,
            last: 0,
            floor: 0,
        }
    }

    /// How many messages there have been, which is the number of the last.
    pub(super) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// How many messages are kept.
    pub(super) fn retained(&self) -> usize {
        self.ring.len()
    }

    /// What they take in memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The id of the last message; 0 before the first.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The id of the last message that is no longer kept; 0 if all are.
    pub(super) fn floor(&self) -> u64 {
        self.floor
    }

    /// The id of the oldest message that is kept.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.ring.front().map(|message| message.id)
    }

    /// Where in the ring the messages above `id` begin.
    pub(super) fn after(&self, id: u64) -> usize {
        self.ring.partition_point(|message| message.id <= id)
    }

    /// The message at a place in the ring.
    pub(super) fn at(&self, place: usize) -> Option<&Message> {
        self.ring.get(place)
    }

    /// Takes the next message in.
    pub(super) fn push(&mut self, message: Message) {
        self.sequence += 1;
        self.last = message.id;
        self.bytes += message.cost();
        self.ring.push_back(message);
    }

    /// Drops the oldest message, and returns what it took in memory.
    pub(super) fn evict(&mut self) -> usize {
        let Some(message) = self.ring.pop_front() else {
            return 0;
        };
        self.floor = message.id;
        let cost = message.cost();
        self.bytes -= cost;
        cost
    }
}
