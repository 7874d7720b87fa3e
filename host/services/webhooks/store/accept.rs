//! Takes messages over from the plugins' outboxes.

use exthost_abi::Status;
use rusqlite::{Connection, params};

use super::{Store, lock};
use crate::services::error::ServiceError;
use crate::services::webhooks::message::OutboxMessage;

impl Store {
    /// Keeps each message with a delivery for every endpoint named beside it.
    /// One that is known, or was, changes nothing.
    pub(crate) fn accept(
        &self,
        messages: &[(OutboxMessage, Vec<&str>)],
        now_ms: i64,
    ) -> Result<(), ServiceError> {
        self.check_room()?;
        self.write(|transaction| {
            let mut message = transaction.prepare_cached(
                "INSERT INTO messages (id, plugin, event_type, content_type, payload, created_ms)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6
                 WHERE NOT EXISTS (SELECT 1 FROM forgotten WHERE id = ?1)
                 ON CONFLICT DO NOTHING",
            )?;
            let mut delivery = transaction.prepare_cached(
                "INSERT INTO deliveries (message, endpoint, due_ms) VALUES (?, ?, ?)",
            )?;
            for (it, endpoints) in messages {
                let is_new = message.execute(params![
                    it.id,
                    it.plugin,
                    it.event_type,
                    it.content_type,
                    it.payload,
                    it.created_ms,
                ])?;
                if is_new == 0 {
                    continue;
                }
                let seq = transaction.last_insert_rowid();
                for endpoint in endpoints {
                    delivery.execute(params![seq, endpoint, now_ms])?;
                }
            }
            Ok(())
        })
    }

    /// Refuses more messages when the file is as large as it may be. What is
    /// known of the queued ones can still be written.
    fn check_room(&self) -> Result<(), ServiceError> {
        let used = used_bytes(&lock(&self.writer)).map_err(super::failed)?;
        match used < self.file_bytes_max {
            true => Ok(()),
            false => Err(ServiceError::new(
                Status::FULL,
                "webhooks-full",
                format!(
                    "the queue of webhooks holds {used} bytes and may hold {}; mend or remove the \
                     endpoints that do not answer",
                    self.file_bytes_max
                ),
            )),
        }
    }
}

fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0));
    let pages = pragma("page_count")?.saturating_sub(pragma("freelist_count")?);
    Ok(u64::from(pages) * u64::from(pragma("page_size")?))
}
