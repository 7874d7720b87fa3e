//! What operators see of a plugin's database: counters and sizes.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use exthost_abi::Status;

use crate::name::PluginName;
use crate::services::error::ServiceError;

/// A plugin's database at one moment.
#[derive(Debug)]
pub(crate) struct DatabaseStatus {
    /// The plugin.
    pub(crate) plugin: PluginName,
    /// Statements of the plugin that were run, those that failed with them; one
    /// that had to run again counts again.
    pub(crate) statements: u64,
    /// Those that failed.
    pub(crate) failed: u64,
    /// Those of them that were stopped at their deadline.
    pub(crate) interrupted: u64,
    /// Those of them that reached out of their scope.
    pub(crate) denied: u64,
    /// Size of the file in bytes; 0 while there is none.
    pub(crate) file_bytes: u64,
    /// Size of its write-ahead log in bytes.
    pub(crate) wal_bytes: u64,
}

/// Counters of a database; they grow until the process ends.
#[derive(Debug, Default)]
pub(super) struct Counters {
    statements: AtomicU64,
    failed: AtomicU64,
    interrupted: AtomicU64,
    denied: AtomicU64,
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
                _ => 0,
            };
        }
    }

    /// What they say of the database of `plugin` in `file`. Asks the disk.
    pub(super) fn status(&self, plugin: &PluginName, file: &Path) -> DatabaseStatus {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let bytes = |file: &Path| file.metadata().map_or(0, |file| file.len());
        let mut wal = file.as_os_str().to_owned();
        wal.push("-wal");
        DatabaseStatus {
            plugin: plugin.clone(),
            statements: read(&self.statements),
            failed: read(&self.failed),
            interrupted: read(&self.interrupted),
            denied: read(&self.denied),
            file_bytes: bytes(file),
            wal_bytes: bytes(Path::new(&wal)),
        }
    }
}
