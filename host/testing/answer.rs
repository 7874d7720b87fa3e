//! What a host in a test answers.

use std::fmt;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::response::Parts;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;

use crate::http::AnswerBody;
use crate::testing::running::patiently;

/// An answer, read to its end unless it is a stream of events.
///
/// # Panics
/// The methods that read panic when the answer is not what they read, and show it.
#[derive(Debug)]
pub struct Answer {
    head: Parts,
    body: Body,
    runtime: Handle,
}

#[derive(Debug)]
enum Body {
    Whole(Bytes),
    /// What of the events was not read yet.
    Events(AnswerBody, BytesMut),
}

/// One server-sent event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ServerEvent {
    /// Its kind; `message` if it says none.
    pub event: String,
    /// What to resume from.
    pub id: Option<String>,
    /// What it carries.
    pub data: String,
}

impl Answer {
    /// Reads the body, unless it is a stream of events.
    pub(super) async fn of(response: Response<AnswerBody>) -> Self {
        let (head, body) = response.into_parts();
        let kind = head.headers.get(CONTENT_TYPE).map(|kind| kind.as_bytes());
        let body = match kind.is_some_and(|kind| kind.starts_with(b"text/event-stream")) {
            true => Body::Events(body, BytesMut::new()),
            false => match body.collect().await {
                Ok(whole) => Body::Whole(whole.to_bytes()),
                Err(error) => panic!("the answer with {} was cut: {error}", head.status),
            },
        };
        Answer {
            head,
            body,
            runtime: Handle::current(),
        }
    }

    /// The status; it compares with a number.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// A header, if it is there.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// The body.
    ///
    /// # Panics
    /// When the answer is a stream of events.
    pub fn bytes(&self) -> &Bytes {
        match &self.body {
            Body::Whole(bytes) => bytes,
            Body::Events(..) => panic!("the answer is a stream of events; read its next_event()"),
        }
    }

    /// The body as text.
    ///
    /// # Panics
    /// When it is none.
    pub fn text(&self) -> &str {
        std::str::from_utf8(self.bytes()).unwrap_or_else(|_| panic!("{self} is no text"))
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none, or no `T`.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(self.bytes()).unwrap_or_else(|error| panic!("{self}: {error}"))
    }

    /// Waits for the next event of a stream; nothing at its end.
    ///
    /// # Panics
    /// When the answer is no stream of events, or none comes for a minute.
    pub async fn next_event(&mut self) -> Option<ServerEvent> {
        if let Body::Whole(_) = self.body {
            panic!("{self} is no stream of events");
        }
        let Answer { body, runtime, .. } = self;
        let Body::Events(stream, unread) = body else {
            return None;
        };
        patiently(runtime, "the next event", next(stream, unread)).await
    }
}

/// Status, and what of the body a person can read.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.head.status)?;
        match &self.body {
            Body::Whole(bytes) => f.write_str(&String::from_utf8_lossy(bytes)),
            Body::Events(..) => f.write_str("(a stream of events)"),
        }
    }
}

impl ServerEvent {
    /// What it carries, as JSON.
    ///
    /// # Panics
    /// When it is none, or no `T`.
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.data).unwrap_or_else(|error| panic!("{self:?}: {error}"))
    }

    /// Reads the lines of an event; nothing of those that only keep a stream alive.
    fn read(text: &str) -> Option<Self> {
        let mut event = ServerEvent {
            event: "message".to_owned(),
            ..ServerEvent::default()
        };
        let mut data = Vec::new();
        for line in text.lines() {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => event.event = value.to_owned(),
                "id" => event.id = Some(value.to_owned()),
                "data" => data.push(value),
                _ => {}
            }
        }
        event.data = data.join("\n");
        (!data.is_empty()).then_some(event)
    }
}

async fn next(stream: &mut AnswerBody, unread: &mut BytesMut) -> Option<ServerEvent> {
    loop {
        while let Some(end) = unread.windows(2).position(|pair| pair == b"\n\n") {
            let text = unread.split_to(end + 2);
            let event = ServerEvent::read(&String::from_utf8_lossy(&text));
            if event.is_some() {
                return event;
            }
        }
        match stream.frame().await? {
            Ok(frame) => unread.extend_from_slice(frame.data_ref().unwrap_or(&Bytes::new())),
            Err(error) => panic!("the stream of events was cut: {error}"),
        }
    }
}
