//! What is kept of all messages, and who wants which.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::Arc;

use tokio::sync::Notify;

use crate::services::broadcast::channel::Channel;
use crate::services::broadcast::interest::Interests;
use crate::services::broadcast::journal::Journal;
use crate::services::broadcast::message::{Content, Message};
use crate::services::broadcast::owner::Owner;
use crate::services::broadcast::patterns::Patterns;
use crate::services::broadcast::{ChannelStatus, Gap, Item, PublishError};

/// The state of [`Broadcast`](super::Broadcast), behind its mutex.
#[derive(Debug)]
pub(super) struct Hub {
    /// Tells this run of the host from others.
    run: Arc<str>,
    bounds: Bounds,
    journal: Journal,
    /// Channels by number. None is ever removed: its numbers go on when its
    /// plugin is loaded anew.
    channels: Vec<Channel>,
    owners: Vec<Owner>,
    /// Where in `owners` each is, by name.
    names: HashMap<String, usize>,
    interests: Interests,
    /// Channels with messages of which clients were not told yet.
    fresh: Vec<u32>,
}

/// What is kept at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Messages of one channel.
    pub(super) ring_messages: usize,
    /// Bytes of one channel's messages.
    pub(super) ring_bytes: usize,
    /// Channels of one owner.
    pub(super) channels: usize,
    /// Bytes of all messages of one owner.
    pub(super) owner_bytes: usize,
    /// Messages of which it is known where they went.
    pub(super) journal_entries: usize,
    /// Messages that a client reads at a time.
    pub(super) batch_messages: usize,
    /// Bytes that a client reads at a time, beyond the first message.
    pub(super) batch_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds {
            ring_messages: 1024,
            ring_bytes: 1024 * 1024,
            channels: 256,
            owner_bytes: 16 * 1024 * 1024,
            journal_entries: 1024 * 1024,
            batch_messages: 64,
            batch_bytes: 64 * 1024,
        }
    }
}

/// What a client reads at a time.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) items: Vec<Item>,
    /// Where the client is after it.
    pub(super) position: u64,
    /// Whether there is more to read at once.
    pub(super) more: bool,
}

/// What a client reads next of a channel: the id of the message, the channel, and
/// the place in its ring. The lowest id is the greatest.
type Next = Reverse<(u64, u32, usize)>;

impl Hub {
    pub(super) fn new(run: Arc<str>, bounds: Bounds) -> Self {
        Hub {
            run,
            bounds,
            journal: Journal::new(bounds.journal_entries),
            channels: Vec::new(),
            owners: Vec::new(),
            names: HashMap::new(),
            interests: Interests::default(),
            fresh: Vec::new(),
        }
    }

    /// Takes a message in; returns its number in its channel, and whether there
    /// is somebody to be told.
    pub(super) fn publish(
        &mut self,
        owner: &str,
        channel: &str,
        event: &str,
        data: &str,
    ) -> Result<(u64, bool), PublishError> {
        let number = match self.number(owner, channel) {
            Some(number) => number,
            None => self.open(owner, channel)?,
        };
        let id = self.journal.enter(number);
        let channel = &mut self.channels[number as usize];
        let owner = &mut self.owners[channel.owner];
        let content = Content {
            channel: &channel.name,
            event,
            data,
        };
        let sequence = channel.sequence() + 1;
        let message = Message::encode(&self.run, id, sequence, content);
        if channel.retained() == 0 {
            owner.keeps(id, number);
        }
        owner.bytes += message.cost();
        channel.push(message);
        while channel.retained() > self.bounds.ring_messages
            || channel.bytes() > self.bounds.ring_bytes
        {
            owner.bytes -= channel.evict();
        }
        let news = !channel.interests.is_empty() && !channel.is_fresh;
        if news {
            channel.is_fresh = true;
            self.fresh.push(number);
        }
        owner.shrink(&mut self.channels, self.bounds.owner_bytes);
        Ok((sequence, news))
    }

    fn number(&self, owner: &str, channel: &str) -> Option<u32> {
        let owner = *self.names.get(owner)?;
        self.owners[owner].channels.get(channel).copied()
    }

