//! Copies a plugin's database for its operator, while the plugin goes on.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection as Raw, ErrorCode, OpenFlags, ffi};

use crate::name::PluginName;
use crate::services::db::copy::{Unfinished, Why, backup_name, has_table};
use crate::services::db::databases::Databases;
use crate::services::db::folder::{bytes_of, make};
use crate::services::db::migrate::version_in;
use crate::services::db::stored::{BackedUp, StoredError};

impl Databases {
    /// Copies the database of a plugin to the file `to`, or among its backups; in
    /// place of another backup only if it is to `replace` it. Blocks.
    pub(crate) fn back_up(
        &self,
        name: &PluginName,
        to: Option<&Path>,
        replace: bool,
    ) -> Result<BackedUp, StoredError> {
        let _work = self.work_on_data(name)?;
        let folder = self.folder(name);
        folder.check_file(name, self.data())?;
        if let Some(to) = to {
            check_target(self.data(), to, replace)?;
        }
        let raw = self.open_to_read(name);
        let raw = raw.map_err(|error| told_of_source(name, error))?;
        let file = folder.file();
        let of_file = |error| told_of_source(name, StoredError::of_sqlite(name, &file, &error));
        // What is committed from here on is not in the copy, and whoever commits it
        // waits for nobody.
        raw.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")
            .map_err(of_file)?;
        let schema_version = version_in(&raw).map_err(of_file)?;
        let (target, copy) = match to {
            Some(to) => (to.to_owned(), Unfinished::begin_for(to)),
            None => {
                let backups = folder.backups();
                let made = make(&backups);
                made.map_err(|error| StoredError::of_disk(&backups, &error))?;
                let copy = Unfinished::begin(&backups, Why::Asked.unfinished());
                (backups.join(backup_name(schema_version, Why::Asked)), copy)
            }
        };
        let of_disk = |error| StoredError::of_disk(&target, &error);
        let copy = copy.map_err(of_disk)?;
        copy.take(&raw)
            .map_err(|error| match is_of_source(&error) {
                true => of_file(error),
                false => StoredError::of_sqlite(name, &target, &error),
            })?;
        let bytes = bytes_of(copy.path());
        copy.keep(&target, replace).map_err(of_disk)?;
        Ok(BackedUp {
            file: target,
            bytes,
            schema_version,
        })
    }
}

/// Whether it is the database that is not sound, or cannot be read, rather than its copy
/// that cannot be written: that has the same pages.
fn is_of_source(error: &rusqlite::Error) -> bool {
    let unread = [ffi::SQLITE_IOERR_READ, ffi::SQLITE_IOERR_SHORT_READ];
    error.sqlite_error().is_some_and(|error| {
        let is_unsound = [ErrorCode::DatabaseCorrupt, ErrorCode::NotADatabase];
        is_unsound.contains(&error.code) || unread.contains(&error.extended_code)
    })
}

/// What is told of a database that is to be copied, and is damaged: there is no other
/// that could be named.
fn told_of_source(name: &PluginName, error: StoredError) -> StoredError {
    match error {
        StoredError::Unsound { file, reason } => StoredError::Damaged {
            reason: format!(
                "{} is damaged, and no backup is made of it: {reason}; restore an earlier backup \
                 with `exthost data restore {name} FILE`",
                file.display()
            ),
        },
        other => other,
    }
}

/// Refuses to write where `data` of plugins is, and over what is no backup.
///
/// # Errors
/// [`StoredError`], with what to name instead.
pub fn check_target(data: &Path, to: &Path, replace: bool) -> Result<(), StoredError> {
    let place = |reason| StoredError::Place {
        file: to.to_owned(),
        reason,
    };
    let (Some(parent), Some(_)) = (to.parent(), to.file_name()) else {
        return Err(place("that is no file to write; name one"));
    };
    if !to.is_absolute() {
        return Err(place("the path is not absolute; begin it with /"));
    }
    let parent = real(parent).map_err(|error| StoredError::of_disk(parent, &error))?;
    let data = real(data).map_err(|error| StoredError::of_disk(data, &error))?;
    if parent.starts_with(&data) {
        return Err(place(
            "that is in the data directory; leave the file out to make a backup there, or name \
             one elsewhere",
        ));
    }
    let file = to.to_owned();
    match (to.symlink_metadata().is_ok(), replace) {
        (false, _) => Ok(()),
        (true, false) => Err(StoredError::Exists { file }),
        (true, true) if is_backup(to) => Ok(()),
        (true, true) => Err(StoredError::NoBackup { file }),
    }
}

/// Moves a backup that a host has made among those of a plugin to `to`, in the place of
/// another backup only if it is to `replace` it: all of it is there, or nothing. It is
/// not among those of the plugin afterwards, in either case: nobody has asked for it
/// there.
///
/// # Errors
/// [`StoredError`].
pub fn take_out(backup: &Path, to: &Path, replace: bool) -> Result<(), StoredError> {
    let taken = copy_out(backup, to, replace);
    let removed = std::fs::remove_file(backup);
    taken.and(removed.map_err(|error| StoredError::of_disk(backup, &error)))
}

fn copy_out(backup: &Path, to: &Path, replace: bool) -> Result<(), StoredError> {
    let of_disk = |error| StoredError::of_disk(to, &error);
    let copy = Unfinished::begin_for(to).map_err(of_disk)?;
    let mut from = File::open(backup).map_err(|error| StoredError::of_disk(backup, &error))?;
    let mut written = File::create(copy.path()).map_err(of_disk)?;
    io::copy(&mut from, &mut written).map_err(of_disk)?;
    copy.keep(to, replace).map_err(of_disk)
}

/// The path without links.
fn real(path: &Path) -> io::Result<PathBuf> {
    path.canonicalize()
}

/// Whether a file is a copy of a plugin's database. It is opened by SQLite alone:
/// if it is in use, closing it in another way would drop SQLite's locks.
fn is_backup(file: &Path) -> bool {
    let asked = || {
        let raw = Raw::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        has_table(&raw, "main", "_exthost_migrations")
    };
    file.symlink_metadata().is_ok_and(|meta| meta.is_file()) && asked().unwrap_or(false)
}
