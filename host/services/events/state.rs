//! What a mailbox holds under its lock.

use std::sync::{Arc, Mutex};

use crate::services::events::event::Event;
use crate::services::events::lane::{Lane, Place};
use crate::services::events::slots::Slots;
use crate::services::events::subscription::{Handle, Subscribed, Subscription, Waiting, taken};

/// The subscriptions of a mailbox, and who works on what waits for them.
#[derive(Debug)]
pub(super) struct State {
    pub(super) stage: Stage,
    pub(super) slots: Slots<Subscribed>,
    /// Subscriptions made so far.
    pub(super) registered: u64,
    pub(super) pool: Lane,
    pub(super) runtime: Lane,
    /// Subscriptions that wait for a worker or have one with them.
    pub(super) busy: usize,
    /// Bytes of the payloads that wait.
    pub(super) bytes: usize,
}

/// How far a mailbox has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Subscriptions are collected; no event comes.
    Staged,
    /// Events come.
    Active,
    /// No event comes any more; those that wait are still heard.
    Withdrawn,
    /// Nothing is heard any more.
    Closed,
}

/// A subscription as the bus knows it.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) id: u64,
    pub(super) order: u64,
    pub(super) subscription: Arc<Subscription>,
}

/// What a worker does next.
pub(super) struct Turn {
    pub(super) id: u64,
    pub(super) subscription: Arc<Subscription>,
    pub(super) handle: Arc<Handle>,
    /// Events to be handled, of which those that no worker has come to can be taken
    /// away; one if it is answered.
    pub(super) taken: Arc<Mutex<Waiting>>,
}

impl Turn {
    /// The next event, with the number lost before it.
    pub(super) fn next(&self) -> Option<(Arc<Event>, u64)> {
        match self.subscription.has_ended() {
            true => None,
            false => taken(&self.taken).pop_front(),
        }
    }
}

/// Events of one subscription that a worker takes at a time.
const EVENTS_MAX: usize = 32;

impl State {
    /// That of a mailbox for which so many threads may work.
    pub(super) fn new(workers_max: usize) -> Self {
        State {
            stage: Stage::Staged,
            slots: Slots::default(),
            registered: 0,
            pool: Lane::new(workers_max),
            runtime: Lane::new(1),
            busy: 0,
            bytes: 0,
        }
    }

    /// Who works at a place, and who waits there.
    pub(super) fn lane(&mut self, place: Place) -> &mut Lane {
        match place {
            Place::Pool => &mut self.pool,
            Place::Runtime => &mut self.runtime,
        }
    }

    /// All subscriptions, in the order in which they were made.
    pub(super) fn listed(&mut self) -> Vec<Listed> {
        let all = self.slots.iter_mut();
        let mut listed: Vec<_> = all
            .map(|(id, subscribed)| Listed {
                id,
                order: subscribed.order,
                subscription: subscribed.subscription.clone(),
            })
            .collect();
        listed.sort_by_key(|listed| listed.order);
        listed
    }

    /// Queues an event, and lets the subscription wait for a worker unless it
    /// does.
    pub(super) fn give(&mut self, id: u64, event: &Arc<Event>) {
        let Some(subscribed) = self.slots.find(id) else {
            return;
        };
        subscribed.push(event.clone());
        self.bytes += event.payload.len();
        if !std::mem::replace(&mut subscribed.busy, true) {
            self.busy += 1;
            self.queue_up(id);
        }
    }

    /// Lets a subscription wait for a worker.
    pub(super) fn queue_up(&mut self, id: u64) {
        let inline = self
            .slots
            .find(id)
            .is_some_and(|subscribed| subscribed.subscription.is_inline());
        match inline {
            true => self.runtime.wait(id),
            false => self.pool.wait(id),
        }
    }

    /// Lets a subscription tell of events that the one before it has lost.
    pub(super) fn inherit_lost(&mut self, id: u64, events: u64) {
        if let Some(subscribed) = self.slots.find(id) {
            subscribed.lost += events;
        }
    }

    /// A turn with a subscription that has waited, and the number of its events;
    /// nothing if that was ended, or its events went elsewhere.
    pub(super) fn begin(&mut self, id: u64) -> Option<(Turn, usize)> {
        let subscribed = self.slots.find(id)?;
        let most = match subscribed.subscription.answers {
            true => 1,
            false => EVENTS_MAX,
        };
        let mut taken = taken(&subscribed.taken);
        // Else the worker before has left some.
        if taken.is_empty() {
            match subscribed.events.len() {
                0 => {
                    subscribed.busy = false;
                    return None;
                }
                few if few <= most => std::mem::swap(&mut subscribed.events, &mut *taken),
                _ => taken.extend(subscribed.events.drain(..most)),
            }
            let bytes = taken.iter().map(|(event, _)| event.payload.len());
            self.bytes -= bytes.sum::<usize>();
        }
        let turn = Turn {
            id,
            subscription: subscribed.subscription.clone(),
            handle: subscribed.handle.clone(),
            taken: subscribed.taken.clone(),
        };
        Some((turn, taken.len()))
    }
}
