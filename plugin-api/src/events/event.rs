//! An event as a handler sees it, and what its payload can be read as.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;

use crate::export::events::Delivery;
use crate::{Error, Result, StatusCode, json};

/// An event as a handler sees it: the payload as a `T`, and where it came from.
///
/// `T` is anything that deserialises from JSON, or [`Raw`] for the bytes as they are.
#[derive(Debug, Clone)]
pub struct Event<T> {
    /// The payload; for a filter, as the filters before it left it.
    pub data: T,
    about: Heard,
}

/// What is known of an event besides its payload.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) name: String,
    /// `None` for JSON.
    pub(crate) content_type: Option<String>,
    pub(crate) emitter: Option<String>,
    pub(crate) emitted_at_ms: u64,
    pub(crate) lost: u64,
}

impl<T> Event<T> {
    /// Its name, after the operator's aliases.
    pub fn name(&self) -> &str {
        &self.about.name
    }

    /// The media type of the payload.
    pub fn content_type(&self) -> &str {
        let given = self.about.content_type.as_deref();
        given.unwrap_or("application/json")
    }

    /// The plugin that emitted it; `None` for the host.
    pub fn emitter(&self) -> Option<&str> {
        self.about.emitter.as_deref()
    }

    /// When it was emitted, to the millisecond.
    pub fn emitted_at(&self) -> SystemTime {
        let since = Duration::from_millis(self.about.emitted_at_ms);
        UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
    }

    /// How many events this subscription has lost to a full queue since the last one
    /// it heard.
    pub fn lost(&self) -> u64 {
        self.about.lost
    }
}

impl<T: FromContent> Event<T> {
    pub(super) fn read(delivery: &Delivery<'_>) -> Result<Self> {
        Ok(Event {
            data: T::from_content(delivery)?,
            about: delivery.about(),
        })
    }
}

/// The payload of an event as the bytes that they are, of any media type: take
/// [`Event<Raw>`](Event), answer [`Verdict<Raw>`](crate::Verdict).
///
/// # Examples
/// ```
/// use exthost_plugin::events::{Event, Raw};
/// use exthost_plugin::prelude::*;
///
/// fn measured(event: Event<Raw>) {
///     log::info("heard")
///         .field("content_type", event.content_type())
///         .field("bytes", event.data.0.len());
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw(pub Vec<u8>);

/// What the payload of an event can be read as: anything that deserialises from
/// JSON, or [`Raw`].
#[diagnostic::on_unimplemented(
    message = "the payload of an event cannot be read as `{Self}`",
    label = "does not deserialise",
    note = "an event's data is anything that owns what it deserialises, such as a struct with \
            `#[derive(Deserialize)]`, a `serde_json::Value`, or `events::Raw` for the bytes"
)]
pub trait FromContent: Sized {
    /// Reads it.
    #[doc(hidden)]
    fn from_content(delivery: &Delivery<'_>) -> Result<Self>;
}

impl<T: DeserializeOwned> FromContent for T {
    fn from_content(delivery: &Delivery<'_>) -> Result<Self> {
        if !delivery.is_json() {
            let message = format!(
                "the payload of {} is {}, not application/json; take an Event<Raw>",
                delivery.name(),
                delivery.content_type()
            );
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Error::new(status, "unsupported-media-type", message));
        }
        let text = delivery.payload();
        serde_json::from_slice(text).map_err(|error| refuse(delivery.name(), text, &error))
    }
}

impl FromContent for Raw {
    fn from_content(delivery: &Delivery<'_>) -> Result<Self> {
        Ok(Raw(delivery.payload().to_vec()))
    }
}

fn refuse(name: &str, text: &[u8], error: &serde_json::Error) -> Error {
    let path = json::path_at(text, error.line(), error.column());
    let place = if path.is_empty() { "it" } else { &*path };
    let reason = json::reason(error);
    let message = format!("the payload of {name} is of another form: {place}: {reason}");
    Error::unprocessable(message).with_code("bad-payload")
}
