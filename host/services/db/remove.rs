//! Removes all data of a plugin.

use crate::name::PluginName;
use crate::services::db::copy::now_ms;
use crate::services::db::databases::Databases;
use crate::services::db::folder::{clear, sync};
use crate::services::db::stored::StoredError;

/// What the folder of a removed plugin is named until it is gone; no plugin has
/// such a name.
const PREFIX: &str = ".removed-";

impl Databases {
    /// Removes the database of a plugin, its backups and its files. Blocks.
    pub(crate) fn remove(&self, name: &PluginName) -> Result<(), StoredError> {
        let _work = self.work_on_data(name)?;
        let folder = self.folder(name);
        let path = folder.path();
        let of_disk = |error: std::io::Error| StoredError::of_disk(path, &error);
        let gone = self.data().join(format!("{PREFIX}{name}-{}", now_ms()));
        let state = self.state(name);
        // Out of sight at once, so that nobody ever sees half of it.
        let moved = self.stopped(name, || {
            std::fs::rename(path, &gone)?;
            state.mended();
            sync(self.data())
        });
        moved
            .map_err(|error| StoredError::of_service(name, path, error))?
            .map_err(of_disk)?;
        self.clear_removed().map_err(of_disk)
    }

    /// Removes what a killed host has left of others as well.
    fn clear_removed(&self) -> std::io::Result<()> {
        for entry in std::fs::read_dir(self.data())?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(PREFIX) {
                clear(&entry.path())?;
            }
        }
        Ok(())
    }
}
