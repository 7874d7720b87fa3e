//! How connections to a plugin's database are opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use exthost_abi::Status;
use rusqlite::OpenFlags;

use crate::config::DbLimits;
use crate::services::db::connection::Connection;
use crate::services::db::error::{CORRUPT, of_statement};
use crate::services::db::folder::{clear, make, mark_of, sync};
use crate::services::db::guard::{Guard, GuardLimits};
use crate::services::db::scope::Scope;
use crate::services::db::state::FileState;
use crate::services::db::status::Counters;
use crate::services::db::{migrate, outbox};
use crate::services::error::ServiceError;

/// What a connection is opened with.
#[derive(Debug)]
pub(super) struct Opening {
    /// The plugin's file.
    pub(super) file: PathBuf,
    /// What the plugin may name.
    pub(super) scope: Arc<Scope>,
    /// What its statements may cost.
    pub(super) limits: DbLimits,
    /// The host application's database, if tables of it are granted.
    pub(super) host: Option<PathBuf>,
    /// What is counted of its statements.
    pub(super) counters: Arc<Counters>,
    /// Whether the file is sound.
    pub(super) state: Arc<FileState>,
}

impl Opening {
    /// Opens the connection that writes, and makes the file if it is not there.
    pub(super) fn writer(self: &Arc<Self>) -> Result<Connection, ServiceError> {
        let _alone = self.state.alone();
        self.make()
    }

    /// Opens a connection that reads, and makes the file if it is not there, or not
    /// complete.
    pub(super) fn reader(self: &Arc<Self>) -> Result<Connection, ServiceError> {
        let _alone = self.state.alone();
        self.state.look(&self.file)?;
        if !outbox::is_made(&self.file) {
            drop(self.make()?);
        }
        self.open(OpenFlags::SQLITE_OPEN_READ_ONLY, |_, _| Ok(()))
    }

    /// Takes note of an outcome that says that the plugin's file is damaged.
    pub(super) fn note<T>(&self, outcome: &Result<T, ServiceError>) {
        // It may be the application's file that is.
        if let Err(error) = outcome
            && error.code == CORRUPT
            && (self.host.is_none() || !is_sound(&self.file))
        {
            self.state.note(error);
        }
    }

    fn make(self: &Arc<Self>) -> Result<Connection, ServiceError> {
        self.state.look(&self.file)?;
        if !self.file.exists() {
            self.create()?;
        }
        self.open(OpenFlags::SQLITE_OPEN_READ_WRITE, |raw, wal_pages| {
            raw.pragma_update(None, "journal_mode", "wal")?;
            raw.pragma_update(None, "wal_autocheckpoint", 0)?;
            raw.pragma_update(None, "journal_size_limit", WAL_KEPT_BYTES)?;
            let synchronous = if self.limits.power_safe {
                "full"
            } else {
                "normal"
            };
            raw.pragma_update(None, "synchronous", synchronous)?;
            let page: i64 = raw.pragma_query_value(None, "page_size", |row| row.get(0))?;
            let pages = self.limits.file_bytes_max / page.unsigned_abs().max(1);
            raw.pragma_update(
                None,
                "max_page_count",
                u32::try_from(pages).unwrap_or(u32::MAX),
            )?;
            let mark: i32 = raw.pragma_query_value(None, "application_id", |row| row.get(0))?;
            if mark == 0 {
                raw.pragma_update(None, "application_id", mark_of(self.state.plugin()))?;
            }
            raw.execute_batch(outbox::TABLES)?;
            self.state.set_version(migrate::version_in(raw)?);
            raw.wal_hook(Some(move |_: &mut _, pages: i32| {
                wal_pages.store(pages.unsigned_abs(), Ordering::Relaxed);
                Ok(())
            }))
        })
    }

    /// Makes the file elsewhere and puts it in its place whole: a file that a
    /// killed host has half made is never taken for the plugin's.
    fn create(&self) -> Result<(), ServiceError> {
        let folder = self.file.parent().unwrap_or(Path::new(""));
        let new = folder.join("new");
        let made = || -> std::io::Result<rusqlite::Result<()>> {
            clear(&new)?;
            make(&new)?;
            let file = new.join("data.db");
            if let Err(error) = initialise(&file) {
                return Ok(Err(error));
            }
            std::fs::rename(file, &self.file)?;
            clear(&new)?;
            sync(folder).map(Ok)
        };
        match made() {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(cannot_open(("the plugin's database", &self.file), &error)),
            Err(error) => Err(self.cannot_make(&error)),
        }
    }

