//! The limits of one plugin's database, with their defaults in one place.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// What one plugin's database may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DbLimits {
    /// Time for one statement, and for the wait before it.
    #[serde(rename = "statement_deadline_ms", serialize_with = "ms")]
    pub statement_deadline: Duration,
    /// From how long on a statement counts as slow.
    #[serde(rename = "slow_statement_ms", serialize_with = "ms")]
    pub slow_statement: Duration,
    /// Time for a transaction that a plugin holds open, and for a batch.
    #[serde(rename = "transaction_deadline_ms", serialize_with = "ms")]
    pub transaction_deadline: Duration,
    /// Time for one statement of a migration, and for the wait before it.
    #[serde(rename = "migration_deadline_ms", serialize_with = "ms")]
    pub migration_deadline: Duration,
    /// Length of one statement, or of a script.
    pub sql_bytes_max: usize,
    /// Length of one value, or of one row.
    pub value_bytes_max: usize,
    /// Rows that a statement which writes returns, together.
    pub kept_bytes_max: usize,
    /// Size of the file.
    pub file_bytes_max: u64,
    /// Page cache of one connection, in KiB.
    pub cache_kib: u32,
    /// Connections that read, beside the one that writes.
    pub readers: usize,
    /// Statements that a connection keeps prepared.
    pub statements_cached: usize,
    /// Statements that a plugin holds prepared.
    pub statements_max: usize,
    /// Whether an acknowledged commit survives a loss of power, rather than that
    /// of the process only (`synchronous = FULL`).
    pub power_safe: bool,
}

impl Default for DbLimits {
    fn default() -> Self {
        DbLimits {
            statement_deadline: Duration::from_secs(5),
            slow_statement: Duration::from_millis(100),
            transaction_deadline: Duration::from_secs(5),
            migration_deadline: Duration::from_secs(30),
            sql_bytes_max: 1024 * 1024,
            value_bytes_max: 16 * 1024 * 1024,
            kept_bytes_max: 16 * 1024 * 1024,
            file_bytes_max: 1024 * 1024 * 1024,
            cache_kib: 2048,
            readers: 4,
            statements_cached: 128,
            statements_max: 10_000,
            power_safe: false,
        }
    }
}

fn ms<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(time.as_millis().try_into().unwrap_or(u64::MAX))
}
