//! The families of what plugins use.

use std::collections::BTreeMap;
use std::fmt;

use crate::metrics::families::Families;
use crate::services::audit::AuditStatus;
use crate::services::broadcast::BroadcastStatus;
use crate::services::cache::CacheStatus;
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
        let told = it.interrupted + it.denied + it.full;
        let others = it.failed.saturating_sub(told);
        let kinds = [
            ("deadline", it.interrupted),
            ("denied", it.denied),
            ("full", it.full),
            ("other", others),
        ];
        kinds.map(|(kind, count)| ([("plugin", it.plugin.as_str()), ("kind", kind)], count))
    });
    families.counters(
        "exthost_database_errors",
        "Statements that failed: at their deadline, denied because they reach out of the plugin's \
         scope, for want of room in the file or on the disk, or for another reason.",
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
    )?;
    families.bytes(
        "exthost_database_quota",
        "The largest that the plugin's database may become.",
        all.iter()
            .map(|it| ([("plugin", it.plugin.as_str())], it.limits.file_bytes_max)),
    )?;
    families.counters(
        "exthost_database_slow_statements",
        "Statements of the plugin that took long.",
        all.iter()
            .map(|it| ([("plugin", it.plugin.as_str())], it.slow)),
    )?;
    families.gauges(
        "exthost_database_damaged",
        "Whether the plugin's database is damaged, so that no call is let through.",
        all.iter().map(|it| {
            (
                [("plugin", it.plugin.as_str())],
                u64::from(it.damage.is_some()),
            )
        }),
    )?;
    families.gauges(
        "exthost_database_schema_version",
        "The version of the schema of the plugin's database; 0 before the first migration.",
        all.iter()
            .filter_map(|it| Some(([("plugin", it.plugin.as_str())], it.schema_version?))),
    )
}

/// Writes those of the caches.
pub(super) fn caches(all: &[CacheStatus], families: &mut Families<'_>) -> fmt::Result {
    families.bytes(
        "exthost_cache",
        "What the entries of the plugin's cache take in memory.",
        all.iter()
            .map(|it| ([("plugin", it.plugin.as_str())], it.bytes)),
    )?;
    families.gauges(
        "exthost_cache_entries",
        "Entries of the plugin's cache, with those whose time is up and whose room was not needed \
         yet.",
        all.iter()
            .map(|it| ([("plugin", it.plugin.as_str())], it.entries)),
    )?;
    families.counters(
        "exthost_cache_evictions",
        "Entries of the plugin's cache that had to go before their time, to make room.",
        all.iter()
            .map(|it| ([("plugin", it.plugin.as_str())], it.evicted)),
    )
}

/// Writes those of the audit.
pub(super) fn audit(status: AuditStatus, families: &mut Families<'_>) -> fmt::Result {
    families.gauge(
        "exthost_audit_records",
        "Records of the audit, which only grows.",
        status.records,
    )?;
    families.gauge(
        "exthost_audit_waiting",
        "Calls that wait until their record is on the disk.",
        status.waiting,
    )?;
    families.counters(
        "exthost_audit_failures",
        "Calls whose record could not be written.",
        [([], status.failed)],
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
