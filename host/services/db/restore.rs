//! Puts a backup in the place of a plugin's database, while the plugin goes on.
//!
//! The backup is first copied beside the database and checked there. Then calls
//! wait while nobody has the database open, it becomes one file, and the copy is
//! renamed over it: whoever is killed on the way leaves the one or the other.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection as Raw, OpenFlags};

use crate::name::PluginName;
use crate::services::db::copy::{
    IN_TRANSIT, Unfinished, Why, backup_name, check, has_table, keep_newest, now_ms,
};
use crate::services::db::databases::Databases;
use crate::services::db::folder::{Folder, beside, bytes_of, clear, make, mark_of, sync};
use crate::services::db::migrate::version_in;
use crate::services::db::outbox;
use crate::services::db::scope::Scope;
use crate::services::db::stored::{Restored, StoredError};

impl Databases {
    /// Puts a copy of the database in `from` in the place of a plugin's. Blocks.
    pub(crate) fn restore(&self, name: &PluginName, from: &Path) -> Result<Restored, StoredError> {
        let _work = self.work_on(name)?;
        let folder = self.folder(name);
        let source = self.source(name, from)?;
        let new = incoming(name, &folder, &source, from)?;
        let schema_version = version_of(name, &new)?;
        let is_sound = self.is_sound(name)?;
        let state = self.state(name);
        let exchanged = self.stopped(name, || {
            let before = match (is_there(&folder), is_sound) {
                (false, _) => None,
                (true, true) => Some(Before::Sound(to_one_file(name, &folder, &new)?)),
                (true, false) => Some(Before::Damaged),
            };
            let placed = exchange(&folder, &new, before);
            let placed = placed.map_err(|error| StoredError::of_disk(&folder.file(), &error))?;
            state.mended();
            state.set_version(schema_version);
            Ok((before, placed))
        });
        let of_service = |error| StoredError::of_service(name, &folder.file(), error);
        let (before, placed) = exchanged.map_err(of_service)??;
        // What is left over takes space, and nothing else.
        let cleared =
            clear(&folder.incoming()).and_then(|()| keep_newest(&folder.backups(), Why::Restore));
        if let Err(error) = cleared {
            tracing::debug!(plugin = %name, %error, "old copies were not removed");
        }
        Ok(Restored {
            schema_version,
            schema_before: match before {
                Some(Before::Sound(version)) => Some(version),
                _ => None,
            },
            was_damaged: matches!(before, Some(Before::Damaged)),
            before: placed,
        })
    }

    /// Opens a backup, and checks that all of it may be the plugin's.
    fn source(&self, name: &PluginName, from: &Path) -> Result<Raw, StoredError> {
        let file = from.to_owned();
        let place = |reason| StoredError::Place {
            file: file.clone(),
            reason,
        };
        if !from.is_absolute() {
            return Err(place("the path is not absolute; begin it with /"));
        }
        match from.metadata() {
            Ok(meta) if !meta.is_file() => return Err(place("that is no file; name a backup")),
            Ok(meta) if meta.len() == 0 => {
                let reason = "it is empty".to_owned();
                return Err(StoredError::Unsound { file, reason });
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let backups = self.folder(name).backups();
                return Err(StoredError::NoFile { file, backups });
            }
            Err(error) => return Err(StoredError::of_disk(from, &error)),
        }
        let real = |path: &Path| path.canonicalize().ok();
        if real(from) == real(&self.folder(name).file()) {
            return Err(place("that is the database itself; name a backup of it"));
        }
        let bytes_max = self.limits(name).file_bytes_max;
        if bytes_of(from) > bytes_max {
            return Err(StoredError::TooLarge {
                bytes: bytes_of(from),
                file,
                plugin: name.to_string(),
                bytes_max,
            });
        }
        let opened = || -> rusqlite::Result<Raw> {
            let raw = Raw::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
            check(&raw)?;
            Ok(raw)
        };
        let raw = opened().map_err(|error| StoredError::of_sqlite(name, from, &error))?;
        let mark = raw.pragma_query_value(None, "application_id", |row| row.get::<_, i32>(0));
        let mark = mark.map_err(|error| StoredError::of_sqlite(name, from, &error))?;
        if mark != 0 && mark != mark_of(name) {
            return Err(StoredError::OfAnother {
                file,
                plugin: name.to_string(),
            });
        }
        let foreign = foreign(&raw, name);
        match foreign.map_err(|error| StoredError::of_sqlite(name, from, &error))? {
            None => Ok(raw),
            Some((kind, foreign)) => Err(StoredError::Foreign {
                file,
                kind,
                name: foreign,
                plugin: name.to_string(),
                prefix: name.table_prefix(),
            }),
        }
    }

