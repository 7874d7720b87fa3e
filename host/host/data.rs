//! The data of plugins while no host serves them.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;
use tokio::runtime::Handle;

use crate::auth::Actor;
use crate::clock::Clock;
use crate::data::{BackedUp, Restored, Stored, StoredError, Vacuumed};
use crate::host::lock::{DataError, DataLock, Purpose};
use crate::host::{Host, HostBuilder};
use crate::name::PluginName;
use crate::services::audit::of_data::{BACKED_UP, REMOVED, RESTORED, VACUUMED};
use crate::services::audit::{Audit, AuditError};
use crate::services::db::Databases;

/// A data directory that no host uses, for whoever looks after it; no host starts
/// in it until the value is dropped. What is done to the data is recorded in the audit,
/// as a host does, whatever comes of it.
///
/// # Threading
/// All methods block on the disk.
///
/// # Panics
/// All methods but [`list`](Self::list), on a thread that drives the runtime.
///
/// # Examples
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use exthost::auth::Actor;
///
/// let data = exthost::Host::builder().data("data").take_data(Actor::user("u1", "Ada"))?;
/// for stored in data.list()? {
///     println!("{}: {} bytes", stored.plugin, stored.file_bytes);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    databases: Databases,
    clock: Clock,
    runtime: Handle,
    operator: Actor,
    _lock: DataLock,
}

impl HostBuilder {
    /// Takes the data directory without serving, for `operator` to look after it.
    ///
    /// # Errors
    /// [`DataError`], when somebody else uses it.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn take_data(self, operator: Actor) -> Result<DataDirectory, DataError> {
        let merged = self.merge();
        let lock = DataLock::take(&merged.data, Purpose::Work)?;
        Ok(DataDirectory {
            databases: Databases::new(merged.data.clone(), merged.settings.databases()),
            path: merged.data,
            clock: merged.clock,
            runtime: Handle::current(),
            operator,
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
    /// place of another backup only if it is to `replace` it. Where that cannot be
    /// recorded, the log says so.
    ///
    /// # Errors
    /// [`StoredError`]; there is no half of a copy then.
    pub fn back_up(
        &self,
        plugin: &PluginName,
        to: Option<&Path>,
        replace: bool,
    ) -> Result<BackedUp, StoredError> {
        let audit = self.audit();
        let done = self.databases.back_up(plugin, to, replace);
        match audit {
            Ok(audit) => self.record(&audit, BACKED_UP, plugin, &done),
            Err(error) => tracing::warn!(%plugin, %error, "the backup is not recorded"),
        }
        done
    }

    /// Puts the backup `file` in the place of a plugin's database, which is kept
    /// among its backups.
    ///
    /// # Errors
    /// [`StoredError`]; the database is as it was then.
    pub fn restore(&self, plugin: &PluginName, file: &Path) -> Result<Restored, StoredError> {
        self.recorded(RESTORED, plugin, |databases| {
            databases.restore(plugin, file)
        })
    }

    /// Rebuilds the database of a plugin without what it does not need.
    ///
    /// # Errors
    /// [`StoredError`]; the database is as it was then.
    pub fn vacuum(&self, plugin: &PluginName) -> Result<Vacuumed, StoredError> {
        self.recorded(VACUUMED, plugin, |databases| databases.vacuum(plugin))
    }

    /// Removes all data of a plugin, its backups as well.
    ///
    /// # Errors
    /// [`StoredError`].
    pub fn remove(&self, plugin: &PluginName) -> Result<(), StoredError> {
        let remove = |databases: &Databases| {
            let removed = databases.remove(plugin);
            removed.map(|()| json!({ "removed": plugin }))
        };
        self.recorded(REMOVED, plugin, remove).map(drop)
    }

    /// Does what can be recorded, and records it.
    fn recorded<T: Serialize>(
        &self,
        action: &str,
        plugin: &PluginName,
        work: impl FnOnce(&Databases) -> Result<T, StoredError>,
    ) -> Result<T, StoredError> {
        let audit = self.audit();
        let audit = audit.map_err(|source| StoredError::Unrecorded { source })?;
        let done = work(&self.databases);
        self.record(&audit, action, plugin, &done);
        done
    }

    /// The audit, ready for a record.
    fn audit(&self) -> Result<Audit, AuditError> {
        let audit = Audit::open(&self.path, self.clock.clone(), &self.runtime)?;
        audit.begin()?;
        Ok(audit)
    }

    fn record<T: Serialize>(
        &self,
        audit: &Audit,
        action: &str,
        plugin: &PluginName,
        done: &Result<T, StoredError>,
    ) {
        let recorded = audit.of_data((&self.operator, ""), action, plugin, done);
        self.runtime.block_on(recorded);
        audit.close();
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
