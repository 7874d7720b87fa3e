//! Events: what is emitted, and what is heard.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use exthost_abi::Status;

use crate::name::PluginName;
use crate::services::cause::Origin;
use crate::services::context::PluginContext;
use crate::services::error::ServiceError;

/// Largest payload in bytes.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;

/// Events that cause each other, at most.
pub(crate) const DEPTH_MAX: u8 = 8;

const JSON: &str = "application/json";

/// Longest media type in bytes.
const CONTENT_TYPE_BYTES_MAX: usize = 256;

/// What is to be emitted.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Tokens joined by dots.
    pub name: &'a str,
    /// Media type of the payload; empty for JSON.
    pub content_type: &'a str,
    /// The payload.
    pub payload: &'a [u8],
}

impl<'a> Message<'a> {
    /// A message in JSON.
    pub fn json(name: &'a str, payload: &'a [u8]) -> Self {
        Message {
            name,
            content_type: "",
            payload,
        }
    }

    /// Refuses what is too large to be emitted.
    pub(super) fn check(&self) -> Result<(), ServiceError> {
        check_payload(self.payload)?;
        match self.content_type.len() <= CONTENT_TYPE_BYTES_MAX {
            true => Ok(()),
            false => Err(ServiceError::invalid(format!(
                "the content type has {} bytes, more than {CONTENT_TYPE_BYTES_MAX}",
                self.content_type.len()
            ))),
        }
    }
}

/// Refuses a payload that is too large.
pub(super) fn check_payload(payload: &[u8]) -> Result<(), ServiceError> {
    match payload.len() <= PAYLOAD_BYTES_MAX {
        true => Ok(()),
        false => Err(ServiceError::new(
            Status::TOO_LARGE,
            "payload-too-large",
            format!(
                "the payload has {} bytes, more than {PAYLOAD_BYTES_MAX}",
                payload.len()
            ),
        )),
    }
}

/// Who emits, and why.
#[derive(Debug, Clone, Default)]
pub struct Emitter {
    /// The plugin; none for the host and its application.
    pub plugin: Option<Arc<PluginContext>>,
    /// What it goes back to.
    pub origin: Origin,
}

impl Emitter {
    /// The host, of its own accord.
    pub(crate) fn host() -> Self {
        Emitter::default()
    }

    /// How many events cause each other with the one that is emitted now. A
    /// handler that names no cause is known by its thread.
    fn depth(&self) -> u8 {
        let (handled, _) = HANDLED.get();
        self.origin.depth.max(handled) + 1
    }

    /// Whether it comes of an event that tells of a log line.
    pub(crate) fn is_of_log(&self) -> bool {
        let (_, handled) = HANDLED.get();
        self.origin.of_log || handled
    }

    /// Refuses what was caused by too many events.
    pub(super) fn check_depth(&self) -> Result<(), ServiceError> {
        let depth = self.depth();
        match depth <= DEPTH_MAX {
            true => Ok(()),
            false => Err(ServiceError::new(
                Status::BUSY,
                "event-depth",
                format!(
                    "{DEPTH_MAX} events have caused each other, and another would be number \
                     {depth}; look for handlers that emit what makes them be called"
                ),
            )),
        }
    }
}

thread_local! {
    /// Of the event that this thread handles: how many have caused each other up
    /// to it, and whether one that tells of a log line is among them.
    static HANDLED: Cell<(u8, bool)> = const { Cell::new((0, false)) };
}

/// Runs the handler of an event.
pub(super) fn handling<R>(event: &Event, call: impl FnOnce() -> R) -> R {
    let before = HANDLED.replace((event.origin.depth, event.origin.of_log));
    let returned = call();
    HANDLED.set(before);
    returned
}

/// An event on its way.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its name, after the operator's aliases.
    pub name: Arc<str>,
    /// Media type of the payload.
    pub content_type: Cow<'static, str>,
    /// The payload.
    pub payload: Box<[u8]>,
    /// The plugin that emitted it; none for the host.
    pub emitter: Option<Arc<PluginContext>>,
    /// When it was emitted, milliseconds since the Unix epoch.
    pub emitted_at_ms: u64,
    /// What it goes back to, itself counted.
    pub origin: Origin,
}

impl Event {
    pub(super) fn new(name: Arc<str>, message: &Message<'_>, by: Emitter) -> Self {
        Event {
            name,
            content_type: match message.content_type {
                "" | JSON => Cow::Borrowed(JSON),
                other => Cow::Owned(other.to_owned()),
            },
            payload: message.payload.into(),
            emitted_at_ms: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_millis() as u64),
            origin: Origin {
                depth: by.depth(),
                of_log: by.is_of_log(),
                ..by.origin
            },
            emitter: by.plugin,
        }
    }

    /// Whether the plugin of this name emitted it.
    pub(super) fn is_of(&self, plugin: &PluginName) -> bool {
        let emitter = self.emitter.as_ref();
        emitter.is_some_and(|emitter| emitter.name == *plugin)
    }

    /// Counts and logs a fault of the plugin `hearer` in handling it.
    pub(super) fn fault(&self, hearer: &PluginContext, fault: &ServiceError) {
        hearer.fault(
            &format!("event {}", self.name),
            self.origin.request_id(),
            fault,
        );
    }
}