    /// Makes a channel, and tells those who want it.
    fn open(&mut self, owner: &str, channel: &str) -> Result<u32, PublishError> {
        let number = self.channels.len() as u32;
        let at = *self.names.entry(owner.to_owned()).or_insert_with(|| {
            self.owners.push(Owner::default());
            self.owners.len() - 1
        });
        let of_owner = &mut self.owners[at];
        if of_owner.channels.len() >= self.bounds.channels {
            return Err(PublishError::Channels {
                owner: owner.to_owned(),
                channels_max: self.bounds.channels,
            });
        }
        of_owner.channels.insert(channel.to_owned(), number);
        let mut made = Channel::new(at, &format!("{owner}/{channel}"));
        for (interest, wants) in self.interests.iter_mut() {
            if wants.patterns.matches(owner, channel) {
                wants.channels.push(number);
                made.interests.insert(interest);
            }
        }
        self.channels.push(made);
        Ok(number)
    }

    /// Counts one more client with `patterns`; returns its interest, with what
    /// wakes it.
    pub(super) fn enter(&mut self, patterns: Patterns) -> (u64, Arc<Notify>) {
        let (number, interest) = self.interests.enter(patterns);
        if interest.clients == 1 {
            for (at, channel) in self.channels.iter_mut().enumerate() {
                let name = channel.name.split_once('/');
                if name.is_some_and(|(owner, name)| interest.patterns.matches(owner, name)) {
                    channel.interests.insert(number);
                    interest.channels.push(at as u32);
                }
            }
        }
        (number, interest.news.clone())
    }

    /// Counts one client less with this interest.
    pub(super) fn leave(&mut self, interest: u64) {
        let Some(gone) = self.interests.leave(interest) else {
            return;
        };
        for channel in gone.channels {
            self.channels[channel as usize].interests.remove(&interest);
        }
    }

    /// Those to be woken because of messages they were not told of yet, and perhaps
    /// others, who find nothing.
    pub(super) fn take_news(&mut self) -> Vec<Arc<Notify>> {
        let fresh = std::mem::take(&mut self.fresh);
        let mut count = 0;
        for number in &fresh {
            let channel = &mut self.channels[*number as usize];
            channel.is_fresh = false;
            count += channel.interests.len();
        }
        // To tell them apart would take longer than to wake all.
        if count > self.interests.count() {
            return self.all_news();
        }
        let fresh = fresh.iter().map(|number| &self.channels[*number as usize]);
        let mut concerned: Vec<_> = fresh.flat_map(|it| &it.interests).collect();
        concerned.sort_unstable();
        concerned.dedup();
        let interests = concerned
            .iter()
            .filter_map(|number| self.interests.find(**number));
        interests.map(|interest| interest.news.clone()).collect()
    }

    /// What wakes any client.
    pub(super) fn all_news(&self) -> Vec<Arc<Notify>> {
        let interests = self.interests.iter();
        interests.map(|interest| interest.news.clone()).collect()
    }

    /// The id of the last message; 0 before the first.
    pub(super) fn last(&self) -> u64 {
        self.journal.last()
    }

    /// The patterns of an interest.
    pub(super) fn patterns(&self, interest: u64) -> Patterns {
        let found = self.interests.find(interest);
        found.map(|it| it.patterns.clone()).unwrap_or_default()
    }

    /// The channels of an interest that another has not.
    pub(super) fn beyond(&self, interest: u64, other: u64) -> Vec<u32> {
        let (had, has) = (self.channels_of(other), self.channels_of(interest));
        let added = has.iter().filter(|it| had.binary_search(it).is_err());
        added.copied().collect()
    }

    fn channels_of(&self, interest: u64) -> &[u32] {
        let found = self.interests.find(interest);
        found.map_or(&[], |interest| &interest.channels)
    }

