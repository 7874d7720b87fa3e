//! The outboxes in a plugin's file: what is on its way to the host's own files, and
//! commits and rolls back with the plugin's own rows.

use std::path::Path;

use rusqlite::{Connection as Raw, OpenFlags, Row};

use crate::services::db::database::Database;
use crate::services::error::ServiceError;

/// The services' own tables. `WITHOUT ROWID`, so that a row of theirs is of no effect
/// on `last_insert_rowid()`; keys of `kv` are blobs, so that they compare as bytes.
pub(super) const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS _exthost_outbox (
        id TEXT PRIMARY KEY,
        event_type TEXT NOT NULL,
        content_type TEXT NOT NULL,
        payload BLOB NOT NULL,
        created_ms INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS _exthost_audit (
        id TEXT PRIMARY KEY,
        time_ms INTEGER NOT NULL,
        version TEXT NOT NULL,
        actor TEXT NOT NULL,
        request_id TEXT NOT NULL,
        action TEXT NOT NULL,
        target_kind TEXT NOT NULL,
        target_id TEXT NOT NULL,
        detail TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS _exthost_kv (
        key BLOB PRIMARY KEY,
        value BLOB NOT NULL,
        expires_ms INTEGER
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS _exthost_kv_expiry ON _exthost_kv (expires_ms)
        WHERE expires_ms IS NOT NULL;
    CREATE TABLE IF NOT EXISTS _exthost_migrations (
        version INTEGER PRIMARY KEY,
        applied_ms INTEGER NOT NULL
    ) WITHOUT ROWID;
";

/// What is put into an outbox, to be moved on by the relay.
pub(crate) trait Parcel: Sized + Send + 'static {
    /// Its table, which has an `id` that sorts by time.
    const TABLE: &str;

    /// Puts it into its table.
    fn insert(&self, raw: &Raw) -> rusqlite::Result<()>;

    /// Reads one that `plugin` has queued.
    fn read(plugin: &str, row: &Row<'_>) -> rusqlite::Result<Self>;

    /// The same when it is handed over again.
    fn id(&self) -> &str;

    /// About what it takes in memory.
    fn size(&self) -> usize;
}

impl Database {
    /// The oldest parcels of one kind, `max` at most and some MiB.
    pub(crate) async fn oldest<P: Parcel>(&self, max: usize) -> Result<Vec<P>, ServiceError> {
        // Reading would make the file of a plugin whose data was removed.
        if !self.opening.file.exists() {
            return Ok(Vec::new());
        }
        let name = self.name.clone();
        self.own_read(move |raw| oldest(raw, name.as_ref(), max))
            .await
    }

    /// Removes parcels that were moved on.
    pub(crate) async fn remove<P: Parcel>(&self, ids: Vec<String>) -> Result<(), ServiceError> {
        self.own_write(move |raw| remove::<P>(raw, &ids)).await
    }
}

fn oldest<P: Parcel>(raw: &Raw, plugin: &str, max: usize) -> rusqlite::Result<Vec<P>> {
    let mut statement = raw.prepare(&format!("SELECT * FROM {} ORDER BY id", P::TABLE))?;
    let parcels = statement.query_map([], |row| P::read(plugin, row))?;
    let mut bytes = 0;
    parcels
        .take(max)
        .take_while(|parcel| {
            let room = bytes < BATCH_BYTES;
            bytes += parcel.as_ref().map_or(0, P::size);
            room
        })
        .collect()
}

/// How much of an outbox is in memory at a time, but for the last parcel.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

fn remove<P: Parcel>(raw: &Raw, ids: &[String]) -> rusqlite::Result<()> {
    raw.execute_batch("BEGIN IMMEDIATE")?;
    let mut statement = raw.prepare(&format!("DELETE FROM {} WHERE id = ?1", P::TABLE))?;
    for id in ids {
        statement.execute([id])?;
    }
    drop(statement);
    raw.execute_batch("COMMIT")
}

/// Whether the file is there and holds parcels, or cannot tell.
pub(super) fn holds_parcels(file: &Path) -> bool {
    let any =
        "SELECT EXISTS (SELECT 1 FROM _exthost_outbox) OR EXISTS (SELECT 1 FROM _exthost_audit)";
    file.is_file() && ask(file, any).unwrap_or(true)
}

/// Whether the file is there, with all tables: one of an earlier host has fewer.
pub(super) fn is_made(file: &Path) -> bool {
    let all = "SELECT count(*) = 4 FROM sqlite_schema WHERE type = 'table' AND name IN \
               ('_exthost_outbox', '_exthost_audit', '_exthost_kv', '_exthost_migrations')";
    // Whatever else is wrong with it is told by whoever opens it to read.
    file.is_file() && ask(file, all).unwrap_or(true)
}

fn ask(file: &Path, question: &str) -> rusqlite::Result<bool> {
    let raw = Raw::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    raw.query_row(question, [], |row| row.get(0))
}
