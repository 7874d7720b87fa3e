//! `[limits]` and `[plugin.<name>.limits]`: limits that the operator sets.

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::config::{CacheLimits, DbLimits, KvLimits, Limits, Milliseconds};

/// `[limits]` for all plugins, `[plugin.<name>.limits]` for one. What is left
/// out is as it was: a limit of all, or its default in [`Limits`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(description = "Limits; what is left out is as it was.")]
#[non_exhaustive]
pub struct LimitsConfig {
    /// Largest request body of a route that sets none.
    pub body_bytes_max: Option<u64>,
    /// Time to the response head of a route that sets none.
    pub handler_deadline_ms: Option<Milliseconds>,
    /// Longest pause in a streamed body of a route that sets none.
    pub idle_timeout_ms: Option<Milliseconds>,
    /// Time for each of dlopen, `init` and `start`.
    pub init_deadline_ms: Option<Milliseconds>,
    /// Time for a replaced generation to finish its calls, `stop` and tasks.
    pub drain_timeout_ms: Option<Milliseconds>,
    /// Plain `fn` handlers and blocking tasks that run at a time.
    pub pool_threads_max: Option<NonZeroUsize>,
    /// Those that may wait for a thread.
    pub pool_queue_max: Option<usize>,
    /// Tasks and timers alive at a time.
    pub tasks_max: Option<NonZeroUsize>,
    /// Routes of the plugin.
    pub routes_max: Option<NonZeroUsize>,
    /// Subscriptions alive at a time.
    pub subscriptions_max: Option<NonZeroUsize>,
    /// Events that may wait for a subscription that sets no limit.
    pub events_queued_max: Option<NonZeroUsize>,
    /// Bytes of payloads that may wait for all of them.
    pub events_bytes_max: Option<NonZeroUsize>,
    /// Time for an observer that answers, and sets none, to do so.
    pub observer_deadline_ms: Option<Milliseconds>,
    /// Its database.
    pub db: DbLimitsConfig,
    /// Its durable keys and values.
    pub kv: KvLimitsConfig,
    /// Its cache.
    pub cache: CacheLimitsConfig,
}

/// `[plugin.<name>.limits.db]`: what the plugin's database may use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DbLimitsConfig {
    /// Time for one statement, and for the wait before it.
    pub statement_deadline_ms: Option<Milliseconds>,
    /// From how long on a statement counts as slow.
    pub slow_statement_ms: Option<Milliseconds>,
    /// Time for a transaction that the plugin holds open, and for a batch.
    pub transaction_deadline_ms: Option<Milliseconds>,
    /// Time for one statement of a migration, and for the wait before it.
    pub migration_deadline_ms: Option<Milliseconds>,
    /// Length of one statement, or of a script.
    pub sql_bytes_max: Option<NonZeroUsize>,
    /// Length of one value, or of one row.
    pub value_bytes_max: Option<NonZeroUsize>,
    /// Rows that a statement which writes returns, together.
    pub kept_bytes_max: Option<NonZeroUsize>,
    /// Size of the file.
    pub file_bytes_max: Option<NonZeroU64>,
    /// Page cache of one connection, in KiB.
    pub cache_kib: Option<NonZeroU32>,
    /// Connections that read, beside the one that writes.
    pub readers: Option<NonZeroUsize>,
    /// Statements that a connection keeps prepared.
    pub statements_cached: Option<NonZeroUsize>,
    /// Statements that a plugin holds prepared.
    pub statements_max: Option<NonZeroUsize>,
    /// Whether an acknowledged commit survives a loss of power, rather than that
    /// of the process only (`synchronous = FULL`).
    pub power_safe: Option<bool>,
}

/// `[plugin.<name>.limits.kv]`: what the plugin's durable keys and values may use,
/// beside the limits of its database, in whose file they lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct KvLimitsConfig {
    /// Length of one value.
    pub value_bytes_max: Option<NonZeroUsize>,
}

/// `[plugin.<name>.limits.cache]`: what the plugin may keep in memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CacheLimitsConfig {
    /// Keys and values together, with what it costs to keep each.
    pub bytes_max: Option<NonZeroUsize>,
    /// Length of one value.
    pub value_bytes_max: Option<NonZeroUsize>,
}