    fn open(
        self: &Arc<Self>,
        flags: OpenFlags,
        prepare: impl FnOnce(&mut rusqlite::Connection, Arc<AtomicU32>) -> rusqlite::Result<()>,
    ) -> Result<Connection, ServiceError> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let wal_pages = Arc::default();
        let mut opening = ("the plugin's database", &self.file);
        let opened = || -> rusqlite::Result<(rusqlite::Connection, Guard)> {
            let mut raw = rusqlite::Connection::open_with_flags(&self.file, flags)?;
            raw.busy_timeout(BUSY_TIMEOUT)?;
            raw.pragma_update(None, "foreign_keys", true)?;
            raw.pragma_update(None, "cache_size", -(i64::from(self.limits.cache_kib)))?;
            raw.set_prepared_statement_cache_capacity(self.limits.statements_cached);
            prepare(&mut raw, Arc::clone(&wal_pages))?;
            if let Some(host) = &self.host {
                opening = ("the application's database", host);
                raw.execute("ATTACH ?1 AS host", [read_only(host)])?;
            }
            let limits = GuardLimits {
                value_bytes_max: clamped(self.limits.value_bytes_max),
                sql_bytes_max: clamped(self.limits.sql_bytes_max),
                ..GuardLimits::default()
            };
            let guard = Guard::install(&mut raw, self.scope.clone(), &limits, self.host.is_some())?;
            Ok((raw, guard))
        };
        let opened = opened();
        let is_own = opening.1 == &self.file;
        let (raw, guard) = opened.map_err(|error| {
            let error = cannot_open(opening, &error);
            if is_own {
                self.state.note(&error);
            }
            error
        })?;
        Ok(Connection::new(raw, guard, self.clone(), wal_pages))
    }

    fn cannot_make(&self, error: &std::io::Error) -> ServiceError {
        let folder = self.file.parent().unwrap_or(Path::new("")).display();
        match error.kind() {
            std::io::ErrorKind::StorageFull => ServiceError::new(
                Status::FULL,
                "quota",
                "the plugin's database is full (there is no space on the disk)",
            ),
            _ => ServiceError::new(
                Status::INTERNAL,
                "io",
                format!("cannot make a database in the folder {folder}: {error}"),
            ),
        }
    }
}

/// Makes an empty database with the service's own tables.
fn initialise(file: &Path) -> rusqlite::Result<()> {
    let raw = rusqlite::Connection::open(file)?;
    raw.pragma_update(None, "journal_mode", "wal")?;
    raw.execute_batch(outbox::TABLES)?;
    raw.close().map_err(|(_, error)| error)
}

/// Whether a database fits together, apart from whatever is attached to it.
fn is_sound(file: &Path) -> bool {
    let checked = || -> rusqlite::Result<String> {
        let raw = rusqlite::Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        raw.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
    };
    checked().is_ok_and(|said| said == "ok")
}

/// Why a file cannot be opened, which is never the fault of whoever made the
/// call. What a client may come to see names no path.
fn cannot_open((what, file): (&str, &PathBuf), error: &rusqlite::Error) -> ServiceError {
    let error = of_statement(error);
    let (status, code, place) = match error.status {
        Status::BUSY | Status::FULL => (error.status, error.code, String::new()),
        Status::CORRUPT => (error.status, error.code, format!(" {}", file.display())),
        _ => (
            Status::INTERNAL,
            "io".into(),
            format!(" {}", file.display()),
        ),
    };
    ServiceError {
        status,
        code,
        message: format!("{what}{place} cannot be opened: {}", error.message),
        detail: error.detail,
    }
}

/// How long a connection waits for a lock that another process holds; inside
/// this process nobody else writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// What the log is cut to when it begins anew: more than it holds when it is
/// checkpointed, so that it is seldom cut.
const WAL_KEPT_BYTES: i64 = 32 * 1024 * 1024;

/// The file as an URI that SQLite never writes through
/// (<https://sqlite.org/uri.html>).
fn read_only(file: &Path) -> String {
    let path = file.to_string_lossy();
    let path = percent_encoding::utf8_percent_encode(&path, URI_ESCAPED);
    format!("file:{path}?mode=ro")
}

const URI_ESCAPED: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
    .add(b'%')
    .add(b'?')
    .add(b'#')
    .add(b' ');

fn clamped(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}
