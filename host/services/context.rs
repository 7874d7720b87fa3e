//! Who is calling: one generation of one plugin, its grants, limits and phase.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use exthost_abi::Status;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::Limits;
use crate::gate::{CallGate, CallPermit};
use crate::inspect::Capability;
use crate::name::PluginName;
use crate::services::error::ServiceError;
use crate::services::metrics::PluginMetrics;

/// What every service asks first about the plugin that calls it.
#[derive(Debug)]
pub struct PluginContext {
    /// The plugin's name.
    pub name: PluginName,
    /// The plugin's version; empty where nobody asks for it.
    pub version: String,
    /// Which load of the plugin this is, counted from 1.
    pub generation: u64,
    /// What it may use.
    pub limits: Limits,
    /// Counts its requests in flight; closed by a drain.
    pub calls: Arc<CallGate>,
    /// Counts its tasks, timers and pending completions; closed by `stop`.
    pub work: Arc<CallGate>,
    /// Panics, overstays and misuse, counted.
    pub faults: AtomicU64,
    /// What is counted over all generations.
    pub metrics: Arc<PluginMetrics>,
    /// What its timers go by.
    pub clock: Clock,
    granted: Vec<Capability>,
    /// The phase, for those who look.
    phase: AtomicU8,
    /// The phase, for those who wait.
    phases: watch::Sender<Phase>,
    /// When it began to serve, by its clock.
    serving_since: OnceLock<Instant>,
}

/// How far a generation has come. The order is that of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Its `init` runs: registrations are staged.
    Init,
    /// `init` has returned, or `start` runs.
    Initialised,
    /// Its routes and subscriptions are active.
    Serving,
    /// The end was announced: endless streams should end, and soon no new calls
    /// come.
    Draining,
    /// Every service answers `stopped`.
    Stopped,
}

impl PluginContext {
    /// A context in [`Phase::Init`].
    pub fn new(
        name: PluginName,
        generation: u64,
        limits: Limits,
        granted: Vec<Capability>,
    ) -> Self {
        PluginContext {
            name,
            version: String::new(),
            generation,
            limits,
            calls: CallGate::new(),
            work: CallGate::new(),
            faults: AtomicU64::new(0),
            metrics: Arc::default(),
            clock: Clock::real(),
            granted,
            phase: AtomicU8::new(Phase::Init as u8),
            phases: watch::Sender::new(Phase::Init),
            serving_since: OnceLock::new(),
        }
    }

    /// Counts with `metrics`, which other generations count with as well.
    pub fn counted_by(mut self, metrics: Arc<PluginMetrics>) -> Self {
        self.metrics = metrics;
        self
    }

    /// Is of this version of the plugin.
    pub fn of_version(mut self, version: impl ToString) -> Self {
        self.version = version.to_string();
        self
    }

    /// All that was granted.
    pub fn granted(&self) -> &[Capability] {
        &self.granted
    }

    /// Whether `id/revision` was granted.
    pub fn is_granted(&self, id: &str, revision: u32) -> bool {
        self.granted
            .iter()
            .any(|granted| granted.id == id && granted.revision == revision)
    }

    /// The phase.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Init,
            1 => Phase::Initialised,
            2 => Phase::Serving,
            3 => Phase::Draining,
            _ => Phase::Stopped,
        }
    }

    /// Goes on to `phase`; never back.
    pub fn enter(&self, phase: Phase) {
        self.phases.send_if_modified(|current| {
            let forward = phase > *current;
            if forward {
                if phase == Phase::Serving {
                    self.serving_since.get_or_init(|| self.clock.now());
                }
                *current = phase;
                self.phase.store(phase as u8, Ordering::Release);
            }
            forward
        });
    }

    /// When it began to serve, by its clock, if it has.
    pub fn serving_since(&self) -> Option<Instant> {
        self.serving_since.get().copied()
    }

    /// Waits until the phase is `phase` or a later one.
    pub async fn reached(&self, phase: Phase) {
        let mut phases = self.phases.subscribe();
        // The sender lives as long as `self`.
        let _ = phases.wait_for(|current| *current >= phase).await;
    }

    /// Refuses a plugin that has been stopped.
    pub fn check_running(&self) -> Result<(), ServiceError> {
        match self.phase() {
            Phase::Stopped => Err(ServiceError::stopped()),
            _ => Ok(()),
        }
    }

    /// Refuses a registration outside `init`.
    pub fn check_init(&self, what: &str) -> Result<(), ServiceError> {
        match self.phase() {
            Phase::Init => Ok(()),
            Phase::Stopped => Err(ServiceError::stopped()),
            _ => Err(ServiceError::misplaced(format!(
                "{what} is possible in init only, and init has returned"
            ))),
        }
    }

    /// Admits a task, timer or pending completion.
    pub fn begin_work(&self) -> Result<CallPermit, ServiceError> {
        let permit = self.work.enter().ok_or_else(ServiceError::stopped)?;
        if self.work.in_flight() > self.limits.tasks_max as u64 {
            return Err(ServiceError::new(
                Status::BUSY,
                "tasks-max",
                format!(
                    "this plugin has {} tasks and timers, its limit",
                    self.limits.tasks_max
                ),
            ));
        }
        Ok(permit)
    }

    /// Counts and logs a fault of the plugin: what went wrong where, serving
    /// which request.
    pub fn fault(&self, at: &str, request: Option<&str>, fault: &ServiceError) {
        self.faults.fetch_add(1, Ordering::Relaxed);
        self.metrics.faults.fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            target: "exthost::fault",
            plugin = %self.name,
            generation = self.generation,
            request,
            at,
            code = &*fault.code,
            detail = (!fault.detail.is_empty()).then_some(&*fault.detail),
            "{}", fault.message
        );
    }
}
