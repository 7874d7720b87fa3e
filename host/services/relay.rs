//! Moves what the plugins' outboxes hold to the host's own files: messages to those of
//! the webhooks, records to the audit.
//!
//! A parcel is first accepted there, by its id, and then removed here: after a
//! kill in between it is accepted once more, which changes nothing.

#[cfg(test)]
mod killed;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::name::PluginName;
use crate::services::audit::{Audit, Pending};
use crate::services::db::outbox::Parcel;
use crate::services::db::{Database, Databases};
use crate::services::error::ServiceError;
use crate::services::webhooks::{OutboxMessage, Webhooks};

/// Where parcels go.
#[derive(Debug, Clone)]
pub(crate) struct Destinations {
    pub(crate) webhooks: Arc<Webhooks>,
    pub(crate) audit: Arc<Audit>,
}

/// Moves parcels as they come, beginning with what an earlier run left. Each
/// plugin has a task of its own, so that one whose database is busy or damaged
/// holds up nobody else.
pub(crate) async fn run(databases: Arc<Databases>, to: Destinations) {
    let outboxes = databases.outboxes().clone();
    let left = databases.clone();
    let left = tokio::task::spawn_blocking(move || left.with_parcels());
    for name in left.await.unwrap_or_default() {
        outboxes.fill(name);
    }
    let mut tasks = JoinSet::new();
    let mut filled: BTreeMap<PluginName, Arc<Notify>> = BTreeMap::new();
    loop {
        for name in outboxes.filled().await {
            let of_plugin = filled.entry(name).or_insert_with_key(|name| {
                let filled = Arc::new(Notify::new());
                let databases = databases.clone();
                tasks.spawn(of_one(databases, name.clone(), to.clone(), filled.clone()));
                filled
            });
            of_plugin.notify_one();
        }
    }
}

/// Moves the parcels of one plugin, each time an outbox of it is `filled`.
async fn of_one(
    databases: Arc<Databases>,
    name: PluginName,
    to: Destinations,
    filled: Arc<Notify>,
) {
    loop {
        filled.notified().await;
        // Told once, not at each attempt: a full disk may last for days.
        let mut told = None;
        while let Err(error) = empty(&databases.of(&name), &to).await {
            if told.as_ref() != Some(&error.code) {
                tracing::warn!(plugin = %name, %error, "messages or records stay in the outbox for now");
            }
            told = Some(error.code);
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        if told.is_some() {
            tracing::info!(plugin = %name, "messages and records leave the outbox again");
        }
    }
}

/// The pause after a failure.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Parcels moved at a time.
const BATCH_MAX: usize = 256;

/// Moves all of a plugin, each kind also when the other cannot be.
async fn empty(database: &Database, to: &Destinations) -> Result<(), ServiceError> {
    let (webhooks, audit) = (&to.webhooks, &to.audit);
    let messages = move_all::<OutboxMessage, _>(database, webhooks, Webhooks::accept);
    let records = move_all::<Pending, _>(database, audit, Audit::accept);
    let (messages, records) = tokio::join!(messages, records);
    messages.and(records)
}

async fn move_all<P: Parcel, D: Send + Sync + 'static>(
    database: &Database,
    to: &Arc<D>,
    accept: fn(&D, Vec<P>) -> Result<(), ServiceError>,
) -> Result<(), ServiceError> {
    loop {
        let parcels: Vec<P> = database.oldest(BATCH_MAX).await?;
        if parcels.is_empty() {
            return Ok(());
        }
        let ids = parcels
            .iter()
            .map(|parcel| parcel.id().to_owned())
            .collect();
        let to = to.clone();
        match tokio::task::spawn_blocking(move || accept(&to, parcels)).await {
            Ok(accepted) => accepted?,
            Err(_) => return Err(ServiceError::stopped()),
        }
        database.remove::<P>(ids).await?;
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;

    use super::*;
    use crate::clock::Clock;
    use crate::config::{Endpoint, Limits};
    use crate::services::context::PluginContext;
    use crate::services::db::{By, DatabasesSettings, Db, TxSpec};
    use crate::services::webhooks::{DeliveryQuery, WebhookSettings};

    /// Waits until a message of `plugin` is in `webhooks.db`.
    async fn arrives(webhooks: &Webhooks, plugin: &str) {
        let there = async {
            let of_plugin = || DeliveryQuery {
                plugin: Some(plugin.to_owned()),
                ..DeliveryQuery::default()
            };
            while webhooks.deliveries(of_plugin()).unwrap().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(3), there).await;
        assert!(waited.is_ok(), "nothing of {plugin}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_plugin_that_holds_its_writer_or_damaged_its_file_holds_up_nobody() {
        let data = tempfile::tempdir().unwrap();
        let endpoint = Endpoint::new("http://127.0.0.1:1/")
            .secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
            .allow("127.0.0.1");
        let settings = WebhookSettings::default();
        let webhooks = Webhooks::open(data.path(), vec![endpoint], settings, &Handle::current());
        let webhooks = webhooks.unwrap();
        let damaged = data.path().join("damaged/db/data.db");
        std::fs::create_dir_all(damaged.parent().unwrap()).unwrap();
        std::fs::write(damaged, [b'x'; 4096]).unwrap();
        let settings = DatabasesSettings::default();
        let databases = Arc::new(Databases::new(data.path().to_owned(), settings));
        let db = |name: &str| {
            let name = PluginName::parse(name).unwrap();
            let database = databases.of(&name);
            let context = PluginContext::new(name, 1, Limits::default(), Vec::new());
            Db::new(Handle::current(), Arc::new(context), database)
        };
        let fire = async |db: &Db, plugin: &str| {
            let message = OutboxMessage::new(plugin, "a", "", Vec::new(), 0).unwrap();
            db.queue(0, 0, message, By::Runtime).await.unwrap();
        };
        let (busy, good) = (db("busy"), db("good"));
        fire(&busy, "busy").await;
        let spec = TxSpec {
            parent: 0,
            deadline: None,
        };
        let tx = busy.begin(0, spec, By::Runtime).await.unwrap();
        let audit = Audit::open(data.path(), Clock::real(), &Handle::current()).unwrap();
        let to = Destinations {
            webhooks: webhooks.clone(),
            audit: Arc::new(audit),
        };
        let relay = tokio::spawn(run(databases.clone(), to));
        // Its removal from the outbox waits for the transaction.
        arrives(&webhooks, "busy").await;
        fire(&good, "good").await;
        arrives(&webhooks, "good").await;
        busy.roll_back(tx, By::Runtime).await.unwrap();
        relay.abort();
    }
}
