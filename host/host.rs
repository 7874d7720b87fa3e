//! The host: runs the pipeline, owns registry and services, drains at the end.

mod builder;
mod data;
mod events;
mod examined;
mod joined;
mod lock;
mod pipeline;
mod reconfigure;
mod settings;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ::http::StatusCode;
use arc_swap::ArcSwap;
use serde::Serialize;

use crate::auth::AnyAuthenticator;
use crate::config::{BroadcastSettings, ConfigFile};
use crate::error::Refusal;
use crate::http::{self, Admin, Data, Front, Problem};
use crate::name::PluginName;
use crate::registry::HostStatus;
use crate::services::actor::Actor;
use crate::services::broadcast::PublishError;
use crate::services::context::Phase;
use crate::services::webhooks::Webhooks;
use joined::joined;
use pipeline::Pipeline;

pub use builder::{BuildError, HostBuilder};
pub use data::DataDirectory;
pub use events::{Decision, EventError};
pub use examined::Examined;
pub use lock::DataError;
pub use reconfigure::{ReconfigureError, Reconfigured};

/// A running extension host. Clones are the same host.
///
/// # Examples
/// An application of its own, made extensible:
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let host = exthost::Host::builder().directory("plugins").build().await?;
/// let app = axum::Router::new().merge(host.router());
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:7700").await?;
/// axum::serve(listener, app).await?;
/// host.shutdown(std::time::Duration::from_secs(10)).await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Host {
    /// What the application said, to which a file is added.
    said: Arc<HostBuilder>,
    pipeline: Arc<Pipeline>,
    development: bool,
    authenticator: AnyAuthenticator,
    listening: Arc<ArcSwap<BroadcastSettings>>,
    ready: Arc<AtomicBool>,
}

impl Host {
    /// Begins a host without plugins, with its data in `data`.
    pub fn builder() -> HostBuilder {
        HostBuilder::new()
    }

    /// The routes of all plugins, under `/api/ext/{name}/`, and the messages that
    /// they publish, at `/api/broadcast`.
    pub fn router(&self) -> axum::Router {
        http::plugin_router(Front {
            registry: self.pipeline.registry.clone(),
            events: self.pipeline.events().clone(),
            broadcast: self.pipeline.broadcast().clone(),
            listening: self.listening.clone(),
            authenticator: self.authenticator.clone(),
            development: self.development,
            refused: self.pipeline.refused_requests.clone(),
        })
    }

    /// What operators use: `/api/host/...`, for actors that have the
    /// [scopes of the host](crate::auth::HOST_SCOPES), and `/healthz` and `/readyz`,
    /// for everybody.
    pub fn admin_router(&self) -> axum::Router {
        let (ready, reload, remove) = (self.clone(), self.clone(), self.clone());
        let data = Data {
            databases: self.pipeline.services.databases().clone(),
            registry: self.pipeline.registry.clone(),
            remove: Box::new(move |plugin| {
                let host = remove.clone();
                Box::pin(async move { host.remove_data(plugin).await })
            }),
            audit: self.pipeline.services.audit().clone(),
        };
        let admin = Admin {
            registry: self.pipeline.registry.clone(),
            events: self.pipeline.events().clone(),
            webhooks: self.pipeline.webhooks().clone(),
            audit: self.pipeline.services.audit().clone(),
            broadcast: self.pipeline.broadcast().clone(),
            data: Arc::new(data),
            metrics: Arc::new(self.pipeline.metrics()),
            authenticator: self.authenticator.clone(),
            is_ready: Box::new(move || ready.is_ready()),
            reload: Box::new(move |name| {
                let host = reload.clone();
                Box::pin(async move { host.reload(&name).await.map_err(|error| error.problem()) })
            }),
        };
        http::admin_router(admin, self.development)
    }

