//! What is known of a plugin's file by all that open it: whether it is sound.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use exthost_abi::Status;

use crate::name::PluginName;
use crate::services::db::error::CORRUPT;
use crate::services::db::folder::{bytes_of, log_of};
use crate::services::db::log_header;
use crate::services::error::ServiceError;

/// The state of one plugin's file.
///
/// Once SQLite has said that the file is damaged, nobody touches it until it was
/// restored or removed: reading on could hand out wrong rows, writing on could
/// spoil what can still be saved.
#[derive(Debug)]
pub(super) struct FileState {
    plugin: PluginName,
    is_damaged: AtomicBool,
    damage: Mutex<Option<ServiceError>>,
    /// Held while a connection is opened, since SQLite does not wait for another
    /// one while it makes the log, it fails; and while the file is exchanged.
    alone: Mutex<()>,
    /// Whether the log was looked at before the first connection.
    is_log_known: AtomicBool,
    /// The version of the schema and one; 0 while nobody has looked.
    version: AtomicU64,
}

impl FileState {
    /// A file of which nothing is known yet.
    pub(super) fn new(plugin: PluginName) -> Self {
        FileState {
            plugin,
            is_damaged: AtomicBool::new(false),
            damage: Mutex::default(),
            alone: Mutex::default(),
            is_log_known: AtomicBool::new(false),
            version: AtomicU64::new(0),
        }
    }

    /// Whose file it is.
    pub(super) fn plugin(&self) -> &PluginName {
        &self.plugin
    }

    /// Refuses a call once the file is known to be damaged.
    pub(super) fn check(&self) -> Result<(), ServiceError> {
        match self.is_damaged.load(Ordering::Acquire) {
            true => self.damage().map_or(Ok(()), Err),
            false => Ok(()),
        }
    }

    /// Why no call is let through, if the file is damaged.
    pub(super) fn damage(&self) -> Option<ServiceError> {
        self.kept().clone()
    }

    /// Takes note of a failure that says the file is damaged.
    pub(super) fn note(&self, error: &ServiceError) {
        if error.code == CORRUPT {
            self.damaged(&error.message);
        }
    }

    /// Lets no call through from here on, because of `reason`.
    fn damaged(&self, reason: &str) {
        let mut kept = self.kept();
        if kept.is_some() {
            return;
        }
        let plugin = &self.plugin;
        tracing::error!(
            plugin = %plugin,
            reason,
            "the database is damaged and is not used any more; restore a backup with `exthost data \
             restore {plugin} FILE`"
        );
        *kept = Some(ServiceError::new(
            Status::CORRUPT,
            CORRUPT,
            format!(
                "the database of {plugin} is damaged and is not used any more: {reason}; restore a \
                 backup with `exthost data restore {plugin} FILE`, or begin anew with `exthost data \
                 remove {plugin}`"
            ),
        ));
        self.is_damaged.store(true, Ordering::Release);
    }

    /// Lets calls through again, to another file of which nothing is known.
    pub(super) fn mended(&self) {
        *self.kept() = None;
        self.is_log_known.store(false, Ordering::Relaxed);
        self.version.store(0, Ordering::Relaxed);
        self.is_damaged.store(false, Ordering::Release);
    }

    /// Waits until nobody opens a connection, and lets nobody begin to.
    pub(super) fn alone(&self) -> MutexGuard<'_, ()> {
        self.alone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at what SQLite would take for a database in which nothing is yet, or
    /// pass over. Called [alone](Self::alone).
    pub(super) fn look(&self, file: &Path) -> Result<(), ServiceError> {
        if let Some(reason) = self.found(file) {
            self.damaged(&reason);
        }
        self.check()
    }

    fn found(&self, file: &Path) -> Option<String> {
        let log = log_of(file);
        match file.metadata() {
            Ok(meta) if !meta.is_file() => return Some("it is no file".to_owned()),
            // The host never leaves an empty file: it makes one elsewhere first.
            Ok(meta) if meta.len() == 0 => return Some("the file is empty".to_owned()),
            Err(_) if bytes_of(&log) > 0 => {
                return Some("the file is gone, and its log is still there".to_owned());
            }
            _ => {}
        }
        // From the first connection on SQLite itself writes there.
        let is_known = self.is_log_known.swap(true, Ordering::Relaxed);
        match is_known || log_header::is_sound(&log) {
            true => None,
            false => Some("the head of its write-ahead log cannot be read".to_owned()),
        }
    }

    /// Takes note of the version of the schema.
    pub(super) fn set_version(&self, version: u64) {
        self.version
            .store(version.saturating_add(1), Ordering::Relaxed);
    }

    /// The version of the schema, if a connection has been opened.
    pub(super) fn version(&self) -> Option<u64> {
        self.version.load(Ordering::Relaxed).checked_sub(1)
    }

    fn kept(&self) -> MutexGuard<'_, Option<ServiceError>> {
        self.damage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
