//! The data of plugins while no host serves them.

use std::path::Path;

use crate::data::{BackedUp, Restored, Stored, StoredError, Vacuumed};
use crate::host::lock::{DataError, DataLock, Purpose};
use crate::host::{Host, HostBuilder};
use crate::name::PluginName;
use crate::services::db::database::Databases;

/// A data directory that no host uses, for whoever looks after it; no host starts
/// in it until the value is dropped.
///
/// # Threading
/// All methods block on the disk.
///
/// # Examples
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let data = exthost::Host::builder().data("data").take_data()?;
/// for stored in data.list()? {
///     println!("{}: {} bytes", stored.plugin, stored.file_bytes);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DataDirectory {
    databases: Databases,
    _lock: DataLock,
}

impl HostBuilder {
    /// Takes the data directory without serving.
    ///
    /// # Errors
    /// [`DataError`], when somebody else uses it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn take_data(self) -> Result<DataDirectory, DataError> {
        let merged = self.merge();
        let lock = DataLock::take(&merged.data, Purpose::Work)?;
        Ok(DataDirectory {
            databases: Databases::new(merged.data, merged.settings.databases()),
            _lock: lock,
        })
    }
}

impl DataDirectory {
    /// The data of all plugins, by name.
    ///
    /// # Errors
    /// [`StoredError`], when the directory cannot be read.
    pub fn list(&self) -> Result<Vec<Stored>, StoredError> {
        self.databases.list(|_| false)
    }

    /// Copies the database of a plugin to the file `to`, or among its backups; in
    /// place of another backup only if it is to `replace` it.
    ///
    /// # Errors
    /// [`StoredError`]; there is no half of a copy then.
    pub fn back_up(
        &self,
        plugin: &PluginName,
        to: Option<&Path>,
        replace: bool,
    ) -> Result<BackedUp, StoredError> {
        self.databases.back_up(plugin, to, replace)
    }

    /// Puts the backup `file` in the place of a plugin's database, which is kept
    /// among its backups.
    ///
    /// # Errors
    /// [`StoredError`]; the database is as it was then.
    pub fn restore(&self, plugin: &PluginName, file: &Path) -> Result<Restored, StoredError> {
        self.databases.restore(plugin, file)
    }

    /// Rebuilds the database of a plugin without what it does not need.
    ///
    /// # Errors
    /// [`StoredError`]; the database is as it was then.
    ///
    /// # Panics
    /// On a thread that drives the runtime.
    pub fn vacuum(&self, plugin: &PluginName) -> Result<Vacuumed, StoredError> {
        self.databases.vacuum(plugin)
    }

    /// Removes all data of a plugin, its backups as well.
    ///
    /// # Errors
    /// [`StoredError`].
    pub fn remove(&self, plugin: &PluginName) -> Result<(), StoredError> {
        self.databases.remove(plugin)
    }
}

impl Host {
    /// Removes all data of a plugin that does not serve. None is loaded meanwhile.
    pub(super) async fn remove_data(&self, plugin: PluginName) -> Result<(), StoredError> {
        let host = self.clone();
        // It goes on to its end when nobody waits for it any more.
        let removed = tokio::spawn(async move {
            let _change = host.pipeline.changes.lock().await;
            if host.pipeline.registry.serving(plugin.as_ref()).is_some() {
                return Err(StoredError::Serving {
                    plugin: plugin.to_string(),
                });
            }
            let databases = host.pipeline.services.databases().clone();
            let removed = tokio::task::spawn_blocking(move || databases.remove(&plugin));
            super::joined(removed).await
        });
        super::joined(removed).await
    }
}
