//! Name to plugin: the one shared map, and the status that operators see.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, UNIX_EPOCH};

use arc_swap::{ArcSwap, ArcSwapOption};
use serde::{Deserialize, Serialize};

use crate::error::Refusal;
use crate::gate::CallPermit;
use crate::inspect::Meta;
use crate::instance::{Generation, Retired, Serving};
use crate::name::PluginName;
use crate::services::metrics::{CLASSES, History, PluginMetrics, Snapshot};

pub use crate::services::events::{Mode as SubscriptionMode, SubscriptionStatus};
pub use crate::services::metrics::Rates;

/// All plugins of a host.
///
/// # Threading
/// Looking a plugin up never waits; the map is replaced as a whole when a
/// plugin's name appears for the first time.
#[derive(Debug, Default)]
pub struct Registry {
    plugins: ArcSwap<BTreeMap<PluginName, Arc<Plugin>>>,
    refused: Mutex<Vec<RefusedStatus>>,
    disabled: Mutex<Vec<DisabledStatus>>,
    missing: Mutex<Vec<String>>,
    /// Serialises what changes `plugins`.
    changes: Mutex<()>,
}

/// One plugin, over all its generations.
#[derive(Debug)]
pub struct Plugin {
    /// The generation that takes calls.
    current: ArcSwapOption<Generation>,
    /// The right to drain it.
    serving: Mutex<Option<Serving>>,
    generations: AtomicU64,
    retired: AtomicU64,
    abandoned: AtomicU64,
    metrics: Arc<PluginMetrics>,
    history: History,
}

impl Registry {
    /// The generation of `name` that takes calls, with a permit for one.
    pub fn enter(&self, name: &str) -> Option<(Arc<Generation>, CallPermit)> {
        let plugins = self.plugins.load();
        let plugin = plugins.get(name)?;
        loop {
            let generation = plugin.current.load_full()?;
            if let Some(permit) = generation.context().calls.enter() {
                return Some((generation, permit));
            }
            // It was replaced between the two lines; the next one is there, or
            // none is, before its gate was closed.
            std::hint::spin_loop();
        }
    }

    /// The generation of `name` that takes calls.
    pub fn serving(&self, name: &str) -> Option<Arc<Generation>> {
        self.plugins.load().get(name)?.current.load_full()
    }

    /// The plugin `name`, which need not serve yet.
    pub fn plugin(&self, name: &PluginName) -> Arc<Plugin> {
        let _change = lock(&self.changes);
        if let Some(plugin) = self.plugins.load().get(name) {
            return plugin.clone();
        }
        let plugin = Arc::new(Plugin::new());
        let mut plugins = BTreeMap::clone(&self.plugins.load());
        plugins.insert(name.clone(), plugin.clone());
        self.plugins.store(Arc::new(plugins));
        plugin
    }

    /// The generations that take calls.
    pub fn all_serving(&self) -> Vec<Arc<Generation>> {
        let plugins = self.plugins.load();
        let serving = plugins
            .values()
            .filter_map(|plugin| plugin.current.load_full());
        serving.collect()
    }

    /// All plugins that were ever loaded, by name.
    pub fn all(&self) -> Vec<(PluginName, Arc<Plugin>)> {
        let plugins = self.plugins.load();
        let all = plugins.iter();
        all.map(|(name, plugin)| (name.clone(), plugin.clone()))
            .collect()
    }

    /// Takes every serving generation away, in no order.
    pub fn take_all(&self) -> Vec<(Arc<Plugin>, Serving)> {
        let plugins = self.plugins.load();
        let taken = plugins
            .values()
            .filter_map(|plugin| Some((plugin.clone(), plugin.take()?)));
        taken.collect()
    }

    /// Remembers a refusal, in place of an earlier one of the same file.
    pub fn refuse(&self, refusal: &Refusal) {
        self.forget(refusal.file());
        lock(&self.refused).push(RefusedStatus::of(refusal));
    }

