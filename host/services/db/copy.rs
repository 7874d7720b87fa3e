//! Copies a database while it is used, into one file that is whole or not there.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::backup::Backup;
use rusqlite::{Connection as Raw, Error, ffi};
use tempfile::TempPath;

use crate::private::give;
use crate::services::db::folder::{beside, sync};

/// A copy that is not whole yet, beside the place where it is to be kept; gone
/// when dropped.
#[derive(Debug)]
pub(super) struct Unfinished {
    file: TempPath,
}

/// What a copy among the backups was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// A migration follows.
    Migration,
    /// The operator has asked for it.
    Asked,
    /// Another database takes its place.
    Restore,
}

impl Unfinished {
    /// Begins a copy `of` something in a folder of the plugin's, and removes what a
    /// killed host has left of others of it. Two at a time are of different things.
    pub(super) fn begin(folder: &Path, of: &str) -> io::Result<Self> {
        let copy = Self::begin_in(folder, of)?;
        give(copy.path())?;
        Ok(copy)
    }

    /// [`begin`](Self::begin), of what is to be kept as `file`, wherever that is.
    pub(super) fn begin_for(file: &Path) -> io::Result<Self> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        Self::begin_in(file.parent().unwrap_or(Path::new("/")), &name)
    }

    fn begin_in(folder: &Path, of: &str) -> io::Result<Self> {
        let prefix = format!("{PREFIX}{}-", &of[..of.floor_char_boundary(OF_BYTES_MAX)]);
        for entry in std::fs::read_dir(folder)?.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            // What SQLite keeps beside it is named like it and a bit.
            let random = name
                .strip_prefix(&prefix)
                .and_then(|name| name.split_once(SUFFIX));
            if random.is_some_and(|(random, _)| !random.contains('-')) {
                std::fs::remove_file(entry.path())?;
            }
        }
        let file = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(SUFFIX)
            .tempfile_in(folder)?;
        Ok(Unfinished {
            file: file.into_temp_path(),
        })
    }

    /// Where it is made.
    pub(super) fn path(&self) -> &Path {
        &self.file
    }

    /// Copies what `from` sees, without messages that are on their way: they would
    /// be sent twice if the copy took its place. Nobody who writes waits for it if
    /// `from` is a connection of its own that holds a read transaction.
    pub(super) fn take(&self, from: &Raw) -> rusqlite::Result<()> {
        let taken = self.fill(from);
        if taken.is_err() {
            // SQLite cannot remove what it keeps beside the copy where it cannot write.
            for left in beside(&self.file) {
                let _ = std::fs::remove_file(left);
            }
        }
        taken
    }

    fn fill(&self, from: &Raw) -> rusqlite::Result<()> {
        let mut copy = Raw::open(&self.file)?;
        // It counts only once it is whole, and is written to the disk then.
        copy.pragma_update(None, "synchronous", "off")?;
        Backup::new(from, &mut copy)?.run_to_completion(PAGES, Duration::ZERO, None)?;
        // One file, with nothing beside it.
        copy.pragma_update(None, "journal_mode", "delete")?;
        copy.pragma_update(None, "secure_delete", true)?;
        for table in IN_TRANSIT {
            if has_table(&copy, "main", table)? {
                copy.execute_batch(&format!("DELETE FROM main.{table}"))?;
            }
        }
        check(&copy)?;
        copy.close().map_err(|(_, error)| error)
    }

    /// Keeps the copy as `file`, once all of it is on the disk; in place of another
    /// only if it is to `replace` it.
    pub(super) fn keep(self, file: &Path, replace: bool) -> io::Result<()> {
        File::open(&self.file)?.sync_all()?;
        match replace {
            true => self.file.persist(file).map_err(|error| error.error)?,
            false => self
                .file
                .persist_noclobber(file)
                .map_err(|error| error.error)?,
        }
        file.parent().map_or(Ok(()), sync)
    }
}

/// What unfinished copies are named.
const PREFIX: &str = ".copy-";
const SUFFIX: &str = ".unfinished";

/// What of the name of something is in that of its copy, in bytes.
const OF_BYTES_MAX: usize = 100;

/// Pages copied at a time.
const PAGES: i32 = 1024;

/// The service's tables whose rows are on their way elsewhere.
pub(super) const IN_TRANSIT: [&str; 2] = ["_exthost_outbox", "_exthost_audit"];

/// Whether a database has a table.
pub(super) fn has_table(raw: &Raw, schema: &str, table: &str) -> rusqlite::Result<bool> {
    raw.query_row(
        &format!(
            "SELECT EXISTS (SELECT 1 FROM {schema}.sqlite_schema WHERE type = 'table' AND name = ?1)"
        ),
        [table],
        |row| row.get(0),
    )
}

