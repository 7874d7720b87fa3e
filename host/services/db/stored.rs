//! What operators see and learn of the data of plugins, installed or not.

use std::path::{Path, PathBuf};

use exthost_abi::Status;
use rusqlite::{Connection as Raw, ErrorCode, OpenFlags};
use serde::{Deserialize, Serialize};

use crate::name::PluginName;
use crate::services::audit::AuditError;
use crate::services::db::databases::Databases;
use crate::services::db::folder::{Folder, bytes_of, log_of, size_of};
use crate::services::db::migrate::version_in;
use crate::services::error::ServiceError;

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

/// Why something was not done to the data of a plugin. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoredError {
    /// There is none.
    #[error(
        "there is no data of a plugin `{plugin}` in {}; `exthost data list` shows what there is",
        .data.display()
    )]
    NoData {
        /// The plugin.
        plugin: String,
        /// The data directory.
        data: PathBuf,
    },
    /// A file to read is not there.
    #[error("there is no file {}; name a backup", .file.display())]
    NoFile {
        /// The file.
        file: PathBuf,
    },
    /// A file to write is there.
    #[error(
        "{} is there already; name another file, or replace it with --force", .file.display()
    )]
    Exists {
        /// The file.
        file: PathBuf,
    },
    /// A file to write is something else than a backup.
    #[error("{} is no backup of a plugin's database, and is not replaced", .file.display())]
    NoBackup {
        /// The file.
        file: PathBuf,
    },
    /// A path is not one that may be used.
    #[error("{}: {reason}", .file.display())]
    Place {
        /// The path.
        file: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A file is not what it is to be.
    #[error("{} is no sound SQLite database: {reason}; name another backup", .file.display())]
    Unsound {
        /// The file.
        file: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// A file is a backup of another plugin.
    #[error("{} is a backup of another plugin; name one of {plugin}", .file.display())]
    OfAnother {
        /// The file.
        file: PathBuf,
        /// The plugin.
        plugin: String,
    },
    /// A file holds what is not the plugin's.
    #[error(
        "{} holds {kind} `{name}`, and what is of {plugin} begins with `{prefix}`; name a backup of \
         {plugin}", .file.display()
    )]
    Foreign {
        /// The file.
        file: PathBuf,
        /// Table, view, index or trigger.
        kind: String,
        /// Its name.
        name: String,
        /// The plugin.
        plugin: String,
        /// What its names begin with.
        prefix: String,
    },
    /// A file is larger than the plugin's database may be.
    #[error(
        "{} has {bytes} bytes, and the database of {plugin} may have {bytes_max}; raise \
         db.file_bytes_max in [plugin.{plugin}.limits]", .file.display()
    )]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// Its size.
        bytes: u64,
        /// The plugin.
        plugin: String,
        /// The size allowed.
        bytes_max: u64,
    },
    /// The plugin's database cannot be used.
    #[error("{reason}")]
    Damaged {
        /// Why, and what to do.
        reason: String,
    },
    /// A host serves the plugin.
    #[error(
        "{plugin} is serving; set `enabled = false` in [plugin.{plugin}] and send the host SIGHUP, \
         or end the host"
    )]
    Serving {
        /// The plugin.
        plugin: String,
    },
    /// It cannot be recorded.
    #[error("what is done to data is recorded, and that cannot be: {source}; nothing was changed")]
    Unrecorded {
        /// Why.
        source: AuditError,
    },
    /// Somebody else has the database.
    #[error("the database of {plugin} is busy: {reason}; try again")]
    Busy {
        /// The plugin.
        plugin: String,
        /// With what.
        reason: String,
    },
    /// There is no space.
    #[error("there is no space left for {}; make some", .file.display())]
    Full {
        /// What was to be written.
        file: PathBuf,
    },
    /// The disk does not do what it is to.
    #[error("{} cannot be used: {reason}", .file.display())]
    Failed {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
}

