//! Moves messages from the plugins' outboxes to the webhooks' own store.
//!
//! A message is first accepted there, by its id, and then removed here: after a
//! kill in between it is accepted once more, which changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::name::PluginName;
use crate::services::db::database::Databases;
use crate::services::error::ServiceError;
use crate::services::webhooks::Webhooks;

/// Moves messages as they come, beginning with what an earlier run left. Each
/// plugin has a task of its own, so that one whose database is busy or damaged
/// holds up nobody else.
pub(crate) async fn run(databases: Arc<Databases>, webhooks: Arc<Webhooks>) {
    let outboxes = databases.outboxes().clone();
    let left = databases.clone();
    let left = tokio::task::spawn_blocking(move || left.with_messages());
    for name in left.await.unwrap_or_default() {
        outboxes.fill(name);
    }
    let mut tasks = JoinSet::new();
    let mut filled: BTreeMap<PluginName, Arc<Notify>> = BTreeMap::new();
    loop {
        for name in outboxes.filled().await {
            let of_plugin = filled.entry(name).or_insert_with_key(|name| {
                let filled = Arc::new(Notify::new());
                let (databases, webhooks) = (databases.clone(), webhooks.clone());
                tasks.spawn(of_one(databases, name.clone(), webhooks, filled.clone()));
                filled
            });
            of_plugin.notify_one();
        }
    }
}

/// Moves the messages of one plugin, each time its outbox is `filled`.
async fn of_one(
    databases: Arc<Databases>,
    name: PluginName,
    webhooks: Arc<Webhooks>,
    filled: Arc<Notify>,
) {
    loop {
        filled.notified().await;
        // Told once, not at each attempt: a full disk may last for days.
        let mut told = None;
        while let Err(error) = empty(&databases, &name, &webhooks).await {
            if told.as_ref() != Some(&error.code) {
                tracing::warn!(plugin = %name, %error, "messages stay in the outbox for now");
            }
            told = Some(error.code);
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        if told.is_some() {
            tracing::info!(plugin = %name, "messages leave the outbox again");
        }
    }
}

/// The pause after a failure.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Messages moved at a time.
const BATCH_MAX: usize = 256;

async fn empty(
    databases: &Databases,
    name: &PluginName,
    webhooks: &Arc<Webhooks>,
) -> Result<(), ServiceError> {
    let database = databases.of(name);
    loop {
        let messages = database.oldest_messages(BATCH_MAX).await?;
        if messages.is_empty() {
            return Ok(());
        }
        let ids = messages.iter().map(|message| message.id.clone()).collect();
        let webhooks = webhooks.clone();
        let accepted = tokio::task::spawn_blocking(move || webhooks.accept(messages));
        match accepted.await {
            Ok(accepted) => accepted?,
            Err(_) => return Err(ServiceError::stopped()),
        }
        database.remove_messages(ids).await?;
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;

    use super::*;
    use crate::config::{Endpoint, Limits};
    use crate::services::context::PluginContext;
    use crate::services::db::database::DatabasesSettings;
    use crate::services::db::{By, Db, TxSpec};
    use crate::services::webhooks::{DeliveryQuery, OutboxMessage, WebhookSettings};

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
        let relay = tokio::spawn(run(databases.clone(), webhooks.clone()));
        // Its removal from the outbox waits for the transaction.
        arrives(&webhooks, "busy").await;
        fire(&good, "good").await;
        arrives(&webhooks, "good").await;
        busy.roll_back(tx, By::Runtime).await.unwrap();
        relay.abort();
    }
}
