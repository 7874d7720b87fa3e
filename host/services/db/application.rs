//! A database as an application would have it, for tests of plugins that read it.

use std::path::Path;

use rusqlite::Connection;

/// Makes the file at `path`, if it is not there, and runs `sql` in it.
///
/// # Errors
/// SQLite's own words.
pub(crate) fn run(path: &Path, sql: &str) -> Result<(), String> {
    let ran = Connection::open(path).and_then(|connection| connection.execute_batch(sql));
    ran.map_err(|error| error.to_string())
}
