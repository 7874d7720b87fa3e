//! An event, borrowed from the host for the time of one call.

use abi::Str;
use abi::events::Event;
use exthost_abi as abi;

use crate::events::Heard;
use crate::json;
use crate::state::States;

/// An event as the host hands it over: nothing is copied or decoded before it is
/// asked for.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    raw: &'a Event,
    id: u64,
    states: &'a States,
}

impl<'a> Delivery<'a> {
    /// # Safety
    /// All that `raw` points to must be readable for `'a`.
    pub(super) unsafe fn from_raw(raw: &'a Event, id: u64, states: &'a States) -> Self {
        Delivery { raw, id, states }
    }

    /// The id to answer.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    pub(crate) fn states(&self) -> &'a States {
        self.states
    }

    pub(crate) fn name(&self) -> &'a str {
        self.text(self.raw.name)
    }

    /// Empty for JSON, as a host may leave it.
    pub(crate) fn content_type(&self) -> &'a str {
        self.text(self.raw.content_type)
    }

    pub(crate) fn is_json(&self) -> bool {
        let content_type = self.content_type();
        content_type.is_empty() || json::is_json(content_type)
    }

    pub(crate) fn payload(&self) -> &'a [u8] {
        // SAFETY: readable for `'a`, by the contract of `from_raw`.
        unsafe { self.raw.payload.as_slice() }.unwrap_or_default()
    }

    /// What is known of it besides the payload, copied.
    pub(crate) fn about(&self) -> Heard {
        let owned = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let content_type = self.content_type();
        Heard {
            name: self.name().to_owned(),
            content_type: owned(content_type).filter(|text| text != "application/json"),
            emitter: owned(self.text(self.raw.emitter)),
            emitted_at_ms: self.raw.emitted_at_ms,
            lost: self.raw.lost,
        }
    }

    /// Follows a text of the event; one that is malformed counts as empty.
    fn text(&self, text: Str) -> &'a str {
        // SAFETY: readable for `'a`, by the contract of `from_raw`.
        unsafe { text.as_str() }.unwrap_or_default()
    }
}
