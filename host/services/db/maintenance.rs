//! What operators do to the data of a plugin is done beside its calls, and by one of
//! them at a time.

use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use rusqlite::{Connection as Raw, OpenFlags};

use crate::name::PluginName;
use crate::services::db::database::Database;
use crate::services::db::databases::Databases;
use crate::services::db::folder::Folder;
use crate::services::db::stored::StoredError;
use crate::services::error::ServiceError;

/// Work on the data of a plugin; other work on it is refused until this is dropped.
#[derive(Debug)]
pub(super) struct Maintenance<'d> {
    databases: &'d Databases,
    name: PluginName,
}

impl Databases {
    /// Begins work on the data of a plugin that has some; one at a time.
    pub(super) fn work_on_data(&self, name: &PluginName) -> Result<Maintenance<'_>, StoredError> {
        match self.folder(name).holds_data() {
            true => self.work_on(name),
            false => Err(no_data(name, self.data())),
        }
    }

    /// Begins work on the data of a plugin; one at a time.
    pub(super) fn work_on(&self, name: &PluginName) -> Result<Maintenance<'_>, StoredError> {
        let worked_on = self.worked_on.lock();
        let mut worked_on = worked_on.unwrap_or_else(PoisonError::into_inner);
        match worked_on.insert(name.clone()) {
            true => Ok(Maintenance {
                databases: self,
                name: name.clone(),
            }),
            false => Err(StoredError::Busy {
                plugin: name.to_string(),
                reason: "it is backed up, restored, rebuilt or removed".to_owned(),
            }),
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
            // Opening alone reads nothing.
            raw.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            Ok(raw)
        };
        opened().map_err(|error| StoredError::of_sqlite(name, &file, &error))
    }

    /// Runs `run` while nobody has the file of a plugin open. Calls wait meanwhile,
    /// and those that have begun are waited for. Blocks.
    pub(super) fn stopped<R>(
        &self,
        name: &PluginName,
        run: impl FnOnce() -> R,
    ) -> Result<R, ServiceError> {
        let until = Instant::now() + self.limits(name).transaction_deadline * 2;
        let state = self.state(name);
        let mut databases: Vec<Arc<Database>> = Vec::new();
        let mut paused = Vec::new();
        let _alone = loop {
            let new = self.others(name, &databases);
            for database in &new {
                paused.push(database.writer.pause(until)?);
                paused.push(database.readers.pause(until)?);
            }
            databases.extend(new);
            let alone = state.alone();
            // One that was made since opens nothing from here on.
            if self.others(name, &databases).is_empty() {
                break alone;
            }
        };
        let _checkpointers: Vec<_> = databases
            .iter()
            .map(|database| database.checkpointer.pause())
            .collect();
        Ok(run())
    }
}

impl Drop for Maintenance<'_> {
    fn drop(&mut self) {
        let worked_on = self.databases.worked_on.lock();
        let mut worked_on = worked_on.unwrap_or_else(PoisonError::into_inner);
        worked_on.remove(&self.name);
    }
}

impl Folder {
    /// Refuses a folder without a database.
    pub(super) fn check_file(&self, plugin: &PluginName, data: &Path) -> Result<(), StoredError> {
        match self.file().exists() {
            true => Ok(()),
            false => Err(no_data(plugin, data)),
        }
    }
}

fn no_data(plugin: &PluginName, data: &Path) -> StoredError {
    StoredError::NoData {
        plugin: plugin.to_string(),
        data: data.to_owned(),
    }
}
