//! A plugin's schema, brought from version to version.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use exthost_abi::Status;
use rusqlite::backup::Backup;
use rusqlite::params;

use crate::services::db::connection::Connection;
use crate::services::error::ServiceError;

/// One step of a schema.
#[derive(Debug, Clone)]
pub(crate) struct Migration {
    /// Its number, ascending from 1.
    pub(crate) version: u64,
    /// One or more statements.
    pub(crate) sql: String,
}

/// Runs each migration above the recorded version, each in a transaction with
/// its record. Before the first one of a database that holds something, its
/// file is copied to `backups`. Returns the version reached.
pub(super) fn migrate(
    connection: &Connection,
    migrations: &[Migration],
    backups: &Path,
) -> Result<u64, ServiceError> {
    check(migrations)?;
    let recorded = recorded(connection)?;
    let last = migrations.last().map_or(0, |last| last.version);
    if recorded > last {
        return Err(ServiceError::new(
            Status::CONFLICT,
            "schema-newer",
            format!(
                "the database is at schema version {recorded}, and this plugin knows versions up \
                 to {last}; install the newer version of the plugin, or restore a backup"
            ),
        ));
    }
    let due: Vec<&Migration> = migrations
        .iter()
        .filter(|migration| migration.version > recorded)
        .collect();
    if due.is_empty() {
        return Ok(recorded);
    }
    if recorded > 0 || holds_something(connection)? {
        back_up(connection, recorded, backups)?;
    }
    for migration in due {
        apply(connection, migration).map_err(|error| ServiceError {
            message: format!("migration {}: {}", migration.version, error.message),
            ..error
        })?;
    }
    Ok(last)
}

/// Refuses numbers that do not ascend from 1.
fn check(migrations: &[Migration]) -> Result<(), ServiceError> {
    let mut before = 0;
    for migration in migrations {
        if migration.version <= before {
            return Err(ServiceError::invalid(format!(
                "migration {} stands after {before}; versions ascend from 1",
                migration.version
            )));
        }
        before = migration.version;
    }
    if i64::try_from(before).is_err() {
        return Err(ServiceError::invalid(format!(
            "migration {before} is above the largest version, {}",
            i64::MAX
        )));
    }
    Ok(())
}

fn recorded(connection: &Connection) -> Result<u64, ServiceError> {
    let version: i64 = connection.own(|raw| {
        raw.query_row(
            "SELECT coalesce(max(version), 0) FROM _exthost_migrations",
            [],
            |row| row.get(0),
        )
    })?;
    Ok(version.unsigned_abs())
}

/// Whether there is something of the plugin's own, made without a migration.
fn holds_something(connection: &Connection) -> Result<bool, ServiceError> {
    connection.own(|raw| {
        raw.query_row(
            "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE tbl_name NOT GLOB '_exthost_*')",
            [],
            |row| row.get(0),
        )
    })
}

fn apply(connection: &Connection, migration: &Migration) -> Result<(), ServiceError> {
    let now = now_ms();
    connection.begin()?;
    connection.script(&migration.sql, connection.limits().migration_deadline, None)?;
    connection.own(|raw| {
        raw.execute(
            "INSERT INTO _exthost_migrations (version, applied_ms) VALUES (?1, ?2)",
            params![migration.version.cast_signed(), now],
        )
    })?;
    connection.commit()
}

/// Copies the database, without messages that would be sent twice if the copy
/// were put in its place.
fn back_up(connection: &Connection, version: u64, backups: &Path) -> Result<(), ServiceError> {
    let failed = |reason: String| {
        ServiceError::new(
            Status::INTERNAL,
            "backup-failed",
            format!(
                "no migration without a backup, and the copy to {} failed: {reason}",
                backups.display()
            ),
        )
    };
    let io_failed = |error: std::io::Error| failed(error.to_string());
    // Only a whole copy counts as a backup. What a full disk or a killed host has
    // left of another goes first.
    let unfinished = backups.join("unfinished");
    clear(&unfinished).map_err(io_failed)?;
    std::fs::create_dir_all(&unfinished).map_err(io_failed)?;
    let copied = copy(connection, &unfinished.join("data.db")).map_err(|error| {
        let _ = clear(&unfinished);
        failed(error.message)
    });
    copied?;
    let file = backups.join(format!("{:013}-v{version}.db", now_ms()));
    std::fs::rename(unfinished.join("data.db"), file).map_err(io_failed)?;
    clear(&unfinished).map_err(io_failed)?;
    keep_newest(backups).map_err(io_failed)
}

fn copy(connection: &Connection, to: &Path) -> Result<(), ServiceError> {
    connection.own(|raw| {
        let mut copy = rusqlite::Connection::open(to)?;
        Backup::new(raw, &mut copy)?.run_to_completion(
            BACKUP_PAGES,
            std::time::Duration::ZERO,
            None,
        )?;
        copy.execute_batch("DELETE FROM _exthost_outbox")?;
        // The copy is one file, with nothing beside it.
        copy.pragma_update(None, "journal_mode", "delete")
    })
}

fn clear(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        cleared => cleared,
    }
}

/// Pages copied at a time; nobody else writes meanwhile.
const BACKUP_PAGES: i32 = 1024;

/// Backups kept.
const BACKUPS_MAX: usize = 3;

fn keep_newest(backups: &Path) -> std::io::Result<()> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(backups)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "db"))
        .collect();
    // Their names begin with the time.
    files.sort_unstable();
    let old = files.len().saturating_sub(BACKUPS_MAX);
    files.iter().take(old).try_for_each(std::fs::remove_file)
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0))
}
