//! Name to plugin: the one shared map, and the status that operators see.

mod status;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, UNIX_EPOCH};

use arc_swap::{ArcSwap, ArcSwapOption};

use crate::error::Refusal;
use crate::gate::CallPermit;
use crate::instance::{Generation, Retired, Serving};
use crate::name::PluginName;
use crate::services::metrics::{History, PluginMetrics, Snapshot};

pub use crate::services::events::{Mode as SubscriptionMode, SubscriptionStatus};
pub use crate::services::metrics::Rates;
pub use status::{
    DisabledStatus, HostStatus, PluginStatus, RefusedStatus, RouteStatus, State, Totals,
};

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
            database: Some(generation.services.db.database().status())
                .filter(|database| database.file_bytes > 0 || database.damage.is_some()),
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change is one assignment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
