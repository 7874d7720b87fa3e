//! The pipeline: takes files from discovery to serving, and what they replace
//! to retirement.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use tokio::task::JoinSet;

use crate::config::Limits;
use crate::discovery::{Candidate, discover};
use crate::error::{Refusal, RefusedBy};
use crate::host::lock::DataLock;
use crate::inspect::inspect;
use crate::instance::{InitError, Initialised, Serving};
use crate::library::{Loaded, Loader};
use crate::name::PluginName;
use crate::registry::{Plugin, Registry};
use crate::services::ServicesCore;
use crate::services::broadcast::Broadcast;
use crate::services::context::PluginContext;
use crate::services::events::Events;
use crate::services::webhooks::Webhooks;
use crate::verify::{Policy, Verified, VerifyError, admit, verify};

/// What the last steps of a retirement may overstay the end by.
const GRACE: Duration = Duration::from_millis(500);

/// Takes files through all stages.
#[derive(Debug)]
pub(super) struct Pipeline {
    /// What serves, and what was refused.
    pub(super) registry: Arc<Registry>,
    /// One change of what serves at a time.
    changes: tokio::sync::Mutex<()>,
    /// Generations that were replaced and finish what they have begun.
    retiring: Mutex<JoinSet<()>>,
    /// Set when nothing may be installed any more.
    ending: AtomicBool,
    /// Nobody else uses the data directory.
    _lock: DataLock,
    services: ServicesCore,
    loader: Loader,
    policy: Policy,
    limits: Limits,
    options: BTreeMap<String, Map<String, Value>>,
}

impl Pipeline {
    pub(super) fn new(
        lock: DataLock,
        loader: Loader,
        services: ServicesCore,
        limits: Limits,
        options: BTreeMap<String, Map<String, Value>>,
    ) -> Self {
        Pipeline {
            registry: Arc::default(),
            changes: tokio::sync::Mutex::new(()),
            retiring: Mutex::default(),
            ending: AtomicBool::new(false),
            _lock: lock,
            services,
            loader,
            policy: Policy::default(),
            limits,
            options,
        }
    }

    /// The events.
    pub(super) fn events(&self) -> &Arc<Events> {
        self.services.events()
    }

    /// The messages to the endpoints.
    pub(super) fn webhooks(&self) -> &Arc<Webhooks> {
        self.services.webhooks()
    }

    /// The messages to connected clients.
    pub(super) fn broadcast(&self) -> &Arc<Broadcast> {
        self.services.broadcast()
    }

    /// Takes every candidate through the pipeline, stage by stage, so that all
    /// have initialised before the first starts. Returns the refusals.
    pub(super) async fn boot(&self, directories: &[PathBuf]) -> Vec<Refusal> {
        let directories: Vec<_> = directories.iter().map(one_spelling).collect();
        let (verified, mut refusals) = examine(&directories, &self.policy);
        for verified in &verified {
            self.events().expect(&verified.meta().name);
        }
        let mut initialised = Vec::new();
        for verified in verified {
            match self.init(verified).await {
                Ok(plugin) => initialised.push(plugin),
                Err(why) => refusals.push(why),
            }
        }
        for plugin in initialised {
            if let Err(refusal) = self.start(plugin).await {
                refusals.push(refusal);
            }
        }
        for refusal in &refusals {
            self.refused(refusal);
        }
        self.events().host_init();
        refusals
    }

    /// Takes one file through the pipeline, in place of the generation that
    /// serves from it.
    pub(super) async fn install(&self, file: PathBuf) -> Result<PluginName, Refusal> {
        let _change = self.changes.lock().await;
        let file = one_spelling(&file);
        if self.ending.load(Ordering::Acquire) {
            return Err(Refusal::new(file, InitError::HostEnding));
        }
        let candidate = Candidate::file(&file);
        let inspected = tokio::task::spawn_blocking(|| inspect(candidate)).await;
        let inspected = match inspected {
            Ok(inspected) => inspected.map_err(|why| Refusal::new(&file, why))?,
            Err(_) => return Err(Refusal::new(file, InitError::HostEnding)),
        };
        let restart_only = inspected.restart_only();
        let verified = verify(inspected, &self.policy).map_err(|why| Refusal::new(&file, why))?;
        let name = verified.meta().name.clone();
        if let Some(serving) = self.registry.serving(name.as_ref()) {
            let winner = serving.file.clone();
            if winner != file {
                let why = VerifyError::DuplicateName { name, winner };
                return Err(Refusal::new(file, why));
            }
            if restart_only {
                return Err(Refusal::new(file, VerifyError::RestartOnly { name }));
            }
        }
        self.events().expect(&name);
        let initialised = self.init(verified).await?;
        self.start(initialised).await?;
        Ok(name)
    }

    /// Takes a plugin through `init`.
    async fn init(&self, verified: Verified) -> Result<Initialised, Refusal> {
        let file = verified.inspected().path().to_owned();
        let name = verified.meta().name.clone();
        let initialised = self.load_and_init(verified).await;
        let initialised = initialised.map_err(|why| {
            self.events().forget(&name);
            Refusal::new(&file, why)
        })?;
        let generation = initialised.generation();
        self.events()
            .plugin_loaded(generation.context(), &generation.meta.version);
        Ok(initialised)
    }

