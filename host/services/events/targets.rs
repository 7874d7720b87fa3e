//! The plugins that an event can be emitted to, ready or not yet.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use exthost_abi::Status;

use crate::config::beginning;
use crate::name::PluginName;
use crate::services::error::ServiceError;
use crate::services::events::event::Event;
use crate::services::events::mailbox::Mailbox;

/// Events that may wait for a plugin that is not ready yet.
pub(super) const WAITING_MAX: usize = 1024;

/// Bytes of payloads that may wait for a plugin that is not ready yet.
pub(super) const WAITING_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The plugins that are ready, or on the way to it.
#[derive(Debug, Default)]
pub(super) struct Targets(BTreeMap<PluginName, Target>);

#[derive(Debug)]
enum Target {
    /// It is being initialised or started; this waits for it.
    Expected(Queue),
    /// It hears.
    Ready(Arc<Mailbox>),
}

/// Events that wait for a plugin.
#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<Arc<Event>>,
    bytes: usize,
}

impl Queue {
    /// Lets an event wait.
    ///
    /// # Errors
    /// Why there is no room for it.
    fn push(&mut self, event: &Arc<Event>) -> Result<(), String> {
        let bytes = self.bytes + event.payload.len();
        if self.events.len() >= WAITING_MAX {
            return Err(format!("{WAITING_MAX} events wait"));
        }
        if bytes > WAITING_BYTES_MAX {
            return Err(format!(
                "events of {} bytes, of at most {WAITING_BYTES_MAX} bytes, wait",
                self.bytes
            ));
        }
        self.bytes = bytes;
        self.events.push_back(event.clone());
        Ok(())
    }
}

/// What took a plugin's place as a target.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// The generation before.
    pub(super) mailbox: Option<Arc<Mailbox>>,
    /// What has waited for the first one.
    pub(super) waiting: VecDeque<Arc<Event>>,
}

impl Targets {
    /// Lets events wait for `plugin`, which is on its way.
    pub(super) fn expect(&mut self, plugin: &PluginName) {
        let waiting = || Target::Expected(Queue::default());
        self.0.entry(plugin.clone()).or_insert_with(waiting);
    }

    /// Gives up a plugin that has not become ready. Returns how many events have
    /// waited for it.
    pub(super) fn forget(&mut self, plugin: &PluginName) -> usize {
        match self.0.get(plugin) {
            Some(Target::Expected(_)) => match self.0.remove(plugin) {
                Some(Target::Expected(waiting)) => waiting.events.len(),
                _ => 0,
            },
            _ => 0,
        }
    }

    /// Makes a mailbox that of its plugin.
    pub(super) fn ready(&mut self, mailbox: &Arc<Mailbox>) -> Before {
        let plugin = mailbox.context.name.clone();
        match self.0.insert(plugin, Target::Ready(mailbox.clone())) {
            None => Before::default(),
            Some(Target::Expected(waiting)) => Before {
                mailbox: None,
                waiting: waiting.events,
            },
            Some(Target::Ready(before)) => Before {
                mailbox: Some(before),
                waiting: VecDeque::new(),
            },
        }
    }

    /// Forgets a mailbox, if it is that of its plugin.
    pub(super) fn withdraw(&mut self, mailbox: &Arc<Mailbox>) {
        let name = &mailbox.context.name;
        if let Some(Target::Ready(known)) = self.0.get(name)
            && Arc::ptr_eq(known, mailbox)
        {
            self.0.remove(name);
        }
    }

    /// The mailbox of `plugin`; when it is not ready yet, `event` waits for it.
    ///
    /// # Errors
    /// `no-such-plugin`, or `busy` when too many wait.
    pub(super) fn find_or_wait(
        &mut self,
        plugin: &str,
        event: &Arc<Event>,
    ) -> Result<Option<Arc<Mailbox>>, ServiceError> {
        match self.0.get_mut(plugin) {
            Some(Target::Ready(mailbox)) => Ok(Some(mailbox.clone())),
            Some(Target::Expected(waiting)) => match waiting.push(event) {
                Ok(()) => Ok(None),
                Err(full) => Err(ServiceError::busy(format!(
                    "{full} for {plugin}, which is not ready yet"
                ))),
            },
            None => Err(ServiceError::new(
                Status::NOT_FOUND,
                "no-such-plugin",
                format!(
                    "no plugin named `{}` is loaded",
                    beginning(plugin).escape_debug()
                ),
            )),
        }
    }
}
