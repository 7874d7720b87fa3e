//! What operators see of a plugin's database: counters and sizes.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use exthost_abi::Status;
use serde::Serialize;

use crate::config::DbLimits;
use crate::name::PluginName;
use crate::services::db::folder::{bytes_of, log_of};
use crate::services::db::slow::SlowStatements;
use crate::services::db::state::FileState;
use crate::services::error::ServiceError;

/// A plugin's database at one moment.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct DatabaseStatus {
    /// The plugin.
    #[serde(skip)]
    pub plugin: PluginName,
    /// Statements of the plugin that were run, those that failed with them; one
    /// that had to run again counts again.
    pub statements: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those of them that were stopped at their deadline.
    pub interrupted: u64,
    /// Those of them that reached out of their scope.
    pub denied: u64,
    /// Those of them for which the file or the disk had no room.
    pub full: u64,
    /// Statements that took as long as [`DbLimits::slow_statement`] or longer.
    pub slow: u64,
    /// Size of the file in bytes; 0 while there is none.
    pub file_bytes: u64,
    /// Size of its write-ahead log in bytes.
    pub wal_bytes: u64,
    /// The version of the schema, once the file was opened; 0 before the first
    /// migration.
    pub schema_version: Option<u64>,
    /// Why it is not used any more, if it is damaged.
    pub damage: Option<String>,
    /// What it may use.
    pub limits: DbLimits,
}

/// Counters of a database; they grow until the process ends.
#[derive(Debug, Default)]
pub(super) struct Counters {
    statements: AtomicU64,
    failed: AtomicU64,
    interrupted: AtomicU64,
    denied: AtomicU64,
    full: AtomicU64,
    pub(super) slow: SlowStatements,
}

impl Counters {
    /// Counts a statement by its outcome.
    pub(super) fn count<T>(&self, outcome: &Result<T, ServiceError>) {
        let add = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
        add(&self.statements);
        if let Err(error) = outcome {
            add(&self.failed);
            match error.status {
                Status::TIMEOUT => add(&self.interrupted),
                Status::DENIED => add(&self.denied),
                Status::FULL => add(&self.full),
                _ => 0,
            };
        }
    }

    /// What they say of the database of `plugin` in `file`. Asks the disk.
    pub(super) fn status(
        &self,
        plugin: &PluginName,
        file: &Path,
        state: &FileState,
        limits: &DbLimits,
    ) -> DatabaseStatus {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        DatabaseStatus {
            plugin: plugin.clone(),
            statements: read(&self.statements),
            failed: read(&self.failed),
            interrupted: read(&self.interrupted),
            denied: read(&self.denied),
            full: read(&self.full),
            slow: self.slow.count(),
            file_bytes: bytes_of(file),
            wal_bytes: bytes_of(&log_of(file)),
            schema_version: state.version(),
            damage: state.damage().map(|damage| damage.message),
            limits: *limits,
        }
    }
}
