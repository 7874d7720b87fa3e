//! What a plugin hears, and how.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::config::Pattern;
use crate::services::error::ServiceError;
use crate::services::events::event::Event;

/// What a subscription hears, and how.
#[derive(Debug)]
pub struct Subscription {
    /// Names, after the operator's aliases.
    pub pattern: Pattern,
    /// Observer or filter.
    pub mode: Mode,
    /// Lower is called first.
    pub priority: i32,
    /// Does not hear what its own plugin emits.
    pub not_own: bool,
    /// Called on the runtime.
    pub inline: bool,
    /// A delivery lasts until it is answered.
    pub answers: bool,
    /// Events that may wait.
    pub queue_max: usize,
    /// Time to answer; none for what is left to the request.
    pub deadline: Option<Duration>,
    /// Set when its handler overstayed: it is inline no more.
    pub demoted: AtomicBool,
    /// Set when nothing is heard any more.
    pub ended: AtomicBool,
}

/// The two ways of hearing an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Told after the fact, through a queue, in order.
    Observe,
    /// Asked in turn; may replace the payload or veto.
    Filter,
}

impl Subscription {
    /// Whether its handler is called on the runtime.
    pub(super) fn is_inline(&self) -> bool {
        self.inline && !self.demoted.load(Ordering::Relaxed)
    }

    /// Whether its handler was to be called on the runtime, and overstayed.
    pub(crate) fn is_demoted(&self) -> bool {
        self.inline && !self.is_inline()
    }

    /// Makes it hear nothing any more.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// Whether it hears nothing any more.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Whether it takes over the queue of `other`, of the generation before.
    pub(super) fn continues(&self, other: &Subscription) -> bool {
        self.pattern == other.pattern && self.mode == other.mode && self.priority == other.priority
    }
}

/// An event as a handler sees it.
#[derive(Debug)]
pub struct Heard<'a> {
    /// The subscription's id.
    pub subscription: u64,
    /// The event.
    pub event: &'a Event,
    /// Events lost to a full queue since the last.
    pub lost: u64,
}

/// Calls the plugin with an event, under the delivery's id. Dropping it releases
/// what the plugin gave.
pub(crate) type Handle = Box<dyn Fn(u64, &Heard<'_>) -> Result<(), ServiceError> + Send + Sync>;

/// Events that wait, each with the number lost before it.
pub(super) type Waiting = VecDeque<(Arc<Event>, u64)>;

/// A subscription with its handler and what waits for it.
pub(super) struct Subscribed {
    pub(super) subscription: Arc<Subscription>,
    pub(super) handle: Arc<Handle>,
    /// Registrations before it, for the order among equals.
    pub(super) order: u64,
    /// Events that wait for a worker.
    pub(super) events: Waiting,
    /// Events that a worker has taken and not come to yet.
    pub(super) taken: Arc<Mutex<Waiting>>,
    /// Events lost since the last that found room.
    pub(super) lost: u64,
    /// Events lost in all.
    pub(super) lost_total: u64,
    /// Whether it waits for a worker or one is with it.
    pub(super) busy: bool,
}

impl Subscribed {
    /// Whether another event may wait.
    pub(super) fn has_room(&self) -> bool {
        self.events.len() < self.subscription.queue_max
    }

    /// Whether an event waits for its handler.
    pub(super) fn has_waiting(&self) -> bool {
        !self.events.is_empty() || !taken(&self.taken).is_empty()
    }

    /// Queues an event.
    pub(super) fn push(&mut self, event: Arc<Event>) {
        let lost = std::mem::take(&mut self.lost);
        self.events.push_back((event, lost));
    }

    /// Takes all that waits away, in order, and the number lost after the last.
    pub(super) fn give_up(&mut self) -> (Waiting, u64) {
        let mut waiting = std::mem::take(&mut *taken(&self.taken));
        waiting.append(&mut self.events);
        (waiting, std::mem::take(&mut self.lost))
    }

    /// Counts an event for which there is no room.
    pub(super) fn lose(&mut self) {
        self.lost += 1;
        self.lost_total += 1;
    }
}

/// What a worker has taken.
pub(super) fn taken(taken: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    // Nothing that is done under it panics.
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Subscribed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscribed")
            .field("subscription", &self.subscription)
            .field("waiting", &self.events.len())
            .finish_non_exhaustive()
    }
}

/// What operators see of a subscription.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct SubscriptionStatus {
    /// Names, after the operator's aliases.
    pub pattern: String,
    /// Observer or filter.
    pub mode: Mode,
    /// Lower is called first.
    pub priority: i32,
    /// Events that wait.
    pub queued: usize,
    /// Events lost to a full queue.
    pub lost: u64,
}

impl From<&Subscribed> for SubscriptionStatus {
    fn from(subscribed: &Subscribed) -> Self {
        let subscription = &subscribed.subscription;
        SubscriptionStatus {
            pattern: subscription.pattern.to_string(),
            mode: subscription.mode,
            priority: subscription.priority,
            queued: subscribed.events.len(),
            lost: subscribed.lost_total,
        }
    }
}
