//! Rebuilds a plugin's file, so that it gives back what it does not need.

use std::path::Path;
use std::time::Instant;

use rusqlite::{Connection as Raw, OpenFlags};

use crate::name::PluginName;
use crate::services::db::connection::Connection;
use crate::services::db::databases::Databases;
use crate::services::db::error::of_statement;
use crate::services::db::lane::By;
use crate::services::db::stored::{StoredError, Vacuumed};
use crate::services::error::ServiceError;

impl Databases {
    /// Rebuilds the file of a plugin while its writer waits; readers go on. Blocks.
    pub(crate) fn vacuum(&self, name: &PluginName) -> Result<Vacuumed, StoredError> {
        let _work = self.work_on_data(name)?;
        let folder = self.folder(name);
        folder.check_file(name, self.data())?;
        let file = folder.file();
        let path = file.clone();
        let database = self.of(name);
        let turn = Instant::now() + self.limits(name).transaction_deadline * 2;
        // Beside the writer, which may attach nothing, as a rebuilding does.
        let run = move |_: &Connection| rebuild(&path);
        let ran = database.alone(&database.writer, By::This, turn, run);
        let ran = self.runtime().block_on(ran);
        ran.map_err(|error| StoredError::of_service(name, &file, error))
    }
}

fn rebuild(file: &Path) -> Result<Vacuumed, ServiceError> {
    let rebuilt = || -> rusqlite::Result<Vacuumed> {
        let raw = Raw::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let bytes_before = bytes(&raw)?;
        raw.execute_batch("VACUUM")?;
        let bytes_after = bytes(&raw)?;
        // What a reader still needs of the log stays until the next checkpoint.
        raw.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(Vacuumed {
            bytes_before,
            bytes_after,
        })
    };
    rebuilt().map_err(|error| of_statement(&error))
}

fn bytes(raw: &Raw) -> rusqlite::Result<u64> {
    let count = |pragma| raw.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    Ok(count("page_count")?.unsigned_abs() * count("page_size")?.unsigned_abs())
}
