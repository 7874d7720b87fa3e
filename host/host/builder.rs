//! How a host is made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::{Map, Value};
use tokio::runtime::Handle;

use crate::config::{AddressRange, BroadcastSettings, ConfigFile, Endpoint, EventName, Limits};
use crate::error::Refusal;
use crate::host::Host;
use crate::host::lock::{DataError, DataLock};
use crate::host::pipeline::Pipeline;
use crate::library::Loader;
use crate::services::ServicesCore;
use crate::services::broadcast::Broadcast;
use crate::services::db::database::{Databases, DatabasesSpec};
use crate::services::events::{Aliases, Events};
use crate::services::webhooks::{WebhookSettings, Webhooks, WebhooksError};

/// How a [`Host`] is to be.
#[derive(Debug, Clone)]
pub struct HostBuilder {
    directories: Vec<PathBuf>,
    data: PathBuf,
    limits: Limits,
    options: BTreeMap<String, Map<String, Value>>,
    host_database: Option<PathBuf>,
    tables: BTreeMap<String, Vec<String>>,
    endpoints: Vec<Endpoint>,
    webhook_settings: WebhookSettings,
    aliases: Aliases,
    broadcast: BroadcastSettings,
    strict: bool,
    development: bool,
}

impl HostBuilder {
    pub(super) fn new() -> Self {
        HostBuilder {
            directories: Vec::new(),
            data: PathBuf::from("data"),
            limits: Limits::default(),
            options: BTreeMap::new(),
            host_database: None,
            tables: BTreeMap::new(),
            endpoints: Vec::new(),
            webhook_settings: WebhookSettings::default(),
            aliases: Aliases::default(),
            broadcast: BroadcastSettings::default(),
            strict: false,
            development: false,
        }
    }

    /// Adds a directory of plugins; earlier ones win a plugin's name.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directories.push(directory.into());
        self
    }

    /// Sets where data is kept; the default is `data`.
    pub fn data(mut self, data: impl Into<PathBuf>) -> Self {
        self.data = data.into();
        self
    }

    /// Sets the limits of every plugin.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the options of one plugin.
    pub fn options(mut self, plugin: impl Into<String>, options: Map<String, Value>) -> Self {
        self.options.insert(plugin.into(), options);
        self
    }

    /// Sets the SQLite file of the application, of which plugins may read the
    /// tables that [`tables`](Self::tables) grants them, as `host.<table>`.
    pub fn host_database(mut self, file: impl Into<PathBuf>) -> Self {
        self.host_database = Some(file.into());
        self
    }

    /// Grants one plugin to read tables of the application's database.
    pub fn tables(
        mut self,
        plugin: impl Into<String>,
        tables: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let tables = tables.into_iter().map(Into::into);
        self.tables.entry(plugin.into()).or_default().extend(tables);
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
        self.aliases.extend([(old, new)].into());
        self
    }

    /// Sets who may listen to published messages, and from where.
    pub fn broadcast(mut self, settings: BroadcastSettings) -> Self {
        self.broadcast = settings;
        self
    }

    /// Adds what stands in `exthost.toml`.
    pub fn config(mut self, file: ConfigFile) -> Self {
        self.endpoints.extend(file.webhook);
        self.webhook_settings.allow.extend(file.webhooks.allow);
        self.broadcast = file.broadcast.unwrap_or(self.broadcast);
        self.host_database = file.database.host.or(self.host_database);
        self.aliases.extend(file.events.alias);
        for (name, plugin) in file.plugin {
            self.aliases.extend_of(name.clone(), plugin.events.alias);
            self = self
                .options(name.as_str(), plugin.options)
                .tables(name.as_str(), plugin.tables);
        }
        self
    }

    /// Makes any refusal fatal.
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Serves whoever is on this machine as the developer, who may act as anybody
    /// with the header `x-exthost-actor`; refuses hosts and origins that are not
    /// loopback names. Never for a server that others can reach.
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
        let data = self.data.clone();
        let lock = DataLock::take(&data)?;
        let loader =
            Loader::start(data.join("images")).map_err(|source| BuildError::Loader { source })?;
        let databases = Databases::new(DatabasesSpec {
            data: data.clone(),
            host: self.host_database.clone(),
            granted: self.tables.clone(),
            limits: self.limits.db,
        });
        let webhooks = self.webhooks_in(&data).await?;
        let events = Arc::new(Events::new(Handle::current(), self.aliases.clone()));
        let broadcast = Broadcast::new(self.broadcast.clients_max);
        let services = ServicesCore::new(databases, webhooks, events, broadcast);
        let pipeline = Pipeline::new(lock, loader, services, self.limits, self.options);
        let refusals = pipeline.boot(&self.directories).await;
        let host = Host {
            pipeline: Arc::new(pipeline),
            development: self.development,
            listening: Arc::new(self.broadcast),
            ready: Arc::default(),
        };
        if self.strict && !refusals.is_empty() {
            host.shutdown(self.limits.drain_timeout).await;
            return Err(BuildError::Refused { refusals });
        }
        host.ready.store(true, Ordering::Release);
        host.pipeline.events().host_ready();
        Ok(host)
    }
}

impl HostBuilder {
    /// Opens the webhooks. In development an endpoint may be on this machine.
    async fn webhooks_in(&self, data: &Path) -> Result<Arc<Webhooks>, WebhooksError> {
        let mut settings = self.webhook_settings.clone();
        if self.development {
            settings.allow.extend(AddressRange::loopback());
        }
        let (data, endpoints) = (data.to_owned(), self.endpoints.clone());
        let runtime = Handle::current();
        let open = move || Webhooks::open(&data, endpoints, settings, &runtime);
        match tokio::task::spawn_blocking(open).await {
            Ok(opened) => opened,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
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