impl LimitsConfig {
    /// `limits` with what is said here.
    pub(crate) fn over(&self, limits: Limits) -> Limits {
        let time = |own: Option<Milliseconds>, other| own.map_or(other, Into::into);
        let count = |own: Option<NonZeroUsize>, other| own.map_or(other, NonZeroUsize::get);
        Limits {
            body_bytes_max: self.body_bytes_max.unwrap_or(limits.body_bytes_max),
            handler_deadline: time(self.handler_deadline_ms, limits.handler_deadline),
            idle_timeout: time(self.idle_timeout_ms, limits.idle_timeout),
            init_deadline: time(self.init_deadline_ms, limits.init_deadline),
            drain_timeout: time(self.drain_timeout_ms, limits.drain_timeout),
            pool_threads_max: count(self.pool_threads_max, limits.pool_threads_max),
            pool_queue_max: self.pool_queue_max.unwrap_or(limits.pool_queue_max),
            tasks_max: count(self.tasks_max, limits.tasks_max),
            routes_max: count(self.routes_max, limits.routes_max),
            subscriptions_max: count(self.subscriptions_max, limits.subscriptions_max),
            events_queued_max: count(self.events_queued_max, limits.events_queued_max),
            events_bytes_max: count(self.events_bytes_max, limits.events_bytes_max),
            observer_deadline: time(self.observer_deadline_ms, limits.observer_deadline),
            db: self.db.over(limits.db),
            kv: self.kv.over(limits.kv),
            cache: self.cache.over(limits.cache),
        }
    }
}

impl DbLimitsConfig {
    fn over(&self, limits: DbLimits) -> DbLimits {
        let time = |own: Option<Milliseconds>, other| own.map_or(other, Into::into);
        let count = |own: Option<NonZeroUsize>, other| own.map_or(other, NonZeroUsize::get);
        DbLimits {
            statement_deadline: time(self.statement_deadline_ms, limits.statement_deadline),
            slow_statement: time(self.slow_statement_ms, limits.slow_statement),
            transaction_deadline: time(self.transaction_deadline_ms, limits.transaction_deadline),
            migration_deadline: time(self.migration_deadline_ms, limits.migration_deadline),
            sql_bytes_max: count(self.sql_bytes_max, limits.sql_bytes_max),
            value_bytes_max: count(self.value_bytes_max, limits.value_bytes_max),
            kept_bytes_max: count(self.kept_bytes_max, limits.kept_bytes_max),
            file_bytes_max: self
                .file_bytes_max
                .map_or(limits.file_bytes_max, NonZeroU64::get),
            cache_kib: self.cache_kib.map_or(limits.cache_kib, NonZeroU32::get),
            readers: count(self.readers, limits.readers),
            statements_cached: count(self.statements_cached, limits.statements_cached),
            statements_max: count(self.statements_max, limits.statements_max),
            power_safe: self.power_safe.unwrap_or(limits.power_safe),
        }
    }
}

impl KvLimitsConfig {
    fn over(&self, limits: KvLimits) -> KvLimits {
        let own = self.value_bytes_max;
        KvLimits {
            value_bytes_max: own.map_or(limits.value_bytes_max, NonZeroUsize::get),
        }
    }
}

impl CacheLimitsConfig {
    fn over(&self, limits: CacheLimits) -> CacheLimits {
        let count = |own: Option<NonZeroUsize>, other| own.map_or(other, NonZeroUsize::get);
        CacheLimits {
            bytes_max: count(self.bytes_max, limits.bytes_max),
            value_bytes_max: count(self.value_bytes_max, limits.value_bytes_max),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_left_out_is_as_it_was() {
        let said: LimitsConfig = toml::from_str(
            "tasks_max = 3\nhandler_deadline_ms = 250\ndb.readers = 2\nkv.value_bytes_max = 5\n\
             cache.bytes_max = 6",
        )
        .unwrap();
        let limits = said.over(Limits::default());
        let expected = Limits {
            tasks_max: 3,
            handler_deadline: Duration::from_millis(250),
            db: DbLimits {
                readers: 2,
                ..DbLimits::default()
            },
            kv: KvLimits { value_bytes_max: 5 },
            cache: CacheLimits {
                bytes_max: 6,
                ..CacheLimits::default()
            },
            ..Limits::default()
        };
        assert_eq!(limits, expected);
        assert_eq!(LimitsConfig::default().over(limits), limits);
    }

    #[test]
    fn limits_that_would_stop_everything_are_refused() {
        for text in [
            "tasks_max = 0",
            "handler_deadline_ms = 0",
            "handler_deadline_ms = 86400001",
            "db.file_bytes_max = 0",
            "db.readers = -1",
            "kv.value_bytes_max = 0",
            "cache.bytes_max = 0",
        ] {
            assert!(toml::from_str::<LimitsConfig>(text).is_err(), "{text}");
        }
    }
}
