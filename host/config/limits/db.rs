//! The limits of one plugin's database, with their defaults in one place.

use std::time::Duration;

/// What one plugin's database may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DbLimits {
    /// Time for one statement, and for the wait before it.
    pub statement_deadline: Duration,
    /// Time for a transaction that a plugin holds open, and for a batch.
    pub transaction_deadline: Duration,
    /// Time for one statement of a migration, and for the wait before it.
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
    /// Whether an acknowledged commit survives a loss of power, rather than that
    /// of the process only (`synchronous = FULL`).
    pub power_safe: bool,
}

impl Default for DbLimits {
    fn default() -> Self {
        DbLimits {
            statement_deadline: Duration::from_secs(5),
            transaction_deadline: Duration::from_secs(5),
            migration_deadline: Duration::from_secs(30),
            sql_bytes_max: 1024 * 1024,
            value_bytes_max: 16 * 1024 * 1024,
            kept_bytes_max: 16 * 1024 * 1024,
            file_bytes_max: 1024 * 1024 * 1024,
            cache_kib: 2048,
            readers: 4,
            statements_cached: 128,
            power_safe: false,
        }
    }
}
