//! What SQLite may take of the process's memory, for all that use it together: it
//! counts for no connection alone (<https://sqlite.org/c3ref/hard_heap_limit64.html>).

use rusqlite::Connection;

/// Lets a statement fail with `out-of-memory` that would have SQLite take more than
/// `bytes` in this process. It can be lowered from then on, not raised.
pub(super) fn limit(bytes: u64) -> rusqlite::Result<()> {
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    Connection::open_in_memory()?.pragma_update_and_check(
        None,
        "hard_heap_limit",
        bytes,
        |_| Ok(()),
    )
}
