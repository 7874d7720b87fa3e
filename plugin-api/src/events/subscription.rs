//! Subscriptions: what they hear and how, and how they end.

use std::time::Duration;

use super::handler::{Filtering, Handler, Observing};
use super::subscriber::Subscriber;
use crate::export::host::Host;
use crate::router::millis;
use crate::{Needs, Result};

/// A subscription that is being made; begins with [`on`](Subscribe::on) or
/// [`filter`](Subscribe::filter).
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use exthost_plugin::events::{Event, Raw};
/// use exthost_plugin::prelude::*;
///
/// fn subscribe(events: Events) -> Result<()> {
///     events
///         .subscribe("note.>")
///         .priority(-5)
///         .not_own()
///         .queue_max(64)
///         .deadline(Duration::from_secs(1))
///         .on(async |event: Event<Raw>| drop(log::info(event.name())))?;
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "nothing is subscribed before `on` or `filter`"]
pub struct Subscribe<'a> {
    host: &'static Host,
    pub(crate) pattern: &'a str,
    pub(crate) priority: i32,
    pub(crate) not_own: bool,
    pub(crate) queue_max: u32,
    pub(crate) deadline_ms: u64,
}

impl<'a> Subscribe<'a> {
    pub(super) fn new(host: &'static Host, pattern: &'a str) -> Self {
        Subscribe {
            host,
            pattern,
            priority: 0,
            not_own: false,
            queue_max: 0,
            deadline_ms: 0,
        }
    }

    /// When its turn comes: lower is called first, 0 unless set; ties by the plugin's
    /// name, then by what was subscribed first.
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Does not hear what this plugin emits.
    pub fn not_own(mut self) -> Self {
        self.not_own = true;
        self
    }

    /// Events that may wait for an observer; 1,024 unless set. When it is full the
    /// newest is lost, and [counted](super::Event::lost).
    pub fn queue_max(mut self, events: u32) -> Self {
        self.queue_max = events;
        self
    }

    /// Time for one event in a filter, or in an observer that is an `async fn`: unless
    /// set, what the request has left for a filter, and 5 s for an observer. Past it a
    /// filter has failed, and the future is dropped.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline_ms = millis(deadline);
        self
    }

    /// Subscribes an observer; see [`Events::on`](super::Events::on).
    ///
    /// # Errors
    /// As for `Events::on`.
    pub fn on<M>(self, handler: impl Handler<Observing, M>) -> Result<Subscription> {
        self.begin(false, handler)
    }

    /// Subscribes a filter; see [`Events::filter`](super::Events::filter).
    ///
    /// # Errors
    /// As for `Events::on`.
    pub fn filter<M>(self, handler: impl Handler<Filtering, M>) -> Result<Subscription> {
        self.begin(true, handler)
    }

    fn begin<K, M, H: Handler<K, M>>(self, filters: bool, handler: H) -> Result<Subscription> {
        let host = self.host;
        let mut needs = Needs::default();
        H::needs(&mut needs);
        let what = format!("subscription to {}", self.pattern);
        let subscriber = Subscriber {
            host,
            pattern: self.pattern.to_owned(),
            filters,
            inline: H::ASYNC,
            call: Box::new(move |delivery| handler.call(delivery)),
        };
        let subscribe = || host.subscribe(&self, Box::new(subscriber));
        let id = host.states().require(what, needs, subscribe)?;
        Ok(Subscription { host, id })
    }
}

/// A subscription. Dropping it changes nothing; the host ends all of them when the
/// plugin stops.
#[derive(Debug, Clone, Copy)]
pub struct Subscription {
    host: &'static Host,
    id: u64,
}

impl Subscription {
    /// Ends it, unless it has ended. What waits for it is dropped, what is running is
    /// not interrupted.
    pub fn cancel(self) {
        self.host.unsubscribe(self.id);
    }
}
