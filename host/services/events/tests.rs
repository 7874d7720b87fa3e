//! What is promised of events, seen from a plugin's services.

mod delivery;
mod filters;
mod handlers;
mod reload;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle as Runtime;

use super::*;
use crate::config::{Limits, Pattern};
use crate::services::cause::{Cause, Causes, Origin};
use crate::services::context::Phase;
use crate::services::host_events;
use crate::services::log::Line;
use crate::services::tasks::{TaskSpec, Tasks};

/// A host's events, and plugins that are as many mailboxes.
struct Bus {
    events: Arc<Events>,
}

/// One generation of a plugin, with what it has heard.
#[derive(Clone)]
struct Listener {
    events: Arc<Events>,
    mailbox: Arc<Mailbox>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Bus {
    fn new() -> Self {
        Bus::aliased(Aliases::default())
    }

    fn aliased(aliases: Aliases) -> Self {
        Bus {
            events: Arc::new(Events::new(Runtime::current(), aliases)),
        }
    }

    /// A plugin that has not started.
    fn plugin(&self, name: &str, limits: Limits) -> Listener {
        let name = PluginName::parse(name).unwrap();
        let context = Arc::new(PluginContext::new(name, 1, limits, Vec::new()));
        let pool = Arc::new(Pool::new(Runtime::current(), &limits));
        Listener {
            events: self.events.clone(),
            mailbox: self.events.mailbox(context, pool),
            heard: Arc::default(),
        }
    }

    /// A plugin that serves.
    fn serving(&self, name: &str) -> Listener {
        let listener = self.plugin(name, Limits::default());
        listener.serve();
        listener
    }

    fn emit(&self, name: &str, payload: &str) {
        let message = Message::json(name, payload.as_bytes());
        self.events.emit(Emitter::host(), &message).unwrap();
    }

    async fn request(&self, name: &str, payload: &str, policy: Policy) -> Decision {
        let message = Message::json(name, payload.as_bytes());
        let prepared = self.events.prepare(Emitter::host(), &message).unwrap();
        let decided = self
            .events
            .decide(prepared, policy, Some(Duration::from_secs(30)));
        decided.await.unwrap()
    }
}

impl Listener {
    fn serve(&self) {
        self.mailbox.context.enter(Phase::Serving);
        self.events.activate(&self.mailbox);
    }

    fn emitter(&self) -> Emitter {
        Emitter {
            plugin: Some(self.mailbox.context.clone()),
            ..Emitter::default()
        }
    }

    /// Subscribes with what `spec` makes of the default.
    fn subscribe(
        &self,
        pattern: &str,
        mode: Mode,
        spec: impl FnOnce(&mut Subscription),
        handle: Handle,
    ) -> u64 {
        let mut subscription = Subscription {
            pattern: Pattern::parse(pattern).unwrap(),
            mode,
            priority: 0,
            not_own: false,
            inline: false,
            answers: false,
            queue_max: 1024,
            deadline: None,
            demoted: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        };
        spec(&mut subscription);
        let mut id = 0;
        let announce = |made| id = made;
        self.events
            .subscribe(&self.mailbox, subscription, announce, handle)
            .unwrap();
        id
    }

    /// Keeps what it hears of `pattern`, as `name payload`.
    fn observe(&self, pattern: &str) -> u64 {
        let heard = self.heard.clone();
        let handle: Handle = Box::new(move |_, event| {
            heard.lock().unwrap().push(words(event));
            Ok(())
        });
        self.subscribe(pattern, Mode::Observe, |_| {}, handle)
    }

    /// Answers a filtered event with what `decide` makes of it.
    fn filter(
        &self,
        pattern: &str,
        priority: i32,
        decide: impl Fn(&Heard<'_>) -> Result<Verdict, ServiceError> + Send + Sync + 'static,
    ) -> u64 {
        let (heard, context) = (self.heard.clone(), self.mailbox.context.clone());
        let handle: Handle = Box::new(move |cause, event| {
            heard.lock().unwrap().push(words(event));
            answer(&context, cause, Ok(decide(event)?))
        });
        let spec = |subscription: &mut Subscription| subscription.priority = priority;
        self.subscribe(pattern, Mode::Filter, spec, handle)
    }

    /// What was heard, once all of it was.
    async fn heard(&self) -> Vec<String> {
        self.mailbox.idle().await;
        std::mem::take(&mut self.heard.lock().unwrap())
    }
}

fn answer(
    context: &PluginContext,
    cause: u64,
    verdict: Result<Verdict, ServiceError>,
) -> Result<(), ServiceError> {
    let causes = crate::services::cause::Causes::of_process();
    causes.delivery(context, cause)?.answer(verdict)
}

fn words(heard: &Heard<'_>) -> String {
    let payload = String::from_utf8_lossy(&heard.event.payload);
    format!("{} {payload}", heard.event.name)
}

fn failure() -> ServiceError {
    ServiceError::new(Status::PANICKED, "panicked", "it panicked")
}