    /// Forgets the refusal of a file that loads now.
    pub fn forget(&self, file: &std::path::Path) {
        lock(&self.refused).retain(|refused| refused.file != file);
    }

    /// Forgets all refusals, before all files are looked at again.
    pub fn forget_all(&self) {
        lock(&self.refused).clear();
    }

    /// Remembers the plugins that the operator does not want, and those of which
    /// something is said and that were not found.
    pub fn set_absent(&self, disabled: Vec<DisabledStatus>, missing: Vec<String>) {
        *lock(&self.disabled) = disabled;
        *lock(&self.missing) = missing;
    }

    /// What operators see.
    pub fn status(&self) -> HostStatus {
        let plugins = self.plugins.load();
        let plugins = plugins.iter();
        let plugins: Vec<_> = plugins
            .filter_map(|(name, plugin)| plugin.status(name))
            .collect();
        // An application may have installed one since.
        let serves = |name: &&String| plugins.iter().any(|plugin| plugin.name == **name);
        let missing = lock(&self.missing);
        let missing = missing.iter().filter(|name| !serves(name)).cloned();
        HostStatus {
            missing: missing.collect(),
            refused: lock(&self.refused).clone(),
            disabled: lock(&self.disabled).clone(),
            plugins,
        }
    }
}

impl Plugin {
    fn new() -> Self {
        let metrics = Arc::<PluginMetrics>::default();
        Plugin {
            current: ArcSwapOption::empty(),
            serving: Mutex::default(),
            generations: AtomicU64::new(0),
            retired: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
            history: History::new(&metrics, Instant::now()),
            metrics,
        }
    }

    /// What is counted over all generations.
    pub fn metrics(&self) -> &Arc<PluginMetrics> {
        &self.metrics
    }

    /// Notes what has been counted by now, for the rates.
    pub fn sample(&self, now: Instant) {
        self.history.add(Snapshot::of(&self.metrics, now));
    }

    /// The generation that takes calls.
    pub fn current(&self) -> Option<Arc<Generation>> {
        self.current.load_full()
    }

    /// Generations retired, and how many of them had to be leaked.
    pub fn ended(&self) -> (u64, u64) {
        let ended = [&self.retired, &self.abandoned];
        ended.map(|count| count.load(Ordering::Acquire)).into()
    }

    /// The number of the next generation.
    pub fn next_generation(&self) -> u64 {
        self.generations.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Lets `serving` take the calls, and returns the one that did before.
    pub fn serve(&self, serving: Serving) -> Option<Serving> {
        let mut current = lock(&self.serving);
        // New calls see the new generation before the old one's gate closes.
        self.current.store(Some(serving.generation().clone()));
        current.replace(serving)
    }

    /// Takes the serving generation away; calls find none.
    pub fn take(&self) -> Option<Serving> {
        let mut current = lock(&self.serving);
        self.current.store(None);
        current.take()
    }

    /// Whether a generation takes calls.
    pub fn is_serving(&self) -> bool {
        self.current.load().is_some()
    }

    /// Counts a retired generation.
    pub fn retired(&self, retired: Retired) {
        self.retired.fetch_add(1, Ordering::AcqRel);
        self.abandoned
            .fetch_add(u64::from(retired.abandoned), Ordering::AcqRel);
    }

    fn status(&self, name: &PluginName) -> Option<PluginStatus> {
        let generation = self.current.load_full()?;
        let context = generation.context();
        let (retired, abandoned) = self.ended();
        Some(PluginStatus {
            name: name.to_string(),
            version: generation.meta.version.to_string(),
            state: State::Serving,
            generation: context.generation,
            retired,
            abandoned,
            requests: generation.requests.load(Ordering::Relaxed),
            in_flight: context.calls.in_flight(),
            faults: context.faults.load(Ordering::Relaxed),
            totals: Totals::of(&self.metrics),
            rates: self.history.rates(),
            since_ms: generation
                .since
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_millis() as u64),
            file: generation.file.clone(),
            hash: generation.hash.to_hex().to_string(),
            routes: generation
                .routes
                .routes()
                .iter()
                .map(|route| route.into())
                .collect(),
            subscriptions: generation.services.mailbox.status(),
            meta: generation.meta.clone(),
        })
    }
}

