//! The outbox in a plugin's file: messages on their way to the endpoints, which
//! commit and roll back with the plugin's own rows.

use std::path::Path;

use rusqlite::{Connection as Raw, OpenFlags, params};

use crate::services::webhooks::OutboxMessage;

/// The service's own tables. `WITHOUT ROWID`, so that a message is of no effect
/// on `last_insert_rowid()`.
pub(super) const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS _exthost_outbox (
        id TEXT PRIMARY KEY,
        event_type TEXT NOT NULL,
        content_type TEXT NOT NULL,
        payload BLOB NOT NULL,
        created_ms INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS _exthost_migrations (
        version INTEGER PRIMARY KEY,
        applied_ms INTEGER NOT NULL
    ) WITHOUT ROWID;
";

/// Queues a message.
pub(super) fn insert(raw: &Raw, message: &OutboxMessage) -> rusqlite::Result<()> {
    raw.execute(
        "INSERT INTO _exthost_outbox (id, event_type, content_type, payload, created_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            message.id,
            message.event_type,
            message.content_type,
            message.payload,
            message.created_ms
        ],
    )?;
    Ok(())
}

/// The oldest messages, `max` at most and no more once they hold
/// [`BATCH_BYTES`].
pub(super) fn oldest(raw: &Raw, plugin: &str, max: usize) -> rusqlite::Result<Vec<OutboxMessage>> {
    let mut statement = raw.prepare(
        "SELECT id, event_type, content_type, payload, created_ms FROM _exthost_outbox \
         ORDER BY id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(OutboxMessage {
            id: row.get(0)?,
            plugin: plugin.to_owned(),
            event_type: row.get(1)?,
            content_type: row.get(2)?,
            payload: row.get(3)?,
            created_ms: row.get(4)?,
        })
    })?;
    let mut bytes = 0;
    rows.take(max)
        .take_while(|message| {
            let room = bytes < BATCH_BYTES;
            bytes += message.as_ref().map_or(0, |message| message.payload.len());
            room
        })
        .collect()
}

/// How much of the outbox is in memory at a time, but for the last message.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Removes messages that were moved on.
pub(super) fn remove(raw: &Raw, ids: &[String]) -> rusqlite::Result<()> {
    raw.execute_batch("BEGIN IMMEDIATE")?;
    let mut statement = raw.prepare("DELETE FROM _exthost_outbox WHERE id = ?1")?;
    for id in ids {
        statement.execute([id])?;
    }
    drop(statement);
    raw.execute_batch("COMMIT")
}

/// Whether the file is there and holds messages.
pub(super) fn holds_messages(file: &Path) -> bool {
    let opened = || -> rusqlite::Result<bool> {
        let raw = Raw::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        raw.query_row("SELECT EXISTS (SELECT 1 FROM _exthost_outbox)", [], |row| {
            row.get(0)
        })
    };
    file.is_file() && opened().unwrap_or(true)
}
