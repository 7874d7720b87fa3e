//! Durable, signed messages to the endpoints of the operator, after Standard
//! Webhooks 1.0.
//!
//! A plugin's message is first in its own outbox, with its own data; a relay
//! hands it to the service, and from then on it is in `webhooks.db`
//! until each endpoint that wants it has answered 2xx, or the last attempt has
//! failed and it is a dead letter. A host killed at any moment delivers it at
//! least once, under the same id.

mod address;
mod breaker;
mod bucket;
mod dispatcher;
mod error;
mod lane;
mod message;
mod operators;
mod resolver;
mod retry_after;
mod sender;
mod settings;
mod signature;
mod status;
mod store;
#[cfg(test)]
mod tests;
mod told;
mod trial;
mod verdict;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::config::Endpoint;
use crate::private;
use crate::services::error::ServiceError;
use dispatcher::{Dispatcher, Shared};
use lane::Lane;
use sender::Sender;
use store::Store;
use told::Told;

pub use address::AddressError;
pub use error::WebhooksError;
pub use message::OutboxMessage;
pub use operators::DeliveryQuery;
pub use settings::WebhookSettings;
pub(crate) use signature::verify;
pub use status::{AttemptStatus, DeliveryStatus, EndpointStatus};
pub(crate) use told::Ended;
pub use trial::{Trial, send_once};

/// The file in the data directory.
const FILE: &str = "webhooks.db";

/// How long attempts under way have to end when their endpoints are replaced.
const REPLACED_WITHIN: Duration = Duration::from_secs(5);

/// The webhooks of a host.
#[derive(Debug)]
pub struct Webhooks {
    file: PathBuf,
    runtime: Handle,
    told: Arc<Told>,
    /// Nothing while there is neither an endpoint nor a file.
    shared: ArcSwapOption<Shared>,
    /// Held while messages are queued, and alone while endpoints are replaced, so
    /// that nothing is queued for those before.
    settling: RwLock<()>,
    dispatcher: Mutex<Option<JoinHandle<()>>>,
    /// Set when nothing may be delivered any more.
    ended: AtomicBool,
}

impl Webhooks {
    /// Opens `webhooks.db` in `data` and begins to deliver on `runtime`. There
    /// is no file while there never was an endpoint.
    ///
    /// # Threading
    /// Blocks on the disk.
    ///
    /// # Errors
    /// [`WebhooksError`]; nothing is delivered then.
    pub fn open(
        data: &Path,
        endpoints: Vec<Endpoint>,
        settings: WebhookSettings,
        runtime: &Handle,
    ) -> Result<Arc<Self>, WebhooksError> {
        let webhooks = Webhooks {
            file: data.join(FILE),
            runtime: runtime.clone(),
            told: Arc::default(),
            shared: ArcSwapOption::empty(),
            settling: RwLock::default(),
            dispatcher: Mutex::new(None),
            ended: AtomicBool::new(false),
        };
        let senders = senders(endpoints, &settings)?;
        webhooks.begin(senders, settings)?;
        Ok(Arc::new(webhooks))
    }

    /// Delivers to these endpoints from here on, in place of those before.
    /// Attempts under way have some time to end.
    ///
    /// # Errors
    /// [`WebhooksError`]; the endpoints are as they were.
    pub(crate) async fn reconfigure(
        self: &Arc<Self>,
        endpoints: Vec<Endpoint>,
        settings: WebhookSettings,
    ) -> Result<(), WebhooksError> {
        if self.is_with(&endpoints, &settings) {
            return Ok(());
        }
        let making = settings.clone();
        let senders = self
            .off_the_runtime(move |_| senders(endpoints, &making))
            .await?;
        self.pause(REPLACED_WITHIN).await;
        let begun = self.off_the_runtime(move |webhooks| webhooks.begin(senders, settings));
        let begun = begun.await;
        if begun.is_err()
            && let Some(shared) = self.shared()
        {
            shared.end.send_replace(None);
            self.dispatch(shared);
        }
        begun
    }

    /// Whether messages go to just these endpoints. Of the settings, only what
    /// `exthost.toml` can say may differ.
    fn is_with(&self, endpoints: &[Endpoint], settings: &WebhookSettings) -> bool {
        match self.shared() {
            None => endpoints.is_empty(),
            Some(shared) => {
                let lanes = shared.lanes.iter().map(|lane| lane.endpoint());
                shared.settings.allow == settings.allow && lanes.eq(endpoints)
            }
        }
    }

