//! The subscriptions of one generation of a plugin, and the events that wait for
//! them.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle as Runtime;
use tokio::sync::Notify;

use crate::services::context::PluginContext;
use crate::services::error::ServiceError;
use crate::services::events::event::Event;
use crate::services::events::lane::Place;
use crate::services::events::state::{Listed, Stage, State, Turn};
use crate::services::events::subscription::{Handle, Subscribed, Subscription, SubscriptionStatus};
use crate::services::pool::Pool;

/// What one generation of a plugin subscribed to.
///
/// # Threading
/// One lock for all of it, so that an event goes to many subscriptions of a
/// plugin at the price of one; it is never held while a handler runs.
#[derive(Debug)]
pub struct Mailbox {
    /// The plugin.
    pub(crate) context: Arc<PluginContext>,
    pub(super) pool: Arc<Pool>,
    pub(super) runtime: Runtime,
    state: Mutex<State>,
    idle: Notify,
}

/// Says that a mailbox takes no more events, because another took its place or
/// its plugin ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stale;

/// To how many subscriptions an event went.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pushed {
    pub(super) queued: usize,
    pub(super) full: usize,
}

impl Mailbox {
    pub(super) fn new(runtime: Runtime, context: Arc<PluginContext>, pool: Arc<Pool>) -> Self {
        let state = State::new(context.limits.pool_threads_max);
        Mailbox {
            context,
            pool,
            runtime,
            state: Mutex::new(state),
            idle: Notify::new(),
        }
    }

    /// Adds a subscription. With the second value the bus must list it, for the
    /// mailbox is active.
    pub(super) fn add(
        &self,
        subscription: Subscription,
        handle: Handle,
    ) -> Result<(Listed, bool), ServiceError> {
        let mut state = self.lock();
        let limit = self.context.limits.subscriptions_max;
        if matches!(state.stage, Stage::Withdrawn | Stage::Closed) {
            return Err(ServiceError::stopped());
        }
        if state.slots.len() >= limit {
            return Err(ServiceError::busy(format!(
                "this plugin has {limit} subscriptions, its limit"
            )));
        }
        let (subscription, order) = (Arc::new(subscription), state.registered);
        state.registered += 1;
        let id = state.slots.insert(Subscribed {
            subscription: subscription.clone(),
            handle: Arc::new(handle),
            order,
            events: Default::default(),
            taken: Default::default(),
            lost: 0,
            lost_total: 0,
            busy: false,
        });
        let listed = Listed {
            id,
            order,
            subscription,
        };
        Ok((listed, state.stage == Stage::Active))
    }

    /// Ends a subscription, with what waits for it. Dropping what is returned runs
    /// code of the plugin, so no lock may be held then.
    pub(super) fn remove(&self, id: u64) -> Option<Subscribed> {
        let mut state = self.lock();
        let removed = state.slots.remove(id)?;
        removed.subscription.end();
        let waiting = removed.events.iter();
        state.bytes -= waiting.map(|(event, _)| event.payload.len()).sum::<usize>();
        Some(removed)
    }

    /// Lets events come to all that was subscribed to.
    pub(super) fn activate(&self) -> Vec<Listed> {
        let mut state = self.lock();
        state.stage = Stage::Active;
        state.listed()
    }

    /// Lets no more events come, and tells what the bus lists.
    pub(super) fn withdraw(&self) -> Vec<Listed> {
        let mut state = self.lock();
        if state.stage != Stage::Closed {
            state.stage = Stage::Withdrawn;
        }
        state.listed()
    }

    /// Moves what no handler has been called with to the equal subscriptions of
    /// `next`, which has just become active, but for what `next` is told anyway.
    /// Returns how many events nobody takes over.
    pub(super) fn hand_over(
        self: &Arc<Self>,
        next: &Arc<Mailbox>,
        told_anyway: impl Fn(&Arc<Event>) -> bool,
    ) -> usize {
        let mut dropped = 0;
        let mut left = Vec::new();
        {
            let mut state = self.lock();
            let mut waiting: Vec<_> = state.slots.iter_mut().collect();
            waiting.sort_by_key(|(_, subscribed)| subscribed.order);
            for (_, old) in waiting {
                left.push((old.subscription.clone(), old.give_up()));
            }
            state.bytes = 0;
        }
        let mut state = next.lock();
        let mut heirs = state.listed();
        for (old, (mut events, lost)) in left {
            let heir = heirs
                .iter()
                .position(|listed| listed.subscription.continues(&old));
            let Some(heir) = heir else {
                events.retain(|(event, _)| !told_anyway(event));
                dropped += events.len();
                continue;
            };
            let heir = heirs.remove(heir);
            for (event, lost) in events {
                state.inherit_lost(heir.id, lost);
                if !told_anyway(&event) {
                    state.give(heir.id, &event);
                }
            }
            state.inherit_lost(heir.id, lost);
        }
        next.hire(state);
        dropped
    }

