//! What filters decide.

use serde::Serialize;

use super::Raw;
use crate::Result;

/// What a filter decides.
///
/// `Verdict` alone passes or vetoes; a filter that changes the payload returns
/// `Verdict<T>` of what it makes of it.
///
/// # Examples
/// ```
/// use exthost_plugin::events::Event;
/// use exthost_plugin::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Email {
///     email: String,
/// }
///
/// fn lower_case(mut event: Event<Email>) -> Verdict<Email> {
///     event.data.email = event.data.email.to_lowercase();
///     match event.data.email.contains('@') {
///         true => Verdict::Replace(event.data),
///         false => Verdict::veto("an address has an @"),
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a verdict counts when the filter returns it"]
pub enum Verdict<T = Unchanged> {
    /// Let it pass as it is.
    Pass,
    /// Go on with this payload, of the media type that the event has.
    Replace(T),
    /// Refuse it, with a reason for people; what is beyond 4 KiB of it is cut off.
    Veto(String),
}

impl<T> Verdict<T> {
    /// Refuses the event, with a reason for people.
    pub fn veto(reason: impl Into<String>) -> Self {
        Verdict::Veto(reason.into())
    }
}

/// The payload of a [`Verdict`] that replaces none; there is no value of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unchanged {}

/// What a filter can replace a payload with: anything that serialises, for a payload
/// that is JSON, or [`Raw`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot replace the payload of an event",
    label = "does not serialise",
    note = "a filter replaces a payload with anything that implements `serde::Serialize`, or with \
            `events::Raw`; one that only passes or vetoes returns `Verdict`"
)]
pub trait IntoContent {
    /// Whether it replaces JSON alone.
    #[doc(hidden)]
    const JSON: bool;

    /// Writes it.
    #[doc(hidden)]
    fn into_content(self) -> Result<Vec<u8>>;
}

impl<T: Serialize> IntoContent for T {
    const JSON: bool = true;

    fn into_content(self) -> Result<Vec<u8>> {
        Ok(serde_json::to_vec(&self)?)
    }
}

impl IntoContent for Raw {
    const JSON: bool = false;

    fn into_content(self) -> Result<Vec<u8>> {
        Ok(self.0)
    }
}

impl IntoContent for Unchanged {
    const JSON: bool = false;

    fn into_content(self) -> Result<Vec<u8>> {
        match self {}
    }
}

/// What a handler came to, with its types erased.
#[doc(hidden)]
#[derive(Debug)]
pub enum Answer {
    Pass,
    Replace {
        payload: Vec<u8>,
        json: bool,
    },
    Veto(String),
    /// The handler has failed, for a reason for the log.
    Fail(String),
}

impl Answer {
    pub(super) fn of<T: IntoContent>(verdict: Verdict<T>) -> Result<Self> {
        Ok(match verdict {
            Verdict::Pass => Answer::Pass,
            Verdict::Replace(content) => Answer::Replace {
                payload: content.into_content()?,
                json: T::JSON,
            },
            Verdict::Veto(reason) => Answer::Veto(reason),
        })
    }
}