    /// Whether the database that is there fits together.
    fn is_sound(&self, name: &PluginName) -> Result<bool, StoredError> {
        let file = self.folder(name).file();
        let checked = self.open_to_read(name).and_then(|raw| {
            check(&raw).map_err(|error| StoredError::of_sqlite(name, &file, &error))
        });
        match checked {
            Ok(()) => Ok(true),
            // It may well be sound, and whoever has it would go on with what was put
            // aside.
            Err(busy @ StoredError::Busy { .. }) if file.is_file() => Err(busy),
            Err(_) => Ok(false),
        }
    }
}

/// Whether there is a database, or what is left of one: a log would be taken for that
/// of whichever takes its place.
fn is_there(folder: &Folder) -> bool {
    let file = folder.file();
    file.exists() || beside(&file).iter().any(|left| left.exists())
}

/// The first thing in a database that is neither the plugin's nor the service's
/// own: its kind and its name.
fn foreign(raw: &Raw, name: &PluginName) -> rusqlite::Result<Option<(String, String)>> {
    let scope = Scope::new(name.as_ref(), Vec::new());
    let mut statement = raw.prepare("SELECT type, name, tbl_name FROM sqlite_schema")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (kind, name, table): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let is_own = scope.owns(&table) && (scope.owns(&name) || scope.owns_autoindex(&name));
        let is_services = is_of_service(&kind, &name, &table);
        // One that SQLite made for a constraint; there is no such trigger or view.
        let is_services_index = kind == "index"
            && name.starts_with("sqlite_autoindex_")
            && is_of_service("table", &table, &table);
        let is_sqlites = kind == "table" && name.starts_with("sqlite_");
        if !(is_own || is_services || is_services_index || is_sqlites) {
            return Ok(Some((kind, name)));
        }
    }
    Ok(None)
}

/// Whether the table, or the index on `table`, is one that the services make.
fn is_of_service(kind: &str, name: &str, table: &str) -> bool {
    let statement = match kind {
        "table" => format!("CREATE TABLE IF NOT EXISTS {name} ("),
        "index" => format!("CREATE INDEX IF NOT EXISTS {name} ON {table} ("),
        _ => return false,
    };
    name.starts_with("_exthost_") && outbox::TABLES.contains(&statement)
}

/// Copies a backup beside the database.
fn incoming(
    name: &PluginName,
    folder: &Folder,
    source: &Raw,
    from: &Path,
) -> Result<PathBuf, StoredError> {
    let incoming = folder.incoming();
    let new = incoming.join("data.db");
    let copied = || -> io::Result<rusqlite::Result<()>> {
        clear(&incoming)?;
        make(&incoming)?;
        make(&folder.backups())?;
        let copy = Unfinished::begin(&incoming, "incoming")?;
        if let Err(error) = copy.take(source).and_then(|()| complete(copy.path())) {
            return Ok(Err(error));
        }
        copy.keep(&new, true).map(Ok)
    };
    copied()
        .map_err(|error| StoredError::of_disk(&incoming, &error))?
        .map_err(|error| StoredError::of_sqlite(name, from, &error))?;
    Ok(new)
}

/// Adds the service's tables that a backup of an earlier host does not have.
fn complete(file: &Path) -> rusqlite::Result<()> {
    let raw = Raw::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    raw.execute_batch(outbox::TABLES)?;
    raw.close().map_err(|(_, error)| error)
}

fn version_of(name: &PluginName, file: &Path) -> Result<u64, StoredError> {
    let read = || {
        version_in(&Raw::open_with_flags(
            file,
            OpenFlags::SQLITE_OPEN_READ_ONLY,
        )?)
    };
    read().map_err(|error| StoredError::of_sqlite(name, file, &error))
}

