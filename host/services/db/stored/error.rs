//! Why something was not done to the data of a plugin.

use std::path::{Path, PathBuf};

use exthost_abi::Status;
use rusqlite::ErrorCode;

use crate::name::PluginName;
use crate::services::audit::AuditError;
use crate::services::error::ServiceError;

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
    #[error(
        "there is no file {}; name a backup, of which those that the host has made are in {}",
        .file.display(),
        .backups.display()
    )]
    NoFile {
        /// The file.
        file: PathBuf,
        /// Where the plugin's backups are.
        backups: PathBuf,
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
    pub(in crate::services::db) fn of_sqlite(
        plugin: &PluginName,
        file: &Path,
        error: &rusqlite::Error,
    ) -> Self {
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
    pub(in crate::services::db) fn of_disk(file: &Path, error: &std::io::Error) -> Self {
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
    pub(in crate::services::db) fn of_service(
        plugin: &PluginName,
        file: &Path,
        error: ServiceError,
    ) -> Self {
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
