//! Events: emitted by plugins, the host and its application; heard by observers,
//! and by filters that may change them or veto.
//!
//! Names are tokens joined by dots, patterns are those of NATS subjects. Emitting
//! takes no lock but that of the plugins that hear: who they are is found once a
//! name, and again when a subscription comes or goes.

mod aliases;
mod bus;
mod delivery;
mod event;
mod filters;
mod lane;
mod mailbox;
mod matches;
mod nested;
mod retained;
mod slots;
mod state;
mod subscription;
mod targets;
#[cfg(test)]
mod tests;
mod trie;
mod worker;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use exthost_abi::Status;
use tokio::runtime::Handle as Runtime;

use crate::config::EventName;
use crate::name::PluginName;
use crate::services::context::PluginContext;
use crate::services::error::ServiceError;
use crate::services::pool::Pool;
use bus::Bus;
use event::Event;
use mailbox::Stale;
use matches::Matches;
use nested::Nested;

pub(crate) use aliases::Aliases;
pub(crate) use delivery::{Delivery, Verdict};
pub(crate) use event::{Emitter, Message};
pub use filters::Policy;
pub(crate) use filters::{Decision, Prepared};
pub(crate) use mailbox::Mailbox;
pub(crate) use subscription::{Handle, Heard, Subscription};
pub use subscription::{Mode, SubscriptionStatus};

/// Names whose listeners are remembered, at most.
const NAMES_MAX: usize = 4096;

/// How often an event follows a plugin from one generation to the next.
const RELOADS_MAX: usize = 8;

/// The events of a host.
#[derive(Debug)]
pub struct Events {
    runtime: Runtime,
    aliases: ArcSwap<Aliases>,
    nested: Nested,
    bus: Mutex<Bus>,
    /// One more with each subscription that comes or goes.
    version: AtomicU64,
    /// Who hears the names emitted lately.
    known: papaya::HashMap<Box<str>, Arc<Matches>>,
}

/// What became of an event for one plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// It waits until the plugin is ready.
    Waits,
    /// It was queued for so many subscriptions.
    Queued(usize),
}

impl Events {
    /// The events of a host whose operator wants these aliases.
    pub(crate) fn new(runtime: Runtime, aliases: Aliases) -> Self {
        Events {
            runtime,
            aliases: ArcSwap::from_pointee(aliases),
            nested: Nested::new(),
            bus: Mutex::default(),
            version: AtomicU64::new(0),
            known: papaya::HashMap::new(),
        }
    }

    /// Lets other names stand for others from here on. What a subscription hears
    /// was settled when it was made.
    pub(crate) fn set_aliases(&self, aliases: Aliases) {
        self.aliases.store(Arc::new(aliases));
        let _bus = self.bus();
        self.changed();
    }

    /// A mailbox for one generation of a plugin; nothing comes before it is
    /// [active](Self::activate).
    pub(crate) fn mailbox(&self, context: Arc<PluginContext>, pool: Arc<Pool>) -> Arc<Mailbox> {
        Arc::new(Mailbox::new(self.runtime.clone(), context, pool))
    }

    /// Subscribes; one made before the mailbox is active becomes active with it.
    /// `announce` hears the id before anything can be delivered.
    ///
    /// # Errors
    /// `busy` at the plugin's limit, `stopped` once it ends.
    pub fn subscribe(
        &self,
        mailbox: &Arc<Mailbox>,
        mut subscription: Subscription,
        announce: impl FnOnce(u64),
        handle: Handle,
    ) -> Result<(), ServiceError> {
        let plugin = &mailbox.context.name;
        subscription.pattern = self.aliases.load().pattern(plugin, &subscription.pattern);
        let mut bus = self.bus();
        let (listed, active) = mailbox.add(subscription, handle)?;
        announce(listed.id);
        if active {
            let retained = bus.retained.matching(&listed.subscription.pattern);
            bus.list(mailbox, &listed);
            self.changed();
            for event in retained {
                mailbox.give(
                    &event,
                    bus.hearing(mailbox, &event).filter(|id| *id == listed.id),
                );
            }
        }
        Ok(())
    }

