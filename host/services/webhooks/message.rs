//! A message on its way from a plugin to the endpoints that want it.

use exthost_abi::Status;
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use crate::config::is_event_type;
use crate::services::db::outbox::Parcel;
use crate::services::error::ServiceError;

/// Largest payload in bytes.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 256 * 1024;

/// Longest content type in bytes.
const CONTENT_TYPE_BYTES_MAX: usize = 256;

/// A message as it stands in a plugin's outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// The same over all attempts; receivers tell repeated ones by it.
    pub id: String,
    /// The plugin that fired it.
    pub plugin: String,
    /// What happened, as tokens joined by dots.
    pub event_type: String,
    /// Media type of the payload.
    pub content_type: String,
    /// The bytes that are signed and sent.
    pub payload: Vec<u8>,
    /// When it was fired, in milliseconds since 1970.
    pub created_ms: i64,
}

impl OutboxMessage {
    /// Checks what a plugin fires at `created_ms`, and gives it an id. An empty
    /// content type is `application/json`.
    ///
    /// # Errors
    /// `invalid` and `too-large`.
    pub fn new(
        plugin: &str,
        event_type: &str,
        content_type: &str,
        payload: Vec<u8>,
        created_ms: i64,
    ) -> Result<Self, ServiceError> {
        if !is_event_type(event_type) {
            return Err(ServiceError::invalid(format!(
                "`{}` is not an event type; join tokens of a-z, A-Z, 0-9, `_`, `-` with dots, at \
                 most 256 bytes, as in `note.created`",
                event_type.escape_debug()
            )));
        }
        let content_type = match content_type {
            "" => "application/json",
            content_type => content_type,
        };
        let visible = |byte: u8| (b' '..=b'~').contains(&byte);
        if content_type.len() > CONTENT_TYPE_BYTES_MAX || !content_type.bytes().all(visible) {
            return Err(ServiceError::invalid(format!(
                "`{}` is not a content type; give at most {CONTENT_TYPE_BYTES_MAX} bytes of \
                 visible ASCII, as in `application/json`",
                content_type.escape_debug()
            )));
        }
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(ServiceError::new(
                Status::TOO_LARGE,
                "too-large",
                format!(
                    "a payload of {} bytes is larger than {PAYLOAD_BYTES_MAX}; send a reference \
                     to what happened instead",
                    payload.len()
                ),
            ));
        }
        Ok(OutboxMessage {
            id: Self::new_id(),
            plugin: plugin.to_owned(),
            event_type: event_type.to_owned(),
            content_type: content_type.to_owned(),
            payload,
            created_ms,
        })
    }

    /// A new id, `msg_` and 32 digits, which sorts by time.
    pub fn new_id() -> String {
        format!("msg_{}", Uuid::now_v7().simple())
    }
}

impl Parcel for OutboxMessage {
    const TABLE: &str = "_exthost_outbox";

    fn insert(&self, raw: &Connection) -> rusqlite::Result<()> {
        raw.execute(
            "INSERT INTO _exthost_outbox (id, event_type, content_type, payload, created_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                self.id,
                self.event_type,
                self.content_type,
                self.payload,
                self.created_ms
            ],
        )?;
        Ok(())
    }

    fn read(plugin: &str, row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(OutboxMessage {
            id: row.get("id")?,
            plugin: plugin.to_owned(),
            event_type: row.get("event_type")?,
            content_type: row.get("content_type")?,
            payload: row.get("payload")?,
            created_ms: row.get("created_ms")?,
        })
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn size(&self) -> usize {
        self.payload.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(event: &str, content: &str, bytes: usize) -> Result<OutboxMessage, ServiceError> {
        OutboxMessage::new("notes", event, content, vec![0; bytes], 0)
    }

    #[test]
    fn ids_sort_by_time_and_hold_no_dot() {
        let ids: Vec<_> = (0..1000).map(|_| OutboxMessage::new_id()).collect();
        assert!(ids.is_sorted());
        for id in &ids {
            assert!(
                id.starts_with("msg_") && id.len() == 36 && !id.contains('.'),
                "{id}"
            );
        }
    }

    #[test]
    fn what_a_plugin_fires_is_checked() {
        let good = message("note.created", "", PAYLOAD_BYTES_MAX).unwrap();
        assert_eq!(good.content_type, "application/json");
        for (event, content, bytes, status) in [
            ("", "", 0, Status::INVALID),
            ("a..b", "", 0, Status::INVALID),
            ("a b", "", 0, Status::INVALID),
            ("a\n", "", 0, Status::INVALID),
            ("a.*", "", 0, Status::INVALID),
            ("a", "text/ä", 0, Status::INVALID),
            ("a", "text/plain\r\nx: y", 0, Status::INVALID),
            ("a", "text/plain", PAYLOAD_BYTES_MAX + 1, Status::TOO_LARGE),
        ] {
            assert_eq!(
                message(event, content, bytes).unwrap_err().status,
                status,
                "{event:?}"
            );
        }
    }
}
