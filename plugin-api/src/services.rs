//! What the host offers, one accessor for each service.

use crate::audit::Audit;
use crate::broadcast::Broadcast;
use crate::cache::Cache;
use crate::config::Config;
use crate::db::Db;
use crate::events::Events;
use crate::export::host::Host;
use crate::kv::Kv;
use crate::log::Log;
use crate::tasks::Tasks;
use crate::webhooks::Webhooks;

/// What the host offers to this plugin: one function for each capability.
///
/// It is a reference in disguise: copying it costs nothing, and it may be kept
/// and used on any thread. After the plugin was stopped every call fails.
#[derive(Debug, Clone, Copy)]
pub struct Services {
    host: &'static Host,
}

impl Services {
    pub(crate) fn new(host: &'static Host) -> Self {
        Services { host }
    }

    /// The services of the plugin that this code is part of, where there is
    /// nobody to hand them over; `None` before `init`.
    pub fn current() -> Option<Self> {
        Host::current().map(Services::new)
    }

    /// Structured lines in the host's log.
    pub fn log(&self) -> Log {
        Log::new(self.host)
    }

    /// The options that the operator set for this plugin.
    pub fn config(&self) -> Config {
        Config::new(self.host)
    }

    /// Futures, timers and blocking work.
    pub fn tasks(&self) -> Tasks {
        Tasks::new(self.host)
    }

    /// The plugin's own database; without the capability `db` every call of it
    /// fails.
    pub fn db(&self) -> Db {
        Db::new(self.host)
    }

    /// Messages to the endpoints of the operator; without the capability
    /// `webhooks` every call of it fails.
    pub fn webhooks(&self) -> Webhooks {
        Webhooks::new(self.host)
    }

    /// Events between plugins and the host; without the capability `events` every
    /// call of it fails.
    pub fn events(&self) -> Events {
        Events::new(self.host)
    }

    /// Messages to the clients that are connected; without the capability
    /// `broadcast` every call of it fails.
    pub fn broadcast(&self) -> Broadcast {
        Broadcast::new(self.host)
    }

    /// The plugin's own durable keys and values; without the capability `kv` every
    /// call of it fails.
    pub fn kv(&self) -> Kv {
        Kv::new(self.host)
    }

    /// Keys and values in memory; without the capability `cache` every call of it
    /// fails.
    pub fn cache(&self) -> Cache {
        Cache::new(self.host)
    }

    /// The record of who did what; without the capability `audit` every call of it
    /// fails.
    pub fn audit(&self) -> Audit {
        Audit::new(self.host)
    }

    /// Whether a capability, such as `broadcast`, was granted. What is in `needs`
    /// always is; of what is in `wants` this tells.
    pub fn granted(&self, capability: &str) -> bool {
        self.host.granted(capability)
    }

    /// The API version of the host: major, minor, patch.
    pub fn api(&self) -> (u32, u32, u32) {
        let version = self.host.api();
        (version.major, version.minor, version.patch)
    }
}
