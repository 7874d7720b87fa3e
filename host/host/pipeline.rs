//! The pipeline: takes files from discovery to serving, and what they replace
//! to retirement.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::discovery::Candidate;
use crate::error::{Refusal, RefusedBy};
use crate::host::examined::Examined;
use crate::host::joined::joined;
use crate::host::lock::DataLock;
use crate::host::settings::{PluginSettings, Settings, one_spelling};
use crate::inspect::{Inspected, inspect, inspect_embedded};
use crate::instance::{Generation, InitError, Initialised, Serving};
use crate::library::{Loaded, Loader};
use crate::metrics::{self, Exposition, RefusedRequests};
use crate::name::PluginName;
use crate::pins::PinsError;
use crate::registry::{Plugin, Registry};
use crate::services::broadcast::Broadcast;
use crate::services::context::PluginContext;
use crate::services::events::Events;
use crate::services::webhooks::Webhooks;
use crate::services::{PluginServices, ServicesCore};
use crate::verify::{Policy, Verified, VerifyError, verify};

/// What the last steps of a retirement may overstay the end by.
const GRACE: Duration = Duration::from_millis(500);

/// Takes files through all stages.
#[derive(Debug)]
pub(super) struct Pipeline {
    /// What serves, and what was refused.
    pub(super) registry: Arc<Registry>,
    /// Requests that no plugin was asked to answer.
    pub(super) refused_requests: Arc<RefusedRequests>,
    /// One change of what serves at a time.
    pub(super) changes: tokio::sync::Mutex<()>,
    /// Generations that were replaced and finish what they have begun.
    retiring: Mutex<JoinSet<()>>,
    /// Set when nothing may be installed any more.
    pub(super) ending: AtomicBool,
    /// Nobody else uses the data directory.
    _lock: DataLock,
    pub(super) services: ServicesCore,
    loader: Loader,
    settings: Mutex<Arc<Settings>>,
    /// What generations were made with, by plugin and generation.
    made_with: Mutex<BTreeMap<(PluginName, u64), PluginSettings>>,
    /// The files that were ever found where the settings said.
    found: Mutex<BTreeSet<PathBuf>>,
}

impl Pipeline {
    pub(super) fn new(
        lock: DataLock,
        loader: Loader,
        services: ServicesCore,
        settings: Settings,
    ) -> Self {
        let registry = Arc::default();
        metrics::sample(&registry);
        Pipeline {
            registry,
            refused_requests: Arc::default(),
            changes: tokio::sync::Mutex::new(()),
            retiring: Mutex::default(),
            ending: AtomicBool::new(false),
            _lock: lock,
            services,
            loader,
            settings: Mutex::new(Arc::new(settings.spelled())),
            made_with: Mutex::default(),
            found: Mutex::default(),
        }
    }

    /// The events.
    pub(super) fn events(&self) -> &Arc<Events> {
        self.services.events()
    }

    /// What is measured of all of it.
    pub(super) fn metrics(&self) -> Exposition {
        Exposition {
            registry: self.registry.clone(),
            databases: self.services.databases().clone(),
            caches: self.services.caches().clone(),
            audit: self.services.audit().clone(),
            webhooks: self.webhooks().clone(),
            broadcast: self.broadcast().clone(),
            refused: self.refused_requests.clone(),
        }
    }

    /// The messages to the endpoints.
    pub(super) fn webhooks(&self) -> &Arc<Webhooks> {
        self.services.webhooks()
    }

    /// The messages to connected clients.
    pub(super) fn broadcast(&self) -> &Arc<Broadcast> {
        self.services.broadcast()
    }

    /// What holds for plugins.
    pub(super) fn settings(&self) -> Arc<Settings> {
        lock(&self.settings).clone()
    }

    /// Lets other settings hold from here on.
    pub(super) fn set_settings(&self, settings: Arc<Settings>) {
        *lock(&self.settings) = settings;
    }

    /// Takes every candidate through the pipeline, stage by stage, so that all
    /// have initialised before the first starts. Returns the refusals.
    ///
    /// # Errors
    /// [`PinsError`]; nothing was looked at then.
    pub(super) async fn boot(&self) -> Result<Vec<Refusal>, PinsError> {
        let settings = self.settings();
        let policy = settings.policy()?;
        let Examined {
            admitted: verified,
            refused: mut refusals,
            disabled,
            missing,
        } = self.examine(settings, policy).await;
        self.registry.set_absent(disabled, missing);
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
        Ok(refusals)
    }

    /// Looks at all files that the settings lead to.
    pub(super) async fn examine(&self, settings: Arc<Settings>, policy: Policy) -> Examined {
        let examined = tokio::task::spawn_blocking(move || Examined::of(&settings, policy));
        let examined = joined(examined).await;
        let admitted = examined.admitted.iter();
        let found = admitted.map(|plugin| plugin.inspected().path().to_owned());
        lock(&self.found).extend(found);
        examined
    }

