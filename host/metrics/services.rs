//! The families of what plugins use.

use std::collections::BTreeMap;
use std::fmt;

use crate::metrics::families::Families;
use crate::services::broadcast::BroadcastStatus;
use crate::services::db::DatabaseStatus;
use crate::services::webhooks::Webhooks;

/// Writes those of the databases.
pub(super) fn databases(all: &[DatabaseStatus], families: &mut Families<'_>) -> fmt::Result {
    families.counters(
        "exthost_database_statements",
        "Statements of the plugin that were run, failed ones with them; one that had to run again \
         counts again.",
        all.iter()
            .map(|it| ([("plugin", it.plugin.as_str())], it.statements)),
    )?;
    let errors = all.iter().flat_map(|it| {
        let others = it.failed.saturating_sub(it.interrupted + it.denied);
        let kinds = [
            ("deadline", it.interrupted),
            ("denied", it.denied),
            ("other", others),
        ];
        kinds.map(|(kind, count)| ([("plugin", it.plugin.as_str()), ("kind", kind)], count))
    });
    families.counters(
        "exthost_database_errors",
        "Statements that failed: at their deadline, denied because they reach out of the plugin's \
         scope, or for another reason.",
        errors,
    )?;
    let bytes = all.iter().flat_map(|it| {
        let files = [("data", it.file_bytes), ("wal", it.wal_bytes)];
        files.map(|(file, bytes)| ([("plugin", it.plugin.as_str()), ("file", file)], bytes))
    });
    families.bytes(
        "exthost_database",
        "Size of the plugin's database, and of its write-ahead log.",
        bytes,
    )
}

/// Writes those of the webhooks. Asks the disk.
pub(super) fn webhooks(webhooks: &Webhooks, families: &mut Families<'_>) -> fmt::Result {
    let endpoints = webhooks.endpoints().unwrap_or_else(|error| {
        tracing::warn!(%error, "the metrics are without those of webhooks");
        Vec::new()
    });
    let deliveries = endpoints.iter().flat_map(|endpoint| {
        let states = [
            ("pending", endpoint.pending),
            ("done", endpoint.done),
            ("dead", endpoint.dead),
        ];
        let labels = |state| [("endpoint", endpoint.name.as_str()), ("state", state)];
        states.map(|(state, count)| (labels(state), count.max(0) as u64))
    });
    families.gauges(
        "exthost_webhook_deliveries",
        "Deliveries that are kept: pending, done, or dead letters. Old ones are removed.",
        deliveries,
    )?;
    families.gauges(
        "exthost_webhook_endpoint_disabled",
        "Whether the endpoint is disabled, because it has answered 410.",
        endpoints.iter().map(|endpoint| {
            let disabled = endpoint.state == "disabled";
            ([("endpoint", endpoint.name.as_str())], u64::from(disabled))
        }),
    )
}

/// Writes those of the messages to connected clients.
pub(super) fn broadcast(status: &BroadcastStatus, families: &mut Families<'_>) -> fmt::Result {
    families.gauge(
        "exthost_broadcast_clients",
        "Clients that are connected to hear messages.",
        status.clients,
    )?;
    let mut by_plugin = BTreeMap::<&str, u64>::new();
    for channel in &status.channels {
        let (plugin, _) = channel.name.split_once('/').unwrap_or((&channel.name, ""));
        *by_plugin.entry(plugin).or_default() += channel.sequence;
    }
    families.counters(
        "exthost_broadcast_messages",
        "Messages that the plugin has published to connected clients; those of the application are \
         of `host`.",
        by_plugin
            .into_iter()
            .map(|(plugin, count)| ([("plugin", plugin)], count)),
    )
}