/// The database that was there.
#[derive(Debug, Clone, Copy)]
enum Before {
    /// Sound and one file, with a schema of this version.
    Sound(u64),
    Damaged,
}

/// Makes one file of the database that is there, with nothing beside it, and hands
/// what is on its way on to the `new` one: it was acknowledged. Returns the version
/// of the schema.
fn to_one_file(name: &PluginName, folder: &Folder, new: &Path) -> Result<u64, StoredError> {
    let file = folder.file();
    let made = || -> rusqlite::Result<u64> {
        let raw = Raw::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        raw.execute("ATTACH ?1 AS new", [new.to_string_lossy()])?;
        for table in IN_TRANSIT {
            if has_table(&raw, "main", table)? && has_table(&raw, "new", table)? {
                raw.execute_batch(&format!(
                    "INSERT OR IGNORE INTO new.{table} SELECT * FROM main.{table}"
                ))?;
            }
        }
        raw.execute_batch("DETACH new")?;
        let version = version_in(&raw)?;
        // Fails if another process has it open.
        raw.pragma_update(None, "journal_mode", "delete")?;
        raw.close().map_err(|(_, error)| error)?;
        Ok(version)
    };
    made().map_err(|error| StoredError::of_sqlite(name, &file, &error))
}

/// Renames `new` over the database, and keeps the one before. Returns where that
/// is.
fn exchange(folder: &Folder, new: &Path, before: Option<Before>) -> io::Result<Option<PathBuf>> {
    let file = folder.file();
    match before {
        None => {
            fs::rename(new, &file)?;
            sync(&folder.db())?;
            Ok(None)
        }
        Some(Before::Sound(version)) => {
            // A second name of the same file is no copy of it until the database
            // is another file, and is not named like one.
            let unfinished = Unfinished::begin(&folder.backups(), Why::Restore.unfinished())?;
            fs::remove_file(unfinished.path())?;
            link(&file, unfinished.path())?;
            fs::rename(new, &file)?;
            sync(&folder.db())?;
            let kept = folder.backups().join(backup_name(version, Why::Restore));
            unfinished.keep(&kept, false)?;
            Ok(Some(kept))
        }
        Some(Before::Damaged) => {
            let aside = folder.damaged().join(format!("{:013}", now_ms()));
            make(&aside)?;
            let place = aside.join("data.db");
            match file.is_file() {
                true => link(&file, &place)?,
                false if file.exists() => fs::rename(&file, &place)?,
                false => {}
            }
            // An empty file is known to be damaged. The one before, without its log,
            // could be taken for sound by whoever comes after one killed here.
            let empty = folder.incoming().join("empty");
            File::create(&empty)?;
            fs::rename(empty, &file)?;
            // A log would be taken for that of the new database.
            for (from, to) in beside(&file).iter().zip(beside(&place)) {
                if from.exists() {
                    fs::rename(from, to)?;
                }
            }
            fs::rename(new, &file)?;
            sync(&folder.db())?;
            Ok(Some(aside))
        }
    }
}

/// Gives a file a second name, or copies it where a file has only one.
fn link(file: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(file, to).or_else(|_| fs::copy(file, to).map(drop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_database_is_never_left_without_its_log() {
        let data = tempfile::tempdir().unwrap();
        let folder = Folder::new(data.path().join("notes"));
        fs::create_dir_all(folder.incoming()).unwrap();
        let file = folder.file();
        let [log, ..] = beside(&file);
        fs::write(&file, "whole").unwrap();
        fs::write(&log, "damaged").unwrap();
        // What is to take its place is gone, as if killed right before.
        let none = folder.incoming().join("data.db");
        exchange(&folder, &none, Some(Before::Damaged)).unwrap_err();
        assert_eq!((bytes_of(&file), log.exists()), (0, false));
        let aside = fs::read_dir(folder.damaged()).unwrap().next().unwrap();
        let place = aside.unwrap().path().join("data.db");
        assert_eq!(fs::read_to_string(&place).unwrap(), "whole");
        assert_eq!(fs::read_to_string(&beside(&place)[0]).unwrap(), "damaged");
    }
}
