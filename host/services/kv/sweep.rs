//! Removes entries whose time is up, a few at a time, beside the calls of plugins.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::services::db::{Database, Databases};
use crate::services::error::ServiceError;

/// Looks now and then at each database that is in use.
pub(crate) async fn sweep(databases: Arc<Databases>, clock: Clock) {
    loop {
        clock.sleep(PERIOD).await;
        for database in databases.in_use() {
            if let Err(error) = of_one(&database, clock.now_ms()).await {
                tracing::debug!(plugin = %database.name(), %error, "old entries stay for now");
            }
        }
    }
}

/// Time between two looks.
const PERIOD: Duration = Duration::from_secs(60);

/// Entries removed at a time; nobody else writes meanwhile.
const STEP: i64 = 500;

/// Most steps of one look, so that one plugin does not keep others waiting.
const STEPS_MAX: usize = 200;

/// Removes what has ended by `now_ms`; others write between two steps.
async fn of_one(database: &Database, now_ms: i64) -> Result<(), ServiceError> {
    for _ in 0..STEPS_MAX {
        let any = "SELECT EXISTS (SELECT 1 FROM _exthost_kv WHERE expires_ms <= ?1)";
        let due = move |raw: &rusqlite::Connection| raw.query_row(any, [now_ms], |row| row.get(0));
        if !database.has_file() || !database.own_read(due).await? {
            return Ok(());
        }
        let remove = move |raw: &rusqlite::Connection| {
            raw.execute(
                "DELETE FROM _exthost_kv WHERE key IN (SELECT key FROM _exthost_kv \
                 WHERE expires_ms <= ?1 ORDER BY expires_ms LIMIT ?2)",
                (now_ms, STEP),
            )
        };
        database.own_write(remove).await?;
    }
    Ok(())
}
