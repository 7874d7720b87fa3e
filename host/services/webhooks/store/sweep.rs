//! Forgets what has been kept long enough.

use rusqlite::params;

use super::Store;
use crate::services::error::ServiceError;

/// Most messages that one transaction removes, so that deliveries are not held
/// up.
const BATCH: i64 = 500;

impl Store {
    /// Removes messages all of whose deliveries have ended, delivered ones
    /// before `done_before_ms`, dead letters before `dead_before_ms`; keeps
    /// their ids until `ids_before_ms`. Returns whether there may be more.
    pub(crate) fn sweep(
        &self,
        now_ms: i64,
        done_before_ms: i64,
        dead_before_ms: i64,
        ids_before_ms: i64,
    ) -> Result<bool, ServiceError> {
        self.write(|transaction| {
            let mut old = transaction.prepare_cached(
                "SELECT DISTINCT message FROM deliveries AS one
                 WHERE ((state = 2 AND finished_ms < ?1) OR (state = 3 AND finished_ms < ?2))
                   AND NOT EXISTS (
                       SELECT 1 FROM deliveries AS other
                       WHERE other.message = one.message
                         AND NOT ((state = 2 AND finished_ms < ?1)
                                  OR (state = 3 AND finished_ms < ?2)))
                 LIMIT ?3",
            )?;
            let old: Vec<i64> = old
                .query_map(params![done_before_ms, dead_before_ms, BATCH], |row| {
                    row.get(0)
                })?
                .collect::<rusqlite::Result<_>>()?;
            for message in &old {
                transaction
                    .prepare_cached(
                        "INSERT OR IGNORE INTO forgotten SELECT id, ? FROM messages WHERE seq = ?",
                    )?
                    .execute([now_ms, *message])?;
                transaction
                    .prepare_cached("DELETE FROM messages WHERE seq = ?")?
                    .execute([message])?;
            }
            let ids = transaction.execute(
                "DELETE FROM forgotten WHERE id IN
                 (SELECT id FROM forgotten WHERE at_ms < ? LIMIT ?)",
                [ids_before_ms, BATCH],
            )?;
            Ok(old.len() as i64 == BATCH || ids as i64 == BATCH)
        })
    }
}