    /// Ends a subscription; what waits for it is dropped.
    ///
    /// # Errors
    /// `gone` when there is none of that id.
    pub fn unsubscribe(&self, mailbox: &Arc<Mailbox>, id: u64) -> Result<(), ServiceError> {
        let mut bus = self.bus();
        let removed = mailbox.remove(id);
        let removed = removed.ok_or_else(|| {
            ServiceError::gone(format!("no subscription of this plugin has the id {id}"))
        })?;
        bus.unlist(mailbox, &removed.subscription.pattern, id);
        self.changed();
        // Its handler is dropped without the lock: that is code of the plugin.
        drop(bus);
        drop(removed);
        Ok(())
    }

    /// Lets events come to a generation, in place of the one before, whose queues
    /// it takes over; then it hears what has waited for it, and what is retained.
    pub(crate) fn activate(&self, mailbox: &Arc<Mailbox>) {
        let mut dropped = 0;
        let mut bus = self.bus();
        let before = bus.targets.ready(mailbox);
        if let Some(old) = &before.mailbox {
            bus.withdraw(old, |_| true);
        }
        for listed in mailbox.activate() {
            bus.list(mailbox, &listed);
        }
        self.changed();
        let retained = bus.retained.of_others(&mailbox.context.name);
        if let Some(old) = &before.mailbox {
            let told_anyway =
                |event: &Arc<Event>| retained.iter().any(|told| Arc::ptr_eq(told, event));
            dropped = old.hand_over(mailbox, told_anyway);
        }
        for event in before.waiting.iter().chain(&retained) {
            mailbox.give(event, bus.hearing(mailbox, event));
        }
        // Whoever writes the log may be the application's, and emit in turn.
        drop(bus);
        if dropped > 0 {
            let plugin = &mailbox.context.name;
            tracing::warn!(%plugin, dropped, "events waited for what is not subscribed to any more");
        }
    }

    /// Lets no more events come to a generation; those that wait are heard. When no
    /// other took its place, its filters count as failed from here on: what they
    /// decide on must not pass them by because they end first.
    pub(crate) fn withdraw(&self, mailbox: &Arc<Mailbox>) {
        let mut bus = self.bus();
        bus.targets.withdraw(mailbox);
        bus.withdraw(mailbox, |subscription| subscription.mode == Mode::Observe);
        self.changed();
    }

    /// Lets events wait for a plugin that is on its way to being ready.
    pub(crate) fn expect(&self, plugin: &PluginName) {
        self.bus().targets.expect(plugin);
    }

    /// Drops what waits for a plugin that has not become ready.
    pub(crate) fn forget(&self, plugin: &PluginName) {
        let dropped = self.bus().targets.forget(plugin);
        if dropped > 0 {
            tracing::warn!(%plugin, dropped, "events waited for a plugin that did not start");
        }
    }

    /// Emits an event: queues it for every observer that has room.
    ///
    /// # Errors
    /// `invalid` and `payload-too-large` for the message; `denied` for a plugin
    /// that emits `core.*`; `event-depth` beyond 8 events that cause each other.
    pub fn emit(&self, by: Emitter, message: &Message<'_>) -> Result<(), ServiceError> {
        let matches = self.admit(&by, message)?;
        if !matches.observers.is_empty() {
            let event = Event::new(matches.name.clone(), message, by);
            self.tell(&matches, &Arc::new(event));
        }
        Ok(())
    }

    /// Emits an event to one plugin, which hears it once, as soon as it serves.
    ///
    /// # Errors
    /// As for [`emit`](Self::emit); `no-such-plugin`; `busy` when its queue is
    /// full.
    pub fn emit_to(
        &self,
        by: Emitter,
        plugin: &str,
        message: &Message<'_>,
    ) -> Result<Sent, ServiceError> {
        let mut matches = self.admit(&by, message)?;
        let event = Arc::new(Event::new(matches.name.clone(), message, by));
        for _ in 0..RELOADS_MAX {
            let mut bus = self.bus();
            let Some(mailbox) = bus.targets.find_or_wait(plugin, &event)? else {
                return Ok(Sent::Waits);
            };
            // What was found before may be another generation's.
            if matches.version != self.version.load(Ordering::Acquire) {
                matches = self.find_on(&bus, &event.name);
            }
            drop(bus);
            let group = matches.of_plugin(plugin);
            let ids = group.into_iter().flat_map(|group| group.hearing(&event));
            match mailbox.push(&event, ids) {
                Ok(pushed) if pushed.queued == 0 && pushed.full > 0 => {
                    return Err(ServiceError::busy(format!(
                        "the queue of {plugin} for {} is full",
                        event.name
                    )));
                }
                Ok(pushed) => return Ok(Sent::Queued(pushed.queued)),
                Err(Stale) => {}
            }
        }
        Err(ServiceError::busy(format!("{plugin} is being reloaded")))
    }

