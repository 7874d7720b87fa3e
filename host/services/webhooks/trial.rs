//! One message sent now, for somebody who sets an endpoint up.

use crate::config::Endpoint;
use crate::services::webhooks::error::WebhooksError;
use crate::services::webhooks::message::OutboxMessage;
use crate::services::webhooks::sender::{Message, Sender};
use crate::services::webhooks::settings::WebhookSettings;

/// What came of a message that was sent once.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Trial {
    /// The message's id.
    pub id: String,
    /// `webhook-id`, `webhook-timestamp` and `webhook-signature` as they were
    /// sent.
    pub headers: Vec<(&'static str, String)>,
    /// What the endpoint answered.
    pub status: Option<u16>,
    /// Why there is no answer, or not all of it.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
    /// The beginning of the answer; what is not UTF-8 is replaced.
    pub answer: String,
}

impl Trial {
    /// Whether the endpoint took the message.
    pub fn is_delivered(&self) -> bool {
        matches!(self.status, Some(200..=299))
    }
}

/// Signs and sends one message as a host would, without queueing it.
///
/// # Errors
/// [`WebhooksError`] when endpoint, event type or data cannot be used; what the
/// endpoint answered is never an error.
pub async fn send_once(
    endpoint: Endpoint,
    settings: &WebhookSettings,
    event_type: &str,
    payload: Vec<u8>,
) -> Result<Trial, WebhooksError> {
    let message = OutboxMessage::new("", event_type, "", payload, settings.clock.now_ms());
    let message = message.map_err(|error| WebhooksError::Message { why: error.message })?;
    let message = Message {
        id: message.id,
        content_type: message.content_type,
        payload: message.payload,
    };
    let answer = Sender::new(endpoint, settings)?.send(&message).await;
    Ok(Trial {
        headers: vec![
            ("webhook-id", message.id.clone()),
            ("webhook-timestamp", (answer.started_ms / 1000).to_string()),
            ("webhook-signature", answer.signature),
        ],
        id: message.id,
        status: answer.status.map(|status| status.as_u16()),
        error: answer.error,
        took_ms: answer.took_ms,
        answer: String::from_utf8_lossy(&answer.body).into_owned(),
    })
}