    /// Takes one file through the pipeline, in place of the generation that
    /// serves from it.
    pub(super) async fn install(&self, file: PathBuf) -> Result<PluginName, Refusal> {
        let _change = self.changes.lock().await;
        if self.ending.load(Ordering::Acquire) {
            return Err(Refusal::new(file, InitError::HostEnding));
        }
        let inspected = self.inspect(file).await?;
        let file = inspected.path().to_owned();
        let settings = self.settings();
        let name = inspected.meta().name.clone();
        if let Some(why) = settings.disabled(name.as_str()) {
            return Err(Refusal::new(file, VerifyError::Disabled { name, why }));
        }
        let restart_only = inspected.restart_only();
        let policy = settings.policy();
        let policy = policy.map_err(|why| Refusal::new(&file, why))?;
        let verified = verify(inspected, &policy);
        let verified = verified.map_err(|why| Refusal::new(&file, why))?;
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
        self.replace(verified).await?;
        Ok(name)
    }

    /// Reads `file`, or looks at the embedded plugin that is shown as it.
    async fn inspect(&self, file: PathBuf) -> Result<Inspected, Refusal> {
        if let Some(embedded) = self.embedded_at(&file) {
            return Ok(embedded);
        }
        let file = one_spelling(&file);
        let candidate = Candidate::file(&file);
        match tokio::task::spawn_blocking(|| inspect(candidate)).await {
            Ok(inspected) => inspected.map_err(|why| Refusal::new(file, why)),
            Err(_) => Err(Refusal::new(file, InitError::HostEnding)),
        }
    }

    /// The embedded plugin that is shown as `file`.
    pub(super) fn embedded_at(&self, file: &Path) -> Option<Inspected> {
        let settings = self.settings();
        let embedded = settings.embedded.iter().copied();
        let mut inspected = embedded.filter_map(|plugin| inspect_embedded(plugin).ok());
        inspected.find(|inspected| inspected.path() == file)
    }

    /// Takes a plugin from verified to serving, in place of the generation
    /// before.
    pub(super) async fn replace(&self, verified: Verified) -> Result<(), Refusal> {
        self.events().expect(&verified.meta().name);
        let initialised = self.init(verified).await?;
        self.start(initialised).await
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
        let settings = self.settings().of(verified.meta().name.as_str());
        let loaded = self
            .loader
            .load(verified, settings.limits.init_deadline)
            .await?;
        let services = self.services_of(&loaded, &settings);
        let initialised = Initialised::init(loaded, services).await?;
        let context = initialised.generation().context();
        let key = (context.name.clone(), context.generation);
        lock(&self.made_with).insert(key, settings);
        Ok(initialised)
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
            self.retire_beside(plugin, old);
        }
        self.events()
            .plugin_ready(context, &generation.meta.version);
        Ok(())
    }

    /// Retires what a plugin serves with, in the background.
    pub(super) fn retire_beside(&self, plugin: Arc<Plugin>, serving: Serving) {
        let mut retiring = lock(&self.retiring);
        while retiring.try_join_next().is_some() {}
        let timeout = serving.generation().context().limits.drain_timeout;
        retiring.spawn(self.retire(plugin, serving, timeout));
    }

    /// Drains a generation and counts its end.
    fn retire(
        &self,
        plugin: Arc<Plugin>,
        serving: Serving,
        timeout: Duration,
    ) -> impl Future<Output = ()> + Send + 'static {
        let events = self.events().clone();
        let databases = self.services.databases().clone();
        async move {
            let generation = serving.generation().clone();
            let retired = serving.drain().retire(timeout).await;
            plugin.retired(retired);
            let database = generation.services.db.database();
            // Nobody waits for it: files are closed some time.
            tokio::task::spawn_blocking(move || databases.release(database));
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
        let mut retiring = std::mem::take(&mut *lock(&self.retiring));
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
    fn services_of(&self, loaded: &Loaded, settings: &PluginSettings) -> &'static PluginServices {
        let verified = loaded.verified();
        let name = verified.meta().name.clone();
        let plugin = self.registry.plugin(&name);
        let generation = plugin.next_generation();
        let granted = verified.granted().to_vec();
        let context = PluginContext::new(name, generation, settings.limits, granted)
            .counted_by(plugin.metrics().clone())
            .of_version(&verified.meta().version);
        let options = settings.options.clone();
        Box::leak(Box::new(self.services.plugin(context, options)))
    }

    /// Whether a generation was made with these settings.
    pub(super) fn is_made_with(&self, made: &Generation, settings: &PluginSettings) -> bool {
        let context = made.context();
        let mut made_with = lock(&self.made_with);
        // Of those before, nobody asks any more.
        made_with.retain(|(name, generation), _| {
            *name != context.name || *generation >= context.generation
        });
        let key = (context.name.clone(), context.generation);
        made_with.get(&key) == Some(settings)
    }

    /// The files that were ever found where the settings said, rather than named
    /// by the application.
    pub(super) fn found(&self) -> BTreeSet<PathBuf> {
        lock(&self.found).clone()
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

    pub(super) fn refused(&self, refusal: &Refusal) {
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change is one assignment or one call.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
