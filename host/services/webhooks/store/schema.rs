//! The tables, and how the file is opened.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

/// The latest schema.
pub(super) const VERSION: i64 = 1;

/// Deliveries refer to messages by their sequence, which is the order in which
/// they were accepted. `lease_until_ms` tells whose lease it is: another host
/// that took over has written another time.
const TABLES: &str = "
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    plugin TEXT NOT NULL,
    event_type TEXT NOT NULL,
    content_type TEXT NOT NULL,
    payload BLOB NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;

-- Ids of messages that are no longer kept.
CREATE TABLE forgotten (
    id TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX forgotten_by_age ON forgotten (at_ms);

CREATE TABLE deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    message INTEGER NOT NULL REFERENCES messages (seq) ON DELETE CASCADE,
    endpoint TEXT NOT NULL,
    -- 0 pending, 1 leased, 2 done, 3 dead
    state INTEGER NOT NULL DEFAULT 0,
    -- All attempts, and those since it was queued or replayed.
    attempts INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0,
    due_ms INTEGER NOT NULL,
    lease_until_ms INTEGER NOT NULL DEFAULT 0,
    finished_ms INTEGER,
    reason TEXT,
    UNIQUE (message, endpoint)
) STRICT;
CREATE INDEX deliveries_due ON deliveries (endpoint, state, due_ms);
CREATE INDEX deliveries_open ON deliveries (endpoint, seq) WHERE state < 2;
CREATE INDEX deliveries_leased ON deliveries (lease_until_ms) WHERE state = 1;
CREATE INDEX deliveries_finished ON deliveries (state, finished_ms) WHERE state > 1;

CREATE TABLE attempts (
    delivery INTEGER NOT NULL REFERENCES deliveries (seq) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    took_ms INTEGER NOT NULL,
    status INTEGER,
    error TEXT,
    answer BLOB NOT NULL,
    PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE endpoints (
    name TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    disabled TEXT
) STRICT;
";

/// Opens a connection whose commits survive a power loss.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Makes the tables in a new file. Returns the version that the file has now.
pub(super) fn migrate(connection: &Connection) -> rusqlite::Result<i64> {
    let found = version(connection)?;
    if found == 0 {
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"
        ))?;
    }
    version(connection)
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