/// Fails with what does not fit together in a database.
pub(super) fn check(raw: &Raw) -> rusqlite::Result<()> {
    let said: String = raw.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    match said.as_str() {
        "ok" => Ok(()),
        _ => Err(Error::SqliteFailure(
            ffi::Error::new(ffi::SQLITE_CORRUPT),
            Some(said.replace('\n', " ")),
        )),
    }
}

impl Why {
    /// What an unfinished copy is of: there is one of each at a time.
    pub(super) fn unfinished(self) -> &'static str {
        match self {
            Why::Migration => "migration",
            Why::Asked => "asked",
            Why::Restore => "before-restore",
        }
    }

    fn suffix(self) -> &'static str {
        match self {
            Why::Migration => "",
            Why::Asked => "-asked",
            Why::Restore => "-before-restore",
        }
    }
}

/// The name of a backup that is made now, of the schema of `version`.
pub(super) fn backup_name(version: u64, why: Why) -> String {
    format!("{:013}-v{version}{}.db", now_ms(), why.suffix())
}

/// Removes all but the newest of those made for `why`. What the operator has asked
/// for is the operator's to remove.
pub(super) fn keep_newest(backups: &Path, why: Why) -> io::Result<()> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(backups)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| is_made_for(path, why))
        .collect();
    // Their names begin with the time.
    files.sort_unstable();
    let old = files.len().saturating_sub(BACKUPS_MAX);
    files.iter().take(old).try_for_each(std::fs::remove_file)
}

/// Backups of a kind that are kept.
const BACKUPS_MAX: usize = 3;

fn is_made_for(file: &Path, why: Why) -> bool {
    let name = file.file_name().and_then(|name| name.to_str());
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.and_then(|name| name.strip_suffix(".db")?.strip_suffix(why.suffix()))
        .and_then(|name| name.split_once("-v"))
        .is_some_and(|(ms, version)| digits(ms) && digits(version))
}

/// Milliseconds since the Unix epoch.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_made_for_the_same_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let names = [
            "0000000000001-v0.db",
            "0000000000002-v1.db",
            "0000000000003-v2.db",
            "0000000000004-v3.db",
            "0000000000001-v1-asked.db",
            "0000000000001-v1-before-restore.db",
            "mine.db",
        ];
        for name in names {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        keep_newest(folder.path(), Why::Migration).unwrap();
        keep_newest(folder.path(), Why::Restore).unwrap();
        let left: Vec<_> = names
            .into_iter()
            .filter(|name| folder.path().join(name).exists())
            .collect();
        assert_eq!(left, names[1..]);
    }

    #[test]
    fn a_copy_removes_what_is_left_of_the_same_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let left = |name: &str| folder.path().join(name);
        for name in [".copy-a-x1.unfinished", ".copy-a-x1.unfinished-journal"] {
            std::fs::write(left(name), "").unwrap();
        }
        let others = [
            left(".copy-a-b-x1.unfinished"),
            left(".copy-a.db"),
            left("a"),
        ];
        others
            .iter()
            .for_each(|other| std::fs::write(other, "").unwrap());
        let beside = Unfinished::begin(folder.path(), "b").unwrap();
        let copy = Unfinished::begin_for(&left("a")).unwrap();
        let mut names: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        names.sort_unstable();
        let mut there = [
            &others[..],
            &[beside.path().to_owned(), copy.path().to_owned()],
        ]
        .concat();
        there.sort_unstable();
        assert_eq!(names, there);
    }

    #[test]
    fn a_copy_that_does_not_fit_together_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.db");
        let raw = Raw::open(&file).unwrap();
        raw.execute_batch("CREATE TABLE a (b); CREATE INDEX c ON a (b); INSERT INTO a VALUES (1)")
            .unwrap();
        // The index is emptied behind the back of the table.
        raw.execute_batch(
            "PRAGMA writable_schema = on;
             UPDATE sqlite_schema SET rootpage = (SELECT max(rootpage) FROM sqlite_schema)
             WHERE name = 'a'",
        )
        .unwrap();
        drop(raw);
        let raw = Raw::open(&file).unwrap();
        let copy = Unfinished::begin(folder.path(), "a").unwrap();
        let path = copy.path().to_owned();
        let [_, index, _] = beside(&path);
        std::fs::write(&index, "left by SQLite").unwrap();
        assert!(copy.take(&raw).is_err());
        assert!(path.exists() && !index.exists());
        drop(copy);
        assert!(!path.exists());
    }
}
