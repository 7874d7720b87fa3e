//! What operators see and learn of the data of plugins, installed or not.

mod error;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::name::PluginName;
use crate::services::db::databases::Databases;
use crate::services::db::folder::{bytes_of, log_of, size_of};
use crate::services::db::migrate::version_in;

pub use error::StoredError;

/// The data of one plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Stored {
    /// The plugin.
    pub plugin: String,
    /// Whether it serves, and whether its database can be used.
    pub state: StoredState,
    /// Why the database cannot be used.
    pub damage: Option<String>,
    /// Size of the database in bytes.
    pub file_bytes: u64,
    /// Size of its write-ahead log in bytes.
    pub wal_bytes: u64,
    /// The largest that the database may become, in bytes.
    pub file_bytes_max: u64,
    /// Size in bytes of what the plugin keeps outside the database.
    pub files_bytes: u64,
    /// Copies of the database among its backups.
    pub backups: u64,
    /// Their size in bytes.
    pub backups_bytes: u64,
    /// The version of the schema; 0 before the first migration.
    pub schema_version: Option<u64>,
    /// Statements that took long since the host began.
    pub slow: u64,
}

/// Whether a plugin serves, and whether its database can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StoredState {
    /// A host serves it.
    Serving,
    /// No host serves a plugin of this name.
    NotServing,
    /// The database cannot be used, whoever serves.
    Damaged,
}

/// A copy of a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BackedUp {
    /// The file, on the machine of the host.
    pub file: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// The version of the schema.
    pub schema_version: u64,
}

impl BackedUp {
    /// The same, of a copy that was moved to `file`.
    #[must_use]
    pub fn at(self, file: PathBuf) -> Self {
        BackedUp { file, ..self }
    }
}

/// A database that has taken the place of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Restored {
    /// The version of the schema now.
    pub schema_version: u64,
    /// The version before, if there was a database that could be read.
    pub schema_before: Option<u64>,
    /// Where the database before is now: among the backups, or put aside since it
    /// was damaged.
    pub before: Option<PathBuf>,
    /// Whether the one before was damaged.
    pub was_damaged: bool,
}

/// A database that was rebuilt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Vacuumed {
    /// Size in bytes before.
    pub bytes_before: u64,
    /// Size in bytes after.
    pub bytes_after: u64,
}

impl Databases {
    /// The data of all plugins, by name, of which `serves` says which serve. Blocks.
    pub(crate) fn list(
        &self,
        serves: impl Fn(&PluginName) -> bool,
    ) -> Result<Vec<Stored>, StoredError> {
        let data = self.data();
        let entries =
            std::fs::read_dir(data).map_err(|error| StoredError::of_disk(data, &error))?;
        let mut names: Vec<PluginName> = entries
            .flatten()
            .filter_map(|entry| PluginName::parse(entry.file_name().to_str()?).ok())
            .filter(|name| self.folder(name).holds_data())
            .collect();
        names.sort_unstable();
        Ok(names
            .iter()
            .map(|name| self.row(name, serves(name)))
            .collect())
    }

    fn row(&self, name: &PluginName, serves: bool) -> Stored {
        let folder = self.folder(name);
        let file = folder.file();
        let version = match file.exists() || bytes_of(&log_of(&file)) > 0 {
            true => self.version(name).map(Some),
            false => Ok(None),
        };
        let (schema_version, damage) = match version {
            Ok(version) => (version, None),
            Err(StoredError::Damaged { reason } | StoredError::Unsound { reason, .. }) => {
                (None, Some(reason))
            }
            // It is opened by somebody else, or not at all.
            Err(_) => (None, None),
        };
        let state = match (&damage, serves) {
            (Some(_), _) => StoredState::Damaged,
            (None, true) => StoredState::Serving,
            (None, false) => StoredState::NotServing,
        };
        let (backups, backups_bytes) = size_of(&folder.backups());
        Stored {
            plugin: name.to_string(),
            state,
            damage,
            file_bytes: bytes_of(&file),
            wal_bytes: bytes_of(&log_of(&file)),
            file_bytes_max: self.limits(name).file_bytes_max,
            files_bytes: size_of(&folder.files()).1,
            backups,
            backups_bytes,
            schema_version,
            slow: self.slow_count(name),
        }
    }

    /// The version of the schema, from the file unless it is known.
    fn version(&self, name: &PluginName) -> Result<u64, StoredError> {
        let state = self.state(name);
        let file = self.folder(name).file();
        let of_service = |error| StoredError::of_service(name, &file, error);
        state.check().map_err(of_service)?;
        match state.version() {
            Some(version) => Ok(version),
            None => {
                let raw = self.open_to_read(name)?;
                version_in(&raw).map_err(|error| StoredError::of_sqlite(name, &file, &error))
            }
        }
    }
}
