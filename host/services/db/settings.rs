//! What the databases of a host are to be.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::PathBuf;

use crate::config::DbLimits;
use crate::name::PluginName;
use crate::services::db::memory;

/// What each plugin's database is to be.
#[derive(Debug, Clone, Default)]
pub(crate) struct DatabasesSettings {
    /// What SQLite may take of memory in this process.
    pub(crate) memory_bytes_max: Option<NonZeroU64>,
    /// Of plugins that have settings of their own.
    pub(crate) of_plugin: BTreeMap<String, DbSettings>,
    /// Of all others.
    pub(crate) others: DbSettings,
}

/// What one plugin's database is to be.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct DbSettings {
    /// The application's database.
    pub(crate) host: Option<PathBuf>,
    /// The tables of it that the plugin may read.
    pub(crate) tables: Vec<String>,
    /// What it may use.
    pub(crate) limits: DbLimits,
}

impl DatabasesSettings {
    /// Bounds the memory of all of them together, and of whoever uses SQLite beside
    /// them.
    pub(super) fn limit_memory(&self) {
        if let Some(bytes) = self.memory_bytes_max
            && let Err(error) = memory::limit(bytes.get())
        {
            tracing::warn!(%error, "the memory of SQLite is not bounded");
        }
    }

    /// Those of one plugin.
    pub(super) fn of(&self, name: &PluginName) -> &DbSettings {
        self.of_plugin.get(name.as_str()).unwrap_or(&self.others)
    }
}