    /// Publishes a message of the application to the clients that listen to
    /// `host/<channel>`; returns its number in the channel, from 1.
    ///
    /// # Errors
    /// [`PublishError`].
    ///
    /// # Examples
    /// ```
    /// # async fn publish(host: &exthost::Host) -> Result<(), exthost::broadcast::PublishError> {
    /// let user = serde_json::json!({"id": 7});
    /// host.publish("users", "created", &user)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn publish(
        &self,
        channel: &str,
        event: &str,
        payload: &impl Serialize,
    ) -> Result<u64, PublishError> {
        let broadcast = self.pipeline.broadcast();
        broadcast.publish_as_application(channel, event, payload)
    }

    /// The messages to the endpoints, as operators see them.
    pub(crate) fn webhooks(&self) -> &Arc<Webhooks> {
        self.pipeline.webhooks()
    }

    /// What is loaded and what was refused.
    pub fn status(&self) -> HostStatus {
        self.pipeline.registry.status()
    }

    /// Whether all plugins have started, and no shutdown has begun.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Loads the plugin in `file`, or a new version of one that serves; the old
    /// generation then finishes its calls in the background. Returns the
    /// plugin's name.
    ///
    /// # Errors
    /// [`Refusal`], also kept in [`status`](Self::status); an old generation
    /// goes on serving.
    pub async fn install(&self, file: impl Into<PathBuf>) -> Result<PluginName, Refusal> {
        let (pipeline, file) = (self.pipeline.clone(), file.into());
        // On a task of its own, so that it goes on to its end when nobody waits
        // for it any more.
        let installed = tokio::spawn(async move {
            let installed = pipeline.install(file).await;
            pipeline.note(installed)
        });
        joined(installed).await
    }

    /// Lets what stands in `exthost.toml` hold by now, in place of what stood
    /// there before, and looks at all files of plugins again: new ones are
    /// loaded, and those that have changed, or of which something else is said
    /// now, are reloaded; those that are gone or are not wanted any more are
    /// retired. No request is lost over it. A file that became unusable leaves
    /// the generation before serving.
    ///
    /// Where data is kept stays as it was. Clients that listen already keep what
    /// they may hear. Of several calls at once, one is done after the other; once the
    /// shutdown has begun, nothing changes any more.
    ///
    /// # Errors
    /// [`ReconfigureError`]; nothing has changed then.
    pub async fn reconfigure(&self, file: ConfigFile) -> Result<Reconfigured, ReconfigureError> {
        let host = self.clone();
        // As an installation, it goes on to its end.
        let reconfigured = tokio::spawn(async move {
            // Of two files, all of one holds before the other is begun with.
            let _change = host.pipeline.changes.lock().await;
            if host.pipeline.ending.load(Ordering::Acquire) {
                return Ok(Reconfigured::default());
            }
            let merged = HostBuilder::clone(&host.said).config(file).merge();
            let policy = merged.settings.policy()?;
            let webhooks = host.pipeline.webhooks();
            let endpoints = webhooks.reconfigure(merged.endpoints, merged.webhook_settings);
            endpoints.await?;
            let broadcast = host.pipeline.broadcast();
            broadcast.set_clients_max(merged.broadcast.clients_max);
            host.listening.store(Arc::new(merged.broadcast));
            let outcome = host.pipeline.reconfigure(merged.settings, policy).await;
            host.record_reconfigured(&outcome).await;
            Ok(outcome)
        });
        joined(reconfigured).await
    }

    /// Tells the audit that the configuration was read again, which nobody asks for
    /// over the network.
    async fn record_reconfigured(&self, outcome: &Reconfigured) {
        let detail = serde_json::json!({
            "loaded": outcome.loaded,
            "reloaded": outcome.reloaded,
            "retired": outcome.retired,
            "refused": outcome.refused.len(),
        });
        let (host, action) = (Actor::default(), "host.config.reloaded");
        let services = &self.pipeline.services;
        let recorded = services.audit_operator(&host, action, "config", "", detail);
        recorded.await;
    }

    /// Loads the file of the plugin `name` again.
    ///
    /// # Errors
    /// [`ReloadError`]; the old generation goes on serving.
    pub async fn reload(&self, name: &str) -> Result<(), ReloadError> {
        let serving = self.pipeline.registry.serving(name);
        let serving = serving.ok_or_else(|| ReloadError::Unknown {
            name: name.to_owned(),
        })?;
        self.install(&serving.file).await?;
        Ok(())
    }

    /// Announces the end: `/readyz` says no and event streams end, so that clients
    /// go elsewhere. Requests are still answered, until
    /// [`shutdown`](Self::shutdown).
    pub fn begin_shutdown(&self) {
        self.ready.store(false, Ordering::Release);
        self.pipeline.end();
        self.pipeline.broadcast().close();
        for generation in self.pipeline.registry.all_serving() {
            generation.context().enter(Phase::Draining);
        }
    }

    /// Drains all plugins and stops them, within `deadline`. No plugin is
    /// installed any more.
    pub async fn shutdown(&self, deadline: Duration) {
        let end = Instant::now() + deadline;
        self.begin_shutdown();
        self.pipeline.shutdown(end).await;
    }
}

/// Why a plugin was not reloaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// No plugin of this name serves.
    #[error("no plugin named `{name}` is serving")]
    Unknown {
        /// The name asked for.
        name: String,
    },
    /// The file was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl ReloadError {
    /// What the client of the operators' API sees.
    fn problem(&self) -> Problem {
        let (status, code) = match self {
            ReloadError::Unknown { .. } => (StatusCode::NOT_FOUND, "no-such-plugin"),
            ReloadError::Refused(refusal) => (StatusCode::CONFLICT, refusal.code()),
        };
        Problem::new(status, code, self.to_string())
    }
}