    /// Queues an event for those of `ids` that have room.
    pub(super) fn push(
        self: &Arc<Self>,
        event: &Arc<Event>,
        ids: impl Iterator<Item = u64>,
    ) -> Result<Pushed, Stale> {
        let mut state = self.lock();
        if state.stage != Stage::Active {
            return Err(Stale);
        }
        let mut pushed = Pushed::default();
        let bytes_max = self.context.limits.events_bytes_max;
        for id in ids {
            let room = state.bytes + event.payload.len() <= bytes_max;
            let Some(subscribed) = state.slots.find(id) else {
                continue;
            };
            if room && subscribed.has_room() {
                state.give(id, event);
                pushed.queued += 1;
            } else {
                subscribed.lose();
                pushed.full += 1;
            }
        }
        self.hire(state);
        let dropped = &self.context.metrics.events_dropped;
        dropped.fetch_add(pushed.full as u64, Ordering::Relaxed);
        Ok(pushed)
    }

    /// Queues an event that must not be lost, whether or not there is room.
    pub(super) fn give(self: &Arc<Self>, event: &Arc<Event>, ids: impl Iterator<Item = u64>) {
        let mut state = self.lock();
        ids.for_each(|id| state.give(id, event));
        self.hire(state);
    }

    /// The handler of the filter `id`.
    pub(super) fn filter(&self, id: u64) -> Result<Arc<Handle>, Stale> {
        let mut state = self.lock();
        let active = state.stage == Stage::Active;
        match state.slots.find(id) {
            Some(found) if active => Ok(found.handle.clone()),
            _ => Err(Stale),
        }
    }

    /// What a worker of `place` does next, once its turn with the subscription
    /// `ended` has ended; nothing when it may go.
    pub(super) fn turn(&self, place: Place, ended: Option<u64>) -> Option<Turn> {
        let mut state = self.lock();
        if let Some(id) = ended {
            self.settle(&mut state, id);
        }
        loop {
            let Some(id) = state.lane(place).next() else {
                state.lane(place).leave();
                return None;
            };
            let Some((turn, events)) = state.begin(id) else {
                state.busy -= 1;
                self.tell_idle(&state);
                continue;
            };
            state.lane(place).enter(events);
            return Some(turn);
        }
    }

    /// Whether another worker on blocking threads is due; nothing when there are
    /// none any more, or nothing is heard any more.
    pub(super) fn look(&self) -> Option<bool> {
        let mut state = self.lock();
        match state.stage {
            Stage::Closed => None,
            _ => state.pool.look(),
        }
    }

    /// Says that a delivery to the subscription `id` has ended.
    pub(super) fn ended(self: &Arc<Self>, id: u64) {
        let mut state = self.lock();
        self.settle(&mut state, id);
        self.hire(state);
    }

    /// Says that a worker gives its thread back although there may be more to do,
    /// after its turn with the subscription `ended`.
    pub(super) fn pause(self: &Arc<Self>, place: Place, ended: Option<u64>) {
        let mut state = self.lock();
        if let Some(id) = ended {
            self.settle(&mut state, id);
        }
        state.lane(place).leave();
        self.hire(state);
    }

    /// Waits until nothing waits and no handler runs.
    pub(crate) async fn idle(&self) {
        loop {
            let told = self.idle.notified();
            if self.lock().busy == 0 {
                return;
            }
            told.await;
        }
    }

    /// Ends every subscription; handlers that run go on. Returns how many events
    /// have waited in vain.
    pub(crate) fn close(&self) -> usize {
        let mut state = self.lock();
        state.stage = Stage::Closed;
        let mut slots = std::mem::take(&mut state.slots);
        let mut dropped = 0;
        for (_, subscribed) in slots.iter_mut() {
            subscribed.subscription.end();
            dropped += subscribed.give_up().0.len();
        }
        drop(state);
        // Handlers are dropped here, outside the lock.
        drop(slots);
        dropped
    }

    /// What operators see.
    pub(crate) fn status(&self) -> Vec<SubscriptionStatus> {
        let mut state = self.lock();
        let mut all: Vec<_> = state.slots.iter_mut().collect();
        all.sort_by_key(|(_, subscribed)| subscribed.order);
        all.into_iter()
            .map(|(_, subscribed)| SubscriptionStatus::from(&*subscribed))
            .collect()
    }

    /// Lets a subscription whose delivery has ended wait again, if it has events.
    fn settle(&self, state: &mut State, id: u64) {
        let more = state.slots.find(id).is_some_and(|subscribed| {
            subscribed.busy = subscribed.has_waiting();
            subscribed.busy
        });
        match more {
            true => state.queue_up(id),
            false => {
                state.busy -= 1;
                self.tell_idle(state);
            }
        }
    }

    fn tell_idle(&self, state: &State) {
        if state.busy == 0 {
            self.idle.notify_waiters();
        }
    }

    /// Hires the workers that are due, once the lock is given back.
    fn hire(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let (pool, runtime) = (state.pool.hire(), state.runtime.hire());
        let look = pool && state.pool.begin_looking();
        drop(state);
        if pool {
            self.hire_on_pool();
        }
        if look {
            self.look_after();
        }
        if runtime {
            self.hire_on_runtime();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code of others runs under it, and nothing in it panics but running
        // out of memory.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