    /// The next losses and messages for a client at `position`, the messages in
    /// the order of their ids.
    ///
    /// A loss is told before messages of other channels that were published
    /// sooner, so `told` says up to which id there is nothing more to tell of a
    /// channel. Who is cut off in between is told it once more, rather than not
    /// at all.
    pub(super) fn read(
        &self,
        interest: u64,
        position: u64,
        told: &mut BTreeMap<u32, u64>,
    ) -> Batch {
        let mut items = Vec::new();
        let mut next = BinaryHeap::new();
        for &number in &*self.concerned(interest, position) {
            let channel = &self.channels[number as usize];
            if channel.last() <= position {
                continue;
            }
            let from = told.get(&number).copied().unwrap_or(position).max(position);
            if channel.floor() > from {
                let Some(lost) = self.journal.count(number, from, channel.floor()) else {
                    return self.lost_track(told);
                };
                told.insert(number, channel.floor());
                items.push(Item::Gap(Gap {
                    id: position,
                    channel: Some(channel.name.clone()),
                    lost: Some(lost),
                }));
            }
            self.push_next(&mut next, number, channel.after(from));
        }
        let mut batch = Batch {
            items,
            position,
            more: false,
        };
        self.merge(next, &mut batch);
        told.retain(|_, floor| *floor > batch.position);
        batch
    }

    /// The channels of an interest with messages above `position`, and perhaps
    /// others. To look for those of the latest messages takes fewer steps than to
    /// look at all channels, unless these are few.
    fn concerned(&self, interest: u64, position: u64) -> Cow<'_, [u32]> {
        let channels = self.channels_of(interest);
        match self.journal.since(position) {
            Some(entries) if entries.len() < channels.len() / 4 => {
                let its = entries.filter(|it| channels.binary_search(it).is_ok());
                let mut concerned: Vec<_> = its.collect();
                concerned.sort_unstable();
                concerned.dedup();
                Cow::Owned(concerned)
            }
            _ => Cow::Borrowed(channels),
        }
    }

    /// Adds messages in their order, as far as a client reads at a time.
    fn merge(&self, mut next: BinaryHeap<Next>, batch: &mut Batch) {
        let (mut messages, mut bytes) = (0, 0);
        while let Some(Reverse((id, number, place))) = next.pop() {
            let Some(message) = self.channels[number as usize].at(place) else {
                continue;
            };
            messages += 1;
            bytes += message.cost();
            let full = messages > self.bounds.batch_messages || bytes > self.bounds.batch_bytes;
            if full && messages > 1 {
                batch.more = true;
                return;
            }
            batch.items.push(Item::Message(message.clone()));
            batch.position = id;
            self.push_next(&mut next, number, place + 1);
        }
        batch.position = self.last();
    }

    /// Puts the message at `place` of a channel, if there is one, in its turn.
    fn push_next(&self, next: &mut BinaryHeap<Next>, number: u32, place: usize) {
        if let Some(message) = self.channels[number as usize].at(place) {
            next.push(Reverse((message.id, number, place)));
        }
    }

    /// What a client is told of which nobody knows what it has missed.
    pub(super) fn lost_track(&self, told: &mut BTreeMap<u32, u64>) -> Batch {
        told.clear();
        let gap = Gap {
            id: self.last(),
            channel: None,
            lost: None,
        };
        Batch {
            position: gap.id,
            items: vec![Item::Gap(gap)],
            more: false,
        }
    }

    /// How many clients would receive a message of a channel.
    pub(super) fn subscribers(&self, owner: &str, channel: &str) -> u64 {
        match self.number(owner, channel) {
            Some(number) => self.clients_of(&self.channels[number as usize]),
            None => {
                let interests = self.interests.iter();
                let matching = interests.filter(|it| it.patterns.matches(owner, channel));
                matching.map(|interest| interest.clients).sum()
            }
        }
    }

    fn clients_of(&self, channel: &Channel) -> u64 {
        let interests = channel.interests.iter();
        let found = interests.filter_map(|number| self.interests.find(*number));
        found.map(|interest| interest.clients).sum()
    }

    /// All channels, by name.
    pub(super) fn status(&self) -> Vec<ChannelStatus> {
        let status = |channel: &Channel| ChannelStatus {
            name: channel.name.to_string(),
            sequence: channel.sequence(),
            retained: channel.retained(),
            bytes: channel.bytes(),
            subscribers: self.clients_of(channel),
        };
        let mut all: Vec<_> = self.channels.iter().map(status).collect();
        all.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        all
    }
}
