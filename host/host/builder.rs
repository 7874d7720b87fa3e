//! How a host is made.

use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arc_swap::ArcSwap;
use exthost_abi::Embedded;
use serde_json::{Map, Value};
use tokio::runtime::Handle;

use crate::auth::{AnyAuthenticator, Authenticator, Development, FromExtensions};
use crate::clock::Clock;
use crate::config::{
    AddressRange, BroadcastSettings, ConfigFile, Endpoint, EventName, Grant, Limits, PluginConfig,
};
use crate::error::Refusal;
use crate::host::Host;
use crate::host::examined::Examined;
use crate::host::joined::joined;
use crate::host::lock::{DataError, DataLock, Purpose};
use crate::host::pipeline::Pipeline;
use crate::host::settings::Settings;
use crate::library::Loader;
use crate::pins::PinsError;
use crate::private;
use crate::services::ServicesCore;
use crate::services::audit::{Audit, AuditError};
use crate::services::broadcast::Broadcast;
use crate::services::db::Databases;
use crate::services::events::Events;
use crate::services::webhooks::{WebhookSettings, Webhooks, WebhooksError};

/// How a [`Host`] is to be.
#[derive(Debug, Clone)]
pub struct HostBuilder {
    pub(super) data: PathBuf,
    pub(super) clock: Clock,
    pub(super) settings: Settings,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) webhook_settings: WebhookSettings,
    pub(super) broadcast: BroadcastSettings,
    authenticator: Option<AnyAuthenticator>,
    file: ConfigFile,
    strict: bool,
    development: bool,
}

impl HostBuilder {
    pub(super) fn new() -> Self {
        HostBuilder {
            data: PathBuf::from("data"),
            clock: Clock::real(),
            settings: Settings::default(),
            endpoints: Vec::new(),
            webhook_settings: WebhookSettings::default(),
            broadcast: BroadcastSettings::default(),
            authenticator: None,
            file: ConfigFile::default(),
            strict: false,
            development: false,
        }
    }

    /// Adds a plugin that is compiled into this program; one wins its name before
    /// all that are files. It is shown as the file `embedded:<name>`, and
    /// [`Host::reload`] makes a new generation of it.
    ///
    /// # Examples
    /// ```
    /// use exthost::Host;
    /// use exthost_plugin::prelude::*;
    ///
    /// struct Audit;
    ///
    /// impl Plugin for Audit {
    ///     fn init(router: &mut Router, _: &Services) -> Result<Self> {
    ///         router.get("entries", || "none yet");
    ///         Ok(Audit)
    ///     }
    /// }
    ///
    /// export_plugin!(Audit, embedded, name = "audit", version = "1.0.0");
    ///
    /// # fn main() {
    /// let builder = Host::builder().embed(Audit::embedded()).directory("plugins");
    /// # }
    /// ```
    pub fn embed(mut self, plugin: Embedded) -> Self {
        self.settings.embedded.push(plugin);
        self
    }

