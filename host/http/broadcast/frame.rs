//! What goes over a WebSocket beside messages, and between events.

use std::borrow::Cow;

use axum::extract::ws::{Message, Utf8Bytes};
use serde::{Deserialize, Serialize};

use crate::config::ChannelPattern;
use crate::http::events::{Dispatch, Dispatched};
use crate::services::broadcast::{Client, Gap};

/// What a client says on a WebSocket.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ClientFrame {
    /// `{"subscribe": ["notes/>"]}`
    Subscribe(Vec<String>),
    /// `{"unsubscribe": ["notes/>"]}`
    Unsubscribe(Vec<String>),
    /// `{"dispatch": {"plugin": ..., "event": ..., "data": ...}}`
    Dispatch(Dispatch),
}

/// What a client is told on a WebSocket beside messages.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ServerFrame<'a> {
    /// `{"ready": {"id": ...}}`, the first.
    Ready(Ready),
    /// `{"gap": {"id": ..., "channel": ..., "lost": ...}}`
    Gap(Loss<'a>),
    /// `{"subscribed": [...]}`: all patterns that the client now has.
    Subscribed(&'a [ChannelPattern]),
    /// `{"dispatched": {"plugin": ..., "ready": ..., "subscriptions": ...}}`
    Dispatched(Dispatched<'a>),
    /// `{"error": {"code": ..., "message": ...}}`
    Error(Refused),
}

/// Where a client begins.
#[derive(Debug, Serialize)]
pub(super) struct Ready {
    /// What to resume from.
    pub(super) id: String,
}

/// What a client has lost.
#[derive(Debug, Serialize)]
pub(super) struct Loss<'a> {
    /// What to resume from.
    id: String,
    channel: Option<&'a str>,
    lost: Option<u64>,
}

/// Why a client's frame had no effect.
#[derive(Debug, Serialize)]
pub(super) struct Refused {
    pub(super) code: Cow<'static, str>,
    pub(super) message: String,
}

impl ClientFrame {
    /// Reads the text of a frame.
    ///
    /// # Errors
    /// [`Refused`], which says how to write it.
    pub(super) fn read(text: &str) -> Result<Self, Refused> {
        serde_json::from_str(text).map_err(|error| {
            let how = "send JSON, as in {\"subscribe\": [\"notes/>\"]} or {\"dispatch\": \
                       {\"plugin\": \"notes\", \"event\": \"a\", \"data\": 1}}";
            Refused::new("bad-frame", format!("{error}; {how}"))
        })
    }
}

impl Refused {
    pub(super) fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Refused {
            code: code.into(),
            message: message.into(),
        }
    }
}

impl<'a> Loss<'a> {
    /// What `client` is told of a gap.
    pub(super) fn of(gap: &'a Gap, client: &Client) -> Self {
        Loss {
            id: client.id(gap.id),
            channel: gap.channel.as_deref(),
            lost: gap.lost,
        }
    }

    /// The server-sent event.
    pub(super) fn event(&self) -> String {
        format!("event: gap\nid: {}\ndata: {}\n\n", self.id, json(self))
    }
}

impl Ready {
    /// Where `client` begins.
    pub(super) fn of(client: &Client) -> Self {
        Ready {
            id: client.position(),
        }
    }

    /// The server-sent event, with the pause after which to connect again.
    pub(super) fn event(&self) -> String {
        let data = json(self);
        format!(
            "retry: 1000\nevent: ready\nid: {}\ndata: {data}\n\n",
            self.id
        )
    }
}

impl ServerFrame<'_> {
    /// The WebSocket's frame.
    pub(super) fn message(&self) -> Message {
        Message::Text(Utf8Bytes::from(json(self)))
    }
}

fn json(value: &impl Serialize) -> String {
    // Texts and numbers have a JSON form.
    serde_json::to_string(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_clients() {
        let frame = ClientFrame::read("{\"subscribe\": [\"a/b\", \"c/>\"]}").unwrap();
        assert!(matches!(frame, ClientFrame::Subscribe(patterns) if patterns.len() == 2));
        let frame = ClientFrame::read("{\"unsubscribe\": []}").unwrap();
        assert!(matches!(frame, ClientFrame::Unsubscribe(patterns) if patterns.is_empty()));
        for text in [
            "",
            "x",
            "{}",
            "[]",
            "{\"subscribe\": \"a/b\"}",
            "{\"subscribe\": [1]}",
            "{\"publish\": []}",
            "{\"dispatch\": {\"plugin\": \"a\"}}",
            "{\"subscribe\": [], \"unsubscribe\": []}",
        ] {
            let refused = ClientFrame::read(text).unwrap_err();
            assert_eq!(refused.code, "bad-frame");
            assert!(
                refused.message.contains("as in {\"subscribe\""),
                "{refused:?}"
            );
        }
    }
}