    async fn load_and_init(&self, verified: Verified) -> Result<Initialised, RefusedBy> {
        let loaded = self
            .loader
            .load(verified, self.limits.init_deadline)
            .await?;
        let services = self.services_of(&loaded);
        Ok(Initialised::init(loaded, services).await?)
    }

    /// Starts a plugin and lets it take the calls of its name.
    async fn start(&self, initialised: Initialised) -> Result<(), Refusal> {
        let file = initialised.generation().file.clone();
        let name = initialised.generation().context().name.clone();
        let serving = initialised.start().await.map_err(|why| {
            self.events().forget(&name);
            Refusal::new(&file, why)
        })?;
        let generation = serving.generation().clone();
        let context = generation.context();
        let plugin = self.registry.plugin(&name);
        tracing::info!(
            plugin = %name,
            version = %generation.meta.version,
            generation = context.generation,
            routes = generation.routes.routes().len(),
            "serving"
        );
        serving.listen();
        if let Some(old) = plugin.serve(serving) {
            let mut retiring = self.retiring.lock().unwrap_or_else(PoisonError::into_inner);
            while retiring.try_join_next().is_some() {}
            retiring.spawn(self.retire(plugin, old, self.limits.drain_timeout));
        }
        self.events()
            .plugin_ready(context, &generation.meta.version);
        Ok(())
    }

    /// Drains a generation and counts its end.
    fn retire(
        &self,
        plugin: Arc<Plugin>,
        serving: Serving,
        timeout: Duration,
    ) -> impl Future<Output = ()> + Send + 'static {
        let events = self.events().clone();
        async move {
            let generation = serving.generation().clone();
            let retired = serving.drain().retire(timeout).await;
            plugin.retired(retired);
            let context = generation.context();
            tracing::info!(
                plugin = %context.name,
                generation = retired.generation,
                abandoned = retired.abandoned,
                "retired"
            );
            events.plugin_retired(context, retired.abandoned, !plugin.is_serving());
        }
    }

    /// Refuses whatever is to be installed from here on, and tells of the end.
    pub(super) fn end(&self) {
        if !self.ending.swap(true, Ordering::AcqRel) {
            self.events().host_terminating();
        }
    }

    /// Retires everything by `end`, as far as the plugins let it.
    pub(super) async fn shutdown(&self, end: Instant) {
        // What is being installed may serve in a moment, and is then retired.
        let _change = tokio::time::timeout_at(end.into(), self.changes.lock()).await;
        let mut retiring = {
            let mut retiring = self.retiring.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *retiring)
        };
        for (plugin, serving) in self.registry.take_all() {
            let left = end.saturating_duration_since(Instant::now());
            retiring.spawn(self.retire(plugin, serving, left));
        }
        let all = async { while retiring.join_next().await.is_some() {} };
        let _ = tokio::time::timeout_at((end + GRACE).into(), all).await;
        retiring.detach_all();
        self.services.close(end).await;
    }

    /// The services of a new generation, for the life of the process: its hooks
    /// may run as long.
    fn services_of(&self, loaded: &Loaded) -> &'static crate::services::PluginServices {
        let verified = loaded.verified();
        let name = verified.meta().name.clone();
        let generation = self.registry.plugin(&name).next_generation();
        let options = self.options.get(name.as_ref()).cloned().unwrap_or_default();
        let granted = verified.granted().to_vec();
        let context = PluginContext::new(name, generation, self.limits, granted);
        Box::leak(Box::new(self.services.plugin(context, options)))
    }

    /// Logs and keeps a refusal, or forgets an earlier one.
    pub(super) fn note(
        &self,
        installed: Result<PluginName, Refusal>,
    ) -> Result<PluginName, Refusal> {
        match &installed {
            Ok(name) => {
                if let Some(serving) = self.registry.serving(name.as_ref()) {
                    self.registry.forget(&serving.file);
                }
            }
            Err(refusal) => self.refused(refusal),
        }
        installed
    }

    fn refused(&self, refusal: &Refusal) {
        tracing::error!(
            file = %refusal.file().display(),
            code = refusal.code(),
            "refused: {}",
            refusal.message()
        );
        self.events()
            .plugin_failed(refusal.file(), refusal.code(), &refusal.message());
        self.registry.refuse(refusal);
    }
}

/// The path under which a file is known, so that a later load of it finds what it
/// replaces, or the refusal that it mends.
fn one_spelling(path: &PathBuf) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.clone())
}

/// Takes every candidate of `directories` as far as can be without running any
/// of its code: those admitted in their start order, and those refused.
pub fn examine(directories: &[PathBuf], policy: &Policy) -> (Vec<Verified>, Vec<Refusal>) {
    let (candidates, errors) = discover(directories);
    let mut refusals: Vec<Refusal> = errors
        .into_iter()
        .map(|error| Refusal::new(error.path().to_owned(), error))
        .collect();
    let mut verified = Vec::new();
    for candidate in candidates {
        let file = candidate.path().to_owned();
        match inspect(candidate) {
            Err(why) => refusals.push(Refusal::new(file, why)),
            Ok(inspected) => match verify(inspected, policy) {
                Err(why) => refusals.push(Refusal::new(file, why)),
                Ok(plugin) => verified.push(plugin),
            },
        }
    }
    let (admitted, turned_away) = admit(verified);
    refusals.extend(
        turned_away
            .into_iter()
            .map(|refused| Refusal::new(refused.path, refused.error)),
    );
    (admitted, refusals)
}
