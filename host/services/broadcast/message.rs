//! A message as it goes out, made once for all clients.

use std::borrow::Cow;
use std::fmt::Write;

use bytes::Bytes;
use serde::de::IgnoredAny;

/// One published message: a whole server-sent event, in which the JSON object is
/// what a WebSocket carries. A clone is a pointer and a count.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// Its number among all messages of the host, from 1.
    pub(crate) id: u64,
    event: Bytes,
    json_at: usize,
}

/// What a message says, before it has a number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Content<'a> {
    /// The channel, with its owner.
    pub(super) channel: &'a str,
    pub(super) event: &'a str,
    /// JSON on one line.
    pub(super) data: &'a str,
}

impl Message {
    /// Encodes a message: the one numbered `id` of this `run` of the host, and
    /// `sequence` of its channel.
    pub(super) fn encode(run: &str, id: u64, sequence: u64, content: Content<'_>) -> Self {
        let Content {
            channel,
            event,
            data,
        } = content;
        let mut text = String::with_capacity(data.len() + channel.len() + event.len() + 160);
        // Writing to a string does not fail, and names need no escaping.
        let _ = write!(text, "id: {run}-{id}\ndata: ");
        let json_at = text.len();
        let _ = write!(
            text,
            "{{\"id\":\"{run}-{id}\",\"channel\":\"{channel}\",\"event\":\"{event}\",\
             \"sequence\":{sequence},\"data\":"
        );
        text.push_str(data);
        text.push_str("}\n\n");
        Message {
            id,
            event: text.into(),
            json_at,
        }
    }

    /// The server-sent event.
    pub(crate) fn event(&self) -> Bytes {
        self.event.clone()
    }

    /// The JSON object alone.
    pub(crate) fn json(&self) -> Bytes {
        self.event.slice(self.json_at..self.event.len() - 2)
    }

    /// What it takes in memory, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.event.len() + size_of::<Self>()
    }
}

/// The payload as JSON on one line: itself, if it is JSON, else as a string.
pub(super) fn json_of(payload: &str) -> Cow<'_, str> {
    if serde_json::from_str::<IgnoredAny>(payload).is_err() {
        return Cow::Owned(serde_json::Value::from(payload).to_string());
    }
    match payload.contains(['\n', '\r']) {
        false => Cow::Borrowed(payload),
        // In JSON these stand between tokens only.
        true => Cow::Owned(payload.replace(['\n', '\r'], " ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_with_its_json() {
        let content = Content {
            channel: "notes/changed",
            event: "created",
            data: "{\"id\":7}",
        };
        let message = Message::encode("k3x9", 41, 12, content);
        let json = "{\"id\":\"k3x9-41\",\"channel\":\"notes/changed\",\"event\":\"created\",\
                    \"sequence\":12,\"data\":{\"id\":7}}";
        assert_eq!(message.json(), json);
        assert_eq!(message.event(), format!("id: k3x9-41\ndata: {json}\n\n"));
        assert!(message.cost() > message.event().len());
    }

    #[test]
    fn payloads_are_on_one_line() {
        for (payload, expected) in [
            ("{\"a\":1}", "{\"a\":1}"),
            ("{\r\n \"a\": [1,\n2]}", "{   \"a\": [1, 2]}"),
            ("null", "null"),
            ("\"a\\nb\"", "\"a\\nb\""),
            ("hello", "\"hello\""),
            ("", "\"\""),
            ("a\nb\"", "\"a\\nb\\\"\""),
            ("{\"a\":}", "\"{\\\"a\\\":}\""),
            ("1 2", "\"1 2\""),
            ("\"a\nb\"", "\"\\\"a\\nb\\\"\""),
        ] {
            assert_eq!(json_of(payload), expected, "{payload:?}");
        }
    }
}
