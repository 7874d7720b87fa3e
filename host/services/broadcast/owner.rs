//! Who publishes: one plugin, or the application.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::services::broadcast::channel::Channel;

/// The channels of one plugin, over all of its generations.
#[derive(Debug, Default)]
pub(super) struct Owner {
    /// Numbers of its channels, by their names without its own.
    pub(super) channels: HashMap<String, u32>,
    /// What the messages in all its rings take in memory.
    pub(super) bytes: usize,
    /// For each channel that keeps messages, its number and an id that is not
    /// above that of its oldest.
    oldest: BinaryHeap<Reverse<(u64, u32)>>,
}

impl Owner {
    /// Notes that `channel` keeps messages again, the oldest of which is `id`.
    pub(super) fn keeps(&mut self, id: u64, channel: u32) {
        self.oldest.push(Reverse((id, channel)));
    }

    /// Drops its oldest messages until they take at most `bytes_max`.
    pub(super) fn shrink(&mut self, channels: &mut [Channel], bytes_max: usize) {
        while self.bytes > bytes_max {
            let Some(Reverse((noted, number))) = self.oldest.pop() else {
                return;
            };
            let channel = &mut channels[number as usize];
            if channel.oldest() == Some(noted) {
                self.bytes -= channel.evict();
            }
            // The channel may have dropped messages of its own by now.
            if let Some(oldest) = channel.oldest() {
                self.oldest.push(Reverse((oldest, number)));
            }
        }
    }
}