impl StoredError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            StoredError::NoData { .. } => "no-data",
            StoredError::NoFile { .. } => "no-such-file",
            StoredError::Exists { .. } => "file-exists",
            StoredError::NoBackup { .. } => "no-backup",
            StoredError::Place { .. } => "place",
            StoredError::Unsound { .. } => "unsound",
            StoredError::OfAnother { .. } => "other-plugin",
            StoredError::Foreign { .. } => "foreign-table",
            StoredError::TooLarge { .. } => "quota",
            StoredError::Damaged { .. } => "corrupt",
            StoredError::Serving { .. } => "serving",
            StoredError::Unrecorded { source } => source.code(),
            StoredError::Busy { .. } => "busy",
            StoredError::Full { .. } => "disk-full",
            StoredError::Failed { .. } => "io",
        }
    }

    /// The kind of failure.
    pub(crate) fn status(&self) -> Status {
        match self {
            StoredError::NoData { .. } | StoredError::NoFile { .. } => Status::NOT_FOUND,
            StoredError::Place { .. }
            | StoredError::Unsound { .. }
            | StoredError::OfAnother { .. }
            | StoredError::Foreign { .. } => Status::INVALID,
            StoredError::TooLarge { .. } => Status::TOO_LARGE,
            StoredError::Exists { .. }
            | StoredError::NoBackup { .. }
            | StoredError::Damaged { .. }
            | StoredError::Serving { .. } => Status::CONFLICT,
            StoredError::Busy { .. } => Status::BUSY,
            StoredError::Full { .. } => Status::FULL,
            StoredError::Unrecorded { .. } | StoredError::Failed { .. } => Status::INTERNAL,
        }
    }

    /// A failure of SQLite with `file`, which is of `plugin`.
    pub(super) fn of_sqlite(plugin: &PluginName, file: &Path, error: &rusqlite::Error) -> Self {
        let reason = error.to_string();
        let file = file.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoredError::Full { file },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoredError::Busy {
                plugin: plugin.to_string(),
                reason,
            },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                StoredError::Unsound { file, reason }
            }
            _ => StoredError::Failed { file, reason },
        }
    }

    /// A failure of the disk with `file`.
    pub(super) fn of_disk(file: &Path, error: &std::io::Error) -> Self {
        let file = file.to_owned();
        match error.kind() {
            std::io::ErrorKind::StorageFull => StoredError::Full { file },
            std::io::ErrorKind::AlreadyExists => StoredError::Exists { file },
            _ => StoredError::Failed {
                file,
                reason: error.to_string(),
            },
        }
    }

    /// A failure of the service with the database of `plugin` in `file`.
    pub(super) fn of_service(plugin: &PluginName, file: &Path, error: ServiceError) -> Self {
        let file = file.to_owned();
        match error.status {
            Status::CORRUPT => StoredError::Damaged {
                reason: error.message,
            },
            Status::BUSY => StoredError::Busy {
                plugin: plugin.to_string(),
                reason: error.message,
            },
            Status::FULL => StoredError::Full { file },
            _ => StoredError::Failed {
                file,
                reason: error.message,
            },
        }
    }
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

    /// A connection to a plugin's file beside those of the plugin, which reads.
    pub(super) fn open_to_read(&self, name: &PluginName) -> Result<Raw, StoredError> {
        let state = self.state(name);
        let file = self.folder(name).file();
        let _alone = state.alone();
        let looked = state.look(&file);
        looked.map_err(|error| StoredError::of_service(name, &file, error))?;
        let opened = || -> rusqlite::Result<Raw> {
            let raw = Raw::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            raw.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            Ok(raw)
        };
        opened().map_err(|error| StoredError::of_sqlite(name, &file, &error))
    }

    /// Begins work on the data of a plugin that has some; one at a time.
    pub(super) fn work_on_data(&self, name: &PluginName) -> Result<Work<'_>, StoredError> {
        match self.folder(name).holds_data() {
            true => self.work_on(name),
            false => Err(StoredError::NoData {
                plugin: name.to_string(),
                data: self.data().to_owned(),
            }),
        }
    }

    /// Begins work on the data of a plugin; one at a time.
    pub(super) fn work_on(&self, name: &PluginName) -> Result<Work<'_>, StoredError> {
        let mut worked_on = self
            .worked_on
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        match worked_on.insert(name.clone()) {
            true => Ok(Work {
                databases: self,
                name: name.clone(),
            }),
            false => Err(StoredError::Busy {
                plugin: name.to_string(),
                reason: "it is backed up, restored, rebuilt or removed".to_owned(),
            }),
        }
    }
}

/// Work on the data of a plugin; others wait until it is dropped.
#[derive(Debug)]
pub(super) struct Work<'d> {
    databases: &'d Databases,
    name: PluginName,
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        let worked_on = self.databases.worked_on.lock();
        let mut worked_on = worked_on.unwrap_or_else(std::sync::PoisonError::into_inner);
        worked_on.remove(&self.name);
    }
}

impl Folder {
    /// Refuses a folder without a database.
    pub(super) fn check_file(&self, plugin: &PluginName, data: &Path) -> Result<(), StoredError> {
        match self.file().exists() {
            true => Ok(()),
            false => Err(StoredError::NoData {
                plugin: plugin.to_string(),
                data: data.to_owned(),
            }),
        }
    }
}
