//! Durable, signed messages to the endpoints of the operator.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use crate::Result;
use crate::db::Call;
use crate::export::host::Host;
use crate::export::webhooks::Fire;

/// Messages to the endpoints of the operator, signed and delivered at least once
/// as [Standard Webhooks](https://www.standardwebhooks.com) says.
///
/// It is a reference in disguise, as [`Services`](crate::Services) is. To send a
/// message if and only if a change is committed, fire it from the transaction:
/// [`Tx::fire`](crate::db::Tx::fire).
///
/// # Examples
/// ```
/// use exthost_plugin::prelude::*;
/// use serde::Serialize;
///
/// #[derive(Serialize)]
/// struct Alarm {
///     degrees: f64,
/// }
///
/// async fn alarm(webhooks: Webhooks, degrees: f64) -> Result<String> {
///     let id = webhooks.fire("oven.too-hot", &Alarm { degrees }).await?;
///     Ok(format!("queued as {id}"))
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Webhooks {
    host: &'static Host,
    /// The transaction that the messages belong to, or 0.
    tx: u64,
}

impl Webhooks {
    pub(crate) fn new(host: &'static Host) -> Self {
        Webhooks { host, tx: 0 }
    }

    pub(crate) fn within(host: &'static Host, tx: u64) -> Self {
        Webhooks { host, tx }
    }

    /// Queues a message with a JSON payload, 256 KiB at most; done once it will
    /// outlive a crash of the server, or is part of its transaction.
    ///
    /// An event type is tokens joined by dots, such as `note.created`.
    ///
    /// # Errors
    /// 413 when the payload is too large, 507 when the queue is full; 500 when it
    /// does not serialise, or the event type is malformed.
    pub fn fire<'a>(
        &self,
        event_type: &'a str,
        payload: &(impl Serialize + ?Sized),
    ) -> Call<'a, MessageId> {
        let payload = serde_json::to_vec(payload).map_err(Into::into);
        self.queue(event_type, "application/json", payload.map(Cow::Owned))
    }

    /// Queues a message whose payload is of another media type; see
    /// [`fire`](Webhooks::fire).
    pub fn fire_bytes<'a>(
        &self,
        event_type: &'a str,
        content_type: &'a str,
        payload: impl Into<Cow<'a, [u8]>>,
    ) -> Call<'a, MessageId> {
        self.queue(event_type, content_type, Ok(payload.into()))
    }

    fn queue<'a>(
        &self,
        event_type: &'a str,
        content_type: &'a str,
        payload: Result<Cow<'a, [u8]>>,
    ) -> Call<'a, MessageId> {
        let slot = payload.map(|payload| Fire {
            tx: self.tx,
            event_type,
            content_type,
            payload,
        });
        Call::new(self.host, slot)
    }
}

/// The id of a message, `msg_...`, the same over all attempts to deliver it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct MessageId(String);

impl MessageId {
    pub(crate) fn new(id: String) -> Self {
        MessageId(id)
    }
}

impl AsRef<str> for MessageId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<MessageId> for String {
    fn from(id: MessageId) -> String {
        id.0
    }
}