    /// Emits an event of the host that tells a lasting state, to those that hear
    /// it now and to those that come later, until it is [released](Self::release)
    /// or replaced by another of the same name about the same `plugin`.
    pub(crate) fn retain(&self, plugin: Option<&PluginName>, message: &Message<'_>) {
        let by = Emitter::host();
        let Ok(matches) = self.admit(&by, message) else {
            return;
        };
        let event = Arc::new(Event::new(matches.name.clone(), message, by));
        let mut bus = self.bus();
        bus.retained.keep(plugin, event.clone());
        // Found again under the lock: a subscription that comes from here on is
        // told of what is retained.
        let matches = Matches::find(&bus.trie, &event.name, 0);
        for group in &matches.observers {
            // What stands in the trie is not stale while the lock is held.
            let _ = group.mailbox.push(&event, group.hearing(&event));
        }
    }

    /// Ends what is retained about a plugin.
    pub(crate) fn release(&self, plugin: &PluginName) {
        self.bus().retained.release(plugin);
    }

    /// Whether anybody would hear `name`.
    ///
    /// # Errors
    /// `invalid` for what is no name.
    pub fn has_listeners(
        &self,
        plugin: Option<&PluginName>,
        name: &str,
    ) -> Result<bool, ServiceError> {
        let aliases = self.aliases.load();
        Ok(self.matches(aliases.of(plugin, name))?.is_heard())
    }

    /// Who hears a message, if it may be emitted.
    fn admit(&self, by: &Emitter, message: &Message<'_>) -> Result<Arc<Matches>, ServiceError> {
        message.check()?;
        by.check_depth()?;
        let plugin = by.plugin.as_ref().map(|plugin| &plugin.name);
        let aliases = self.aliases.load();
        let matches = self.matches(aliases.of(plugin, message.name))?;
        if plugin.is_some() && matches.is_reserved() {
            return Err(ServiceError::new(
                Status::DENIED,
                "reserved-event",
                format!(
                    "{} is an event of the host, and only the host and its application emit core.*",
                    matches.name
                ),
            ));
        }
        Ok(matches)
    }

    /// Who hears `name`, before the aliases that hold for all.
    fn matches(&self, name: &str) -> Result<Arc<Matches>, ServiceError> {
        let known = self.known.pin();
        if let Some(matches) = known.get(name)
            && matches.version == self.version.load(Ordering::Acquire)
        {
            return Ok(matches.clone());
        }
        let checked = EventName::parse(name);
        checked.map_err(|error| ServiceError::invalid(error.to_string()))?;
        let found = self.find(self.aliases.load().of_all(name));
        if known.len() >= NAMES_MAX {
            known.clear();
        }
        known.insert(name.into(), found.clone());
        Ok(found)
    }

    /// Who hears `name`, after all aliases.
    fn find(&self, name: &str) -> Arc<Matches> {
        self.find_on(&self.bus(), name)
    }

    fn find_on(&self, bus: &Bus, name: &str) -> Arc<Matches> {
        let version = self.version.load(Ordering::Acquire);
        Arc::new(Matches::find(&bus.trie, name, version))
    }

    /// Queues an event for its observers.
    fn tell(&self, matches: &Matches, event: &Arc<Event>) {
        for group in &matches.observers {
            if let Err(Stale) = group.mailbox.push(event, group.hearing(event)) {
                self.tell_next(group.mailbox.context.name.as_str(), event);
            }
        }
    }

    /// Queues an event for a plugin that was reloaded meanwhile.
    fn tell_next(&self, plugin: &str, event: &Arc<Event>) {
        for _ in 0..RELOADS_MAX {
            let matches = self.find(&event.name);
            let Some(group) = matches.of_plugin(plugin) else {
                return;
            };
            if group.mailbox.push(event, group.hearing(event)).is_ok() {
                return;
            }
        }
    }

    /// Makes everybody look again who hears what.
    fn changed(&self) {
        self.version.fetch_add(1, Ordering::Release);
        // Else retired mailboxes would stay for as long as nobody emits.
        self.known.pin().clear();
    }

    fn bus(&self) -> MutexGuard<'_, Bus> {
        // No code of plugins runs under it.
        self.bus.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
