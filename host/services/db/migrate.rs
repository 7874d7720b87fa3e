//! A plugin's schema, brought from version to version.

use exthost_abi::Status;
use rusqlite::params;

use crate::services::db::connection::Connection;
use crate::services::db::copy::{Unfinished, Why, backup_name, keep_newest, now_ms};
use crate::services::db::folder::{Folder, make};
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
/// file is copied to the backups in `folder`. Returns the version reached.
pub(super) fn migrate(
    connection: &Connection,
    migrations: &[Migration],
    folder: &Folder,
) -> Result<u64, ServiceError> {
    check(migrations)?;
    let recorded = connection.own(version_in)?;
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
        back_up(connection, recorded, folder)?;
    }
    for migration in due {
        let applied = apply(connection, migration);
        applied.map_err(|error| error.within(format_args!("migration {}", migration.version)))?;
        connection.set_version(migration.version);
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

/// The version that the service has recorded in a database.
pub(super) fn version_in(raw: &rusqlite::Connection) -> rusqlite::Result<u64> {
    let version: i64 = raw.query_row(
        "SELECT coalesce(max(version), 0) FROM _exthost_migrations",
        [],
        |row| row.get(0),
    )?;
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

/// Copies the database to the folder of backups, and removes the oldest of those
/// made here.
fn back_up(connection: &Connection, version: u64, folder: &Folder) -> Result<(), ServiceError> {
    let backups = folder.backups();
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
    make(&backups).map_err(io_failed)?;
    let copy = Unfinished::begin(&backups, Why::Migration.unfinished()).map_err(io_failed)?;
    let copied = connection.own(|raw| copy.take(raw));
    copied.map_err(|error| failed(error.message))?;
    let file = backups.join(backup_name(version, Why::Migration));
    copy.keep(&file, false).map_err(io_failed)?;
    keep_newest(&backups, Why::Migration).map_err(io_failed)
}