    /// Runs what waits for the disk where it may.
    async fn off_the_runtime<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Webhooks) -> Result<T, WebhooksError> + Send + 'static,
    ) -> Result<T, WebhooksError> {
        let webhooks = self.clone();
        match self.runtime.spawn_blocking(move || work(&webhooks)).await {
            Ok(done) => done,
            Err(_) => Err(WebhooksError::File {
                path: self.file.clone(),
                why: "the host is ending".to_owned(),
            }),
        }
    }

    /// Opens the file, and begins to deliver what is in it. Blocks.
    fn begin(&self, senders: Vec<Sender>, settings: WebhookSettings) -> Result<(), WebhooksError> {
        let _alone = self
            .settling
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let path = self.file.clone();
        if senders.is_empty() && !path.exists() {
            self.shared.store(None);
            return Ok(());
        }
        let folder = path.parent().unwrap_or(&path);
        private::make(folder).map_err(|source| WebhooksError::Directory {
            path: folder.to_owned(),
            source,
        })?;
        let store = Store::open(&path, settings.file_bytes_max)?;
        let fingerprints: Vec<_> = senders
            .iter()
            .map(|sender| {
                let endpoint = sender.endpoint();
                (endpoint.name().to_owned(), endpoint.fingerprint())
            })
            .collect();
        let known = store
            .settle(&fingerprints, settings.clock.now_ms())
            .map_err(|error| WebhooksError::File {
                path,
                why: error.message,
            })?;
        let lanes = senders.into_iter().zip(known).map(|(sender, known)| {
            Arc::new(Lane::new(sender, &settings, known.failures, known.disabled))
        });
        let shared = Arc::new(Shared {
            store,
            lanes: lanes.collect(),
            settings,
            wake: Notify::new(),
            end: watch::Sender::new(None),
            told: self.told.clone(),
        });
        self.shared.store(Some(shared.clone()));
        self.dispatch(shared);
        Ok(())
    }

    /// Delivers, unless the end came first.
    fn dispatch(&self, shared: Arc<Shared>) {
        let mut dispatcher = self.dispatcher();
        if !self.ended.load(Ordering::Acquire) {
            *dispatcher = Some(self.runtime.spawn(Dispatcher::new(shared).run()));
        }
    }

    /// Tells `listener` how each delivery ends, from here on; the first one who
    /// asks.
    pub(crate) fn on_end(&self, listener: impl Fn(&Ended<'_>) + Send + Sync + 'static) {
        self.told.to(Box::new(listener));
    }

    /// Whether an endpoint that is on wants this event of this plugin, so that
    /// nothing is queued that nobody wants.
    pub(crate) fn wants(&self, plugin: &str, event_type: &str) -> bool {
        let shared = self.shared.load();
        let mut lanes = shared.iter().flat_map(|shared| &shared.lanes);
        lanes.any(|lane| lane.is_on() && lane.endpoint().wants(plugin, event_type))
    }

    /// Takes messages over: when this returns, they are on the disk, and their
    /// rows in the outbox may go. One that was taken over before changes
    /// nothing; one that no endpoint wants any more is dropped.
    ///
    /// # Threading
    /// Blocks on the disk.
    ///
    /// # Errors
    /// `full` and others, about all of `messages`; they may be handed over
    /// again.
    pub(crate) fn accept(&self, messages: Vec<OutboxMessage>) -> Result<(), ServiceError> {
        let _settled = self.settling.read().unwrap_or_else(PoisonError::into_inner);
        let Some(shared) = self.shared() else {
            return Ok(());
        };
        let wanted = messages.into_iter().filter_map(|message| {
            let lanes = shared.lanes.iter().filter(|lane| {
                let (plugin, event_type) = (&message.plugin, &message.event_type);
                lane.is_on() && lane.endpoint().wants(plugin, event_type)
            });
            let names: Vec<&str> = lanes.map(|lane| lane.name()).collect();
            (!names.is_empty()).then_some((message, names))
        });
        let wanted: Vec<_> = wanted.collect();
        if !wanted.is_empty() {
            shared
                .store
                .accept(&wanted, shared.settings.clock.now_ms())?;
            shared.wake.notify_one();
        }
        Ok(())
    }

    /// Begins nothing new, waits until `deadline` for attempts under way, and
    /// leaves the others to the next host.
    pub async fn shutdown(&self, deadline: Duration) {
        self.ended.store(true, Ordering::Release);
        self.pause(deadline).await;
    }

    /// As [`shutdown`](Self::shutdown), and may be gone on with.
    async fn pause(&self, deadline: Duration) {
        let dispatcher = self.dispatcher().take();
        if let (Some(shared), Some(dispatcher)) = (self.shared(), dispatcher) {
            shared.end.send_replace(Some(Instant::now() + deadline));
            // It has panicked, or ends with the runtime: leases run out.
            let _ = dispatcher.await;
        }
    }

    /// Stops at once; attempts under way are left to the next host.
    pub(crate) fn stop(&self) {
        self.ended.store(true, Ordering::Release);
        if let Some(dispatcher) = self.dispatcher().take() {
            dispatcher.abort();
        }
    }

    fn shared(&self) -> Option<Arc<Shared>> {
        self.shared.load_full()
    }

    fn dispatcher(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.dispatcher
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The senders of endpoints, whose names tell them apart.
fn senders(
    endpoints: Vec<Endpoint>,
    settings: &WebhookSettings,
) -> Result<Vec<Sender>, WebhooksError> {
    let senders = endpoints
        .into_iter()
        .map(|endpoint| Sender::new(endpoint, settings))
        .collect::<Result<Vec<_>, _>>()?;
    let mut names = HashSet::new();
    for sender in &senders {
        if !names.insert(sender.endpoint().name()) {
            let name = sender.endpoint().name().to_owned();
            return Err(WebhooksError::SameName { name });
        }
    }
    Ok(senders)
}

impl Drop for Webhooks {
    fn drop(&mut self) {
        self.stop();
    }
}
