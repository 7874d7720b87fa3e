//! Messages to the clients that are connected.

use serde::Serialize;

use crate::Result;
use crate::export::host::Host;

/// Messages to the clients that are connected at `/api/broadcast`: web pages, mostly.
///
/// The channel `changed` of the plugin `notes` is `notes/changed` to a client, which
/// hears the messages of one channel in order, and is told exactly how many it has
/// missed. A publisher never waits for a client.
///
/// It is a reference in disguise, as [`Services`](crate::Services) is.
///
/// # Examples
/// ```
/// use exthost_plugin::prelude::*;
/// use serde::Serialize;
///
/// #[derive(Serialize)]
/// struct Tick {
///     tick: u64,
/// }
///
/// fn tick(broadcast: Broadcast, tick: u64) -> Result<()> {
///     if broadcast.subscriber_count("tick")? > 0 {
///         broadcast.publish("tick", "", &Tick { tick })?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Broadcast {
    host: &'static Host,
}

impl Broadcast {
    pub(crate) fn new(host: &'static Host) -> Self {
        Broadcast { host }
    }

    /// Publishes a message with a JSON payload, 64 KiB at most; returns its number in
    /// the channel, counted from 1.
    ///
    /// The channel is tokens joined by dots, such as `changed`; so is the event, the
    /// kind of message, which may be empty.
    ///
    /// # Errors
    /// 413 when the payload is too large, 503 at the plugin's limit of channels; 500
    /// when it does not serialise, or a name is malformed.
    pub fn publish(
        &self,
        channel: &str,
        event: &str,
        payload: &(impl Serialize + ?Sized),
    ) -> Result<u64> {
        self.publish_text(channel, event, &serde_json::to_string(payload)?)
    }

    /// Publishes a message that is text already, JSON by convention; see
    /// [`publish`](Broadcast::publish).
    ///
    /// # Errors
    /// As for `publish`.
    pub fn publish_text(&self, channel: &str, event: &str, payload: &str) -> Result<u64> {
        self.host.publish(channel, event, payload)
    }

    /// How many clients would receive a message of `channel` now.
    ///
    /// # Errors
    /// When the channel is malformed.
    pub fn subscriber_count(&self, channel: &str) -> Result<u64> {
        self.host.subscriber_count(channel)
    }
}

#[cfg(test)]
mod tests {
    use exthost_abi::Status;

    use crate::StatusCode;
    use crate::export::fake::Fake;

    #[test]
    fn messages_are_published_and_numbered() {
        let (fake, services) = Fake::services();
        let broadcast = services.broadcast();
        assert_eq!(broadcast.publish("changed", "created", &[1, 2]).unwrap(), 1);
        assert_eq!(broadcast.publish_text("changed", "", "{}").unwrap(), 2);
        assert_eq!(broadcast.subscriber_count("changed").unwrap(), 3);
        let asked = [
            "publish cause 0 changed created: [1,2]",
            "publish cause 0 changed : {}",
            "count changed",
        ];
        assert_eq!(fake.take(), asked);
    }

    #[test]
    fn refusals_keep_their_reason() {
        let (fake, services) = Fake::services();
        let refusal = (Status::TOO_LARGE, "too-large", "64 KiB at most");
        fake.state().db.refusal = Some(("big", refusal));
        let error = services.broadcast().publish("big", "", &1).unwrap_err();
        assert_eq!(error.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(error.message(), "64 KiB at most");
    }

    #[test]
    fn whether_it_was_granted_can_be_asked() {
        let (_, services) = Fake::services();
        assert!(services.granted("broadcast") && services.granted("events"));
        assert!(!services.granted("teleport"));
        let services = Fake::withholding();
        assert!(!services.granted("broadcast"));
        let error = services.broadcast().publish("a", "", &1).unwrap_err();
        assert!(error.message().contains("broadcast/1"), "{error}");
        let error = services.broadcast().subscriber_count("a").unwrap_err();
        assert_eq!(error.code(), "denied");
    }
}