    /// Adds a directory of plugins; earlier ones win a plugin's name.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.settings.directories.push(directory.into());
        self
    }

    /// Sets where data is kept; the default is `data`.
    pub fn data(mut self, data: impl Into<PathBuf>) -> Self {
        self.data = data.into();
        self
    }

    /// Sets the limits of every plugin.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Loads no plugin at all if it is false; what is found is listed as
    /// disabled.
    pub fn plugins_enabled(mut self, enabled: bool) -> Self {
        self.settings.enabled = enabled;
        self
    }

    /// Loads only these plugins of all that are found.
    pub fn only(mut self, plugins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let plugins = plugins.into_iter().map(Into::into);
        self.settings.only.get_or_insert_default().extend(plugins);
        self
    }

    /// Loads only the plugins that this file pins, with no more than it grants them;
    /// `exthost pin` writes such a file. Plugins that are compiled into this program
    /// need no pin.
    pub fn locked(mut self, lock_file: impl Into<PathBuf>) -> Self {
        self.settings.lock_file = Some(lock_file.into());
        self
    }

    /// Refuses plugin files, and a lock file, that others than root and the user of
    /// this process can write to, unless it is false; a host in
    /// [development](Self::development) takes them all. On Windows nothing is checked.
    pub fn check_owners(mut self, check: bool) -> Self {
        self.settings.check_owners = check;
        self
    }

    /// Says all of one plugin, in place of what was said before.
    pub fn plugin(mut self, plugin: impl Into<String>, config: PluginConfig) -> Self {
        self.settings.said[0].insert(plugin.into(), config);
        self
    }

    /// Grants one plugin these capabilities and no others. One that it needs and
    /// is not granted refuses it.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let builder = exthost::Host::builder().grants("notes", ["routes".parse()?, "db".parse()?]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn grants(
        mut self,
        plugin: impl Into<String>,
        grants: impl IntoIterator<Item = Grant>,
    ) -> Self {
        let said = self.said_of(plugin);
        said.grants.get_or_insert_default().extend(grants);
        self
    }

    /// Sets the time that webhooks and the timers of plugins go by; the real one,
    /// unless a test wants to move it on.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the options of one plugin.
    pub fn options(mut self, plugin: impl Into<String>, options: Map<String, Value>) -> Self {
        self.said_of(plugin).options = options;
        self
    }

    /// Sets the SQLite file of the application, of which plugins may read the
    /// tables that [`tables`](Self::tables) grants them, as `host.<table>`.
    pub fn host_database(mut self, file: impl Into<PathBuf>) -> Self {
        self.settings.host_database = Some(file.into());
        self
    }

    /// Bounds what SQLite takes of memory in this whole process, the application's own
    /// use of it included, unless the configuration says otherwise; nothing bounds it by
    /// itself. A statement that would take more fails with `out-of-memory`. Once set it
    /// can be lowered, and not raised.
    pub fn database_memory(mut self, bytes_max: NonZeroU64) -> Self {
        self.settings.database_memory = Some(bytes_max);
        self
    }

    /// Grants one plugin to read tables of the application's database.
    pub fn tables(
        mut self,
        plugin: impl Into<String>,
        tables: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let tables = tables.into_iter().map(Into::into);
        self.said_of(plugin).tables.extend(tables);
        self
    }

    /// Adds an endpoint of webhooks.
    ///
    /// # Examples
    /// ```
    /// use exthost::Host;
    /// use exthost::config::Endpoint;
    ///
    /// let endpoint = Endpoint::new("https://hooks.example.com/notes")
    ///     .secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
    ///     .events(["note.*"]);
    /// let builder = Host::builder().webhook(endpoint);
    /// ```
    pub fn webhook(mut self, endpoint: Endpoint) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// Sets how webhooks are tried, and what they may cost.
    pub fn webhook_settings(mut self, settings: WebhookSettings) -> Self {
        self.webhook_settings = settings;
        self
    }

    /// Makes one name of events stand for another, whoever uses it.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use exthost::Host;
    /// use exthost::config::EventName;
    ///
    /// let (old, new) = (EventName::parse("user.added")?, EventName::parse("user.created")?);
    /// let builder = Host::builder().event_alias(old, new);
    /// # Ok(())
    /// # }
    /// ```
    pub fn event_alias(mut self, old: EventName, new: EventName) -> Self {
        self.settings.aliases.insert(old, new);
        self
    }

    /// Sets who may listen to published messages, and from where.
    pub fn broadcast(mut self, settings: BroadcastSettings) -> Self {
        self.broadcast = settings;
        self
    }

    /// Sets what stands in `exthost.toml`. It is added to what the application
    /// says, and counts more where both say something of a plugin. Where to
    /// listen is for the application to do.
    pub fn config(mut self, file: ConfigFile) -> Self {
        self.file = file;
        self
    }

    /// Makes any refusal fatal.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Sets who finds out who asks; [`FromExtensions`] unless set, or
    /// [`Development`] in development.
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> Self {
        self.authenticator = Some(AnyAuthenticator::new(authenticator));
        self
    }

    /// Serves whoever is on this machine as the developer, who may act as anybody
    /// with the header `x-exthost-actor`, unless an
    /// [`authenticator`](Self::authenticator) is set; refuses hosts and origins that
    /// are not loopback names. Never for a server that others can reach.
    pub fn development(mut self, development: bool) -> Self {
        self.development = development;
        self
    }

    /// Runs the pipeline over all directories. One refused plugin never stops
    /// the others, unless the host is strict.
    ///
    /// # Errors
    /// [`BuildError`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn build(self) -> Result<Host, BuildError> {
        let said = self.clone();
        self.merge().build_merged(said).await
    }
}

