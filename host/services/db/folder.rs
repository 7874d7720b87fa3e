//! Where one plugin's data is.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::name::PluginName;
use crate::private::{self, give};

/// The folder of one plugin in the data directory.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder at `path`, which need not be there.
    pub(super) fn new(path: PathBuf) -> Self {
        Folder { path }
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What the database is in, and nothing else of the plugin's.
    pub(super) fn db(&self) -> PathBuf {
        self.path.join("db")
    }

    /// The database.
    pub(super) fn file(&self) -> PathBuf {
        self.db().join("data.db")
    }

    /// What the plugin keeps outside the database.
    pub(super) fn files(&self) -> PathBuf {
        self.path.join("files")
    }

    /// The copies of the database.
    pub(super) fn backups(&self) -> PathBuf {
        self.db().join("backups")
    }

    /// Where a database is made ready before it takes the place of another.
    pub(super) fn incoming(&self) -> PathBuf {
        self.db().join("incoming")
    }

    /// Where damaged databases are put aside.
    pub(super) fn damaged(&self) -> PathBuf {
        self.db().join("damaged")
    }

    /// Whether there is data in it, of whatever kind.
    pub(super) fn holds_data(&self) -> bool {
        self.db().is_dir() || self.files().is_dir()
    }
}

/// What marks a file as the database of `plugin`, in SQLite's header
/// (<https://sqlite.org/fileformat2.html#application_id>): names of tables do not tell
/// `my` from `my-extension`, and keys and values have none.
pub(super) fn mark_of(plugin: &PluginName) -> i32 {
    let hash = blake3::hash(plugin.as_str().as_bytes());
    let [a, b, c, d, ..] = *hash.as_bytes();
    // 0 is that of a file which nobody has marked.
    i32::from_be_bytes([a, b, c, d]).max(1)
}

/// The write-ahead log of a database.
pub(super) fn log_of(file: &Path) -> PathBuf {
    with_suffix(file, "-wal")
}

/// What SQLite keeps beside a database while it is open.
pub(super) fn beside(file: &Path) -> [PathBuf; 3] {
    ["-wal", "-shm", "-journal"].map(|suffix| with_suffix(file, suffix))
}

/// Size of a file in bytes; 0 while there is none.
pub(super) fn bytes_of(file: &Path) -> u64 {
    file.metadata().map_or(0, |file| file.len())
}

/// Files below `folder` and their bytes; links are not followed.
pub(super) fn size_of(folder: &Path) -> (u64, u64) {
    let mut size = (0, 0);
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let Ok(meta) = entry.metadata() else {
            // It has gone meanwhile.
            continue;
        };
        let (files, bytes) = match meta.is_dir() {
            true => size_of(&entry.path()),
            false => (1, meta.len()),
        };
        size = (size.0 + files, size.1 + bytes);
    }
    size
}

/// Makes a folder and those around it, all of them of the same owner, who alone can
/// look into them.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(around) = folder.parent() {
        make(around)?;
    }
    match private::make_one(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|()| give(folder)),
    }
}

/// Removes a folder, if it is there.
pub(super) fn clear(folder: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        cleared => cleared,
    }
}

/// Waits until the names in a folder are on the disk.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    match cfg!(unix) {
        true => std::fs::File::open(folder)?.sync_all(),
        // There a folder cannot be opened, and names are not written late.
        false => Ok(()),
    }
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    name.into()
}
