//! Events of the application.

use std::time::Duration;

use exthost_abi::Status;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::host::Host;
use crate::name::PluginName;
use crate::services::error::ServiceError;
use crate::services::events::{Emitter, Message, Policy};

/// What filters made of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<T> {
    /// All let it pass; this is the payload as they left it.
    Passed(T),
    /// One refused.
    Vetoed {
        /// The plugin that refused.
        by: PluginName,
        /// Its reason, for people.
        reason: String,
    },
}

impl Host {
    /// Emits an event, `core.*` too: queues it for every plugin that hears it.
    ///
    /// # Errors
    /// [`EventError`] when the name is malformed, or the payload does not
    /// serialise or has more than 1 MiB.
    ///
    /// # Examples
    /// ```no_run
    /// # fn run(host: exthost::Host) -> Result<(), exthost::EventError> {
    /// host.emit("user.created", &serde_json::json!({ "name": "Ada" }))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn emit(&self, name: &str, payload: &(impl Serialize + ?Sized)) -> Result<(), EventError> {
        let payload = EventError::json(payload)?;
        let message = Message::json(name, &payload);
        Ok(self.pipeline.events().emit(Emitter::host(), &message)?)
    }

    /// Emits an event to one plugin, which hears it exactly once: at once, or as
    /// soon as it serves.
    ///
    /// # Errors
    /// As for [`emit`](Self::emit); `no-such-plugin`; `busy` when its queue is
    /// full.
    pub fn emit_to(
        &self,
        plugin: &str,
        name: &str,
        payload: &(impl Serialize + ?Sized),
    ) -> Result<(), EventError> {
        let payload = EventError::json(payload)?;
        let message = Message::json(name, &payload);
        let events = self.pipeline.events();
        events.emit_to(Emitter::host(), plugin, &message)?;
        Ok(())
    }

    /// Asks the filters of an event, within 5 s, and tells its observers what they
    /// made of it unless one vetoed. What a filter's panic, error or silence
    /// means is `policy`'s to say.
    ///
    /// # Errors
    /// As for [`emit`](Self::emit); `filters-busy` when too many wait for a
    /// thread; `payload` when what a filter made of it is no `T`.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn run(host: exthost::Host) -> Result<(), exthost::EventError> {
    /// use exthost::{Decision, Policy};
    ///
    /// let email = "ada@example.com".to_owned();
    /// match host.request("core.email.validate", &email, Policy::FailClosed).await? {
    ///     Decision::Passed(email) => println!("{email} is welcome"),
    ///     Decision::Vetoed { by, reason } => println!("{by} refuses: {reason}"),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn request<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        payload: &T,
        policy: Policy,
    ) -> Result<Decision<T>, EventError> {
        self.request_within(name, payload, policy, None).await
    }

    /// [`request`](Self::request) with a time for all filters, 5 minutes at most;
    /// none for 5 s.
    ///
    /// # Errors
    /// As for [`request`](Self::request).
    pub async fn request_within<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        payload: &T,
        policy: Policy,
        deadline: Option<Duration>,
    ) -> Result<Decision<T>, EventError> {
        let payload = EventError::json(payload)?;
        let events = self.pipeline.events();
        let prepared = events.prepare(Emitter::host(), &Message::json(name, &payload))?;
        let decided = events.decide(prepared, policy, deadline).await?;
        if let Some(veto) = decided.veto {
            return Ok(Decision::Vetoed {
                by: veto.by,
                reason: veto.reason,
            });
        }
        let left = serde_json::from_slice(&decided.event.payload);
        left.map(Decision::Passed).map_err(|error| EventError {
            code: "payload".to_owned(),
            message: format!("a filter left a payload of {name} that does not fit: {error}"),
        })
    }

    /// Whether a plugin would hear an event of this name, so that its payload is
    /// worth building.
    pub fn has_listeners(&self, name: &str) -> bool {
        let heard = self.pipeline.events().has_listeners(None, name);
        heard.unwrap_or(false)
    }
}

/// Why an event was not emitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct EventError {
    /// A stable code in lower case.
    pub code: String,
    /// One sentence for a person.
    pub message: String,
}

impl EventError {
    fn json(payload: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, EventError> {
        serde_json::to_vec(payload).map_err(|error| {
            let message = format!("the payload does not serialise: {error}");
            ServiceError::new(Status::INVALID, "payload", message).into()
        })
    }
}

impl From<ServiceError> for EventError {
    fn from(error: ServiceError) -> Self {
        EventError {
            code: error.code.into_owned(),
            message: error.message,
        }
    }
}