impl HostBuilder {
    /// Adds the file to what the application says.
    pub(super) fn merge(mut self) -> Self {
        let file = std::mem::take(&mut self.file);
        self.data = file.data.unwrap_or(self.data);
        self.endpoints.extend(file.webhook);
        self.webhook_settings.allow.extend(file.webhooks.allow);
        self.broadcast = file.broadcast.unwrap_or(self.broadcast);
        let settings = &mut self.settings;
        let directories = file.plugins.directories;
        settings
            .directories
            .extend(directories.into_iter().flatten());
        settings.enabled &= file.plugins.enabled;
        settings.check_owners &= file.plugins.check_owners && !self.development;
        if file.plugins.locked {
            settings.lock_file = Some(file.plugins.lock_file);
        }
        settings.limits = file.limits.over(settings.limits);
        settings.host_database = file.database.host.or(settings.host_database.take());
        settings.database_memory = file.database.memory_bytes_max.or(settings.database_memory);
        settings.aliases.extend(file.events.alias);
        let plugins = file.plugin.into_iter();
        settings.said[1] = plugins
            .map(|(name, said)| (name.to_string(), said))
            .collect();
        self.webhook_settings.clock = self.clock.clone();
        if self.development {
            // There an endpoint may be on this machine.
            self.webhook_settings.allow.extend(AddressRange::loopback());
        }
        self
    }

    async fn build_merged(self, said: HostBuilder) -> Result<Host, BuildError> {
        let data = self.data.clone();
        let lock = DataLock::take(&data, Purpose::Host)?;
        private::warn_if_open(&data);
        let loader =
            Loader::start(data.join("images")).map_err(|source| BuildError::Loader { source })?;
        let databases = Databases::new(data.clone(), self.settings.databases());
        let webhooks = self.webhooks_in(&data).await?;
        let events = Arc::new(Events::new(Handle::current(), self.settings.all_aliases()));
        let broadcast = Broadcast::new(self.broadcast.clients_max);
        let audit = self.audit_in(&data).await?;
        let services = ServicesCore::new(self.clock, databases, webhooks, audit, events, broadcast);
        let drain_timeout = self.settings.limits.drain_timeout;
        let pipeline = Pipeline::new(lock, loader, services, self.settings);
        let refusals = pipeline.boot().await?;
        let host = Host {
            said: Arc::new(said),
            pipeline: Arc::new(pipeline),
            development: self.development,
            authenticator: authenticator(self.authenticator, self.development),
            listening: Arc::new(ArcSwap::from_pointee(self.broadcast)),
            ready: Arc::default(),
        };
        if self.strict && !refusals.is_empty() {
            host.shutdown(drain_timeout).await;
            return Err(BuildError::Refused { refusals });
        }
        host.ready.store(true, Ordering::Release);
        host.pipeline.events().host_ready();
        Ok(host)
    }
}

impl HostBuilder {
    /// Looks at all files of plugins without running any of their code: which
    /// would be loaded, refused or left out.
    ///
    /// # Threading
    /// Blocks on the disk.
    ///
    /// # Errors
    /// [`PinsError`] when the host is [locked](Self::locked) and the pins cannot
    /// be used.
    pub fn examine(&self) -> Result<Examined, PinsError> {
        let settings = self.clone().merge().settings;
        let policy = settings.policy()?;
        Ok(Examined::of(&settings, policy))
    }

    fn said_of(&mut self, plugin: impl Into<String>) -> &mut PluginConfig {
        self.settings.said[0].entry(plugin.into()).or_default()
    }

    /// Opens the webhooks.
    async fn webhooks_in(&self, data: &Path) -> Result<Arc<Webhooks>, WebhooksError> {
        let (data, endpoints) = (data.to_owned(), self.endpoints.clone());
        let (settings, runtime) = (self.webhook_settings.clone(), Handle::current());
        let open = move || Webhooks::open(&data, endpoints, settings, &runtime);
        joined(tokio::task::spawn_blocking(open)).await
    }

    /// Opens the audit.
    async fn audit_in(&self, data: &Path) -> Result<Arc<Audit>, AuditError> {
        let (data, clock, runtime) = (data.to_owned(), self.clock.clone(), Handle::current());
        let open = move || Audit::open(&data, clock, &runtime).map(Arc::new);
        joined(tokio::task::spawn_blocking(open)).await
    }
}

/// The authenticator that was set, or the usual one.
fn authenticator(set: Option<AnyAuthenticator>, development: bool) -> AnyAuthenticator {
    match set {
        Some(authenticator) => authenticator,
        None if development => AnyAuthenticator::new(Development),
        None => AnyAuthenticator::new(FromExtensions),
    }
}

/// Why a host could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The data directory cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The webhooks cannot start.
    #[error(transparent)]
    Webhooks(#[from] WebhooksError),
    /// The audit cannot go on.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The host is locked, and the pins cannot be used.
    #[error(transparent)]
    Pins(#[from] PinsError),
    /// The loader thread could not be started.
    #[error("cannot start the loader thread: {source}")]
    Loader {
        /// Why.
        source: std::io::Error,
    },
    /// The host is strict, and files were refused.
    #[error("{} of the plugins were refused, and the host is strict", .refusals.len())]
    Refused {
        /// The refusals, in the order of their stages.
        refusals: Vec<Refusal>,
    },
}