/// What operators see of a host.
#[derive(Debug, Clone, Serialize)]
pub struct HostStatus {
    /// The plugins that serve, by name.
    pub plugins: Vec<PluginStatus>,
    /// The files that were refused, in the order of their refusal.
    pub refused: Vec<RefusedStatus>,
    /// The plugins that the operator does not want.
    pub disabled: Vec<DisabledStatus>,
    /// The plugins of which something is said and that were not found.
    pub missing: Vec<String>,
}

/// What operators see of a plugin.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct PluginStatus {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it is doing.
    pub state: State,
    /// Which load of it serves, counted from 1.
    pub generation: u64,
    /// Generations retired; their images stay mapped.
    pub retired: u64,
    /// Of those, the ones whose instance had to be leaked.
    pub abandoned: u64,
    /// Requests handed to this generation.
    pub requests: u64,
    /// Requests in flight.
    pub in_flight: u64,
    /// Panics, overstays and misuse of this generation.
    pub faults: u64,
    /// What it has done over all generations.
    pub totals: Totals,
    /// What it does in a second, of late; nothing in the first seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rates: Option<Rates>,
    /// When this generation was made, milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// The file it came from.
    pub file: PathBuf,
    /// The file's BLAKE3 hash.
    pub hash: String,
    /// Its routes.
    pub routes: Vec<RouteStatus>,
    /// The events it hears.
    pub subscriptions: Vec<SubscriptionStatus>,
    /// What it says of itself.
    pub meta: Meta,
}

/// What a plugin has done over all its generations, since the process began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Totals {
    /// Responses to requests that were handed to it, whoever made them.
    pub responses: u64,
    /// Those of them with a status of 5xx.
    pub errors: u64,
    /// Panics, overstays and misuse.
    pub faults: u64,
}

impl Totals {
    fn of(metrics: &PluginMetrics) -> Self {
        let responses = metrics.responses();
        Totals {
            responses: responses.iter().sum(),
            errors: responses[CLASSES - 1],
            faults: metrics.faults.load(Ordering::Relaxed),
        }
    }
}

/// What a plugin is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum State {
    /// It takes calls.
    Serving,
}

/// What operators see of a route.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RouteStatus {
    /// The method, or `*`.
    pub method: String,
    /// The pattern after the mount.
    pub pattern: String,
    /// Reachable without authentication.
    pub public: bool,
    /// Called on the thread that read the request.
    pub inline: bool,
}

impl From<&Arc<crate::services::routes::Route>> for RouteStatus {
    fn from(route: &Arc<crate::services::routes::Route>) -> Self {
        let method = route.method.as_ref();
        RouteStatus {
            method: method.map_or("*", |method| method.as_str()).to_owned(),
            pattern: route.pattern.clone(),
            public: route.public,
            inline: route.is_inline(),
        }
    }
}

/// What operators see of a refused file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RefusedStatus {
    /// The file.
    pub file: PathBuf,
    /// The stable code of the refusal.
    pub code: String,
    /// What differs, and what to do.
    pub message: String,
    /// Whether code of the file may have run before it was refused.
    pub code_ran: bool,
}

impl RefusedStatus {
    /// What operators see of a refusal.
    pub fn of(refusal: &Refusal) -> Self {
        RefusedStatus {
            file: refusal.file().to_owned(),
            code: refusal.code().to_owned(),
            message: refusal.message(),
            code_ran: refusal.code_ran(),
        }
    }
}

/// What operators see of a plugin that they do not want.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DisabledStatus {
    /// Its name.
    pub name: String,
    /// Its file.
    pub file: PathBuf,
    /// Where the operator says so.
    pub reason: String,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change is one assignment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
