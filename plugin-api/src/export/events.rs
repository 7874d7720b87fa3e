//! The slots of `events/1`, and the hook that the host calls for an event.

use std::ffi::c_void;

use abi::data::Release;
use abi::events::{
    EVENT_MODE_FILTER, EVENT_MODE_OBSERVE, EventHandle, Message, SUBSCRIBE_ANSWERS,
    SUBSCRIBE_INLINE, SUBSCRIBE_NOT_OWN, SubscriptionSpec, VERDICT_FAIL, VERDICT_PASS,
    VERDICT_REPLACE, VERDICT_VETO, Verdict,
};
use abi::{Bytes, Status, Str};
use exthost_abi as abi;

use super::fence;
use super::host::Host;
use crate::Result;
use crate::cause::Cause;
use crate::events::{Answer, Subscribe, Subscriber};

mod delivery;
mod request;

pub(crate) use delivery::Delivery;
pub(crate) use request::Ask;

impl Host {
    /// Subscribes; the host owns the subscriber until `release`.
    pub(crate) fn subscribe(
        &self,
        asked: &Subscribe<'_>,
        subscriber: Box<Subscriber>,
    ) -> Result<u64> {
        let table = self.events()?;
        let spec = SubscriptionSpec {
            pattern: Str::new(asked.pattern),
            mode: if subscriber.filters {
                EVENT_MODE_FILTER
            } else {
                EVENT_MODE_OBSERVE
            },
            priority: asked.priority,
            flags: flags(asked, &subscriber),
            queue_max: asked.queue_max,
            deadline_ms: asked.deadline_ms,
        };
        let data = Box::into_raw(subscriber);
        let mut id = 0;
        // SAFETY: the table is the host's; `spec` outlives the call, `data` is the
        // host's until `release`, and `id` is writable.
        let status = unsafe {
            (table.subscribe)(
                self.ctx(),
                Cause::id_for(self),
                &raw const spec,
                data.cast(),
                EventHandle(Some(handle)),
                Release(Some(release)),
                &raw mut id,
            )
        };
        self.check(status).inspect_err(|_| {
            // SAFETY: a slot that failed calls nothing, so the box is still ours.
            drop(unsafe { Box::from_raw(data) });
        })?;
        Ok(id)
    }

    /// Ends a subscription; one that has ended needs no ending.
    pub(crate) fn unsubscribe(&self, subscription: u64) {
        if let Ok(table) = self.events() {
            // SAFETY: the table is the host's.
            unsafe { (table.unsubscribe)(self.ctx(), Cause::id_for(self), subscription) };
        }
    }

    /// Ends the delivery `event`.
    pub(crate) fn answer_event(&self, event: u64, answer: &Answer) -> Result<()> {
        let table = self.events()?;
        let (kind, payload, reason) = match answer {
            Answer::Pass => (VERDICT_PASS, Bytes::EMPTY, Str::EMPTY),
            Answer::Replace { payload, .. } => (VERDICT_REPLACE, Bytes::new(payload), Str::EMPTY),
            Answer::Veto(reason) => (VERDICT_VETO, Bytes::EMPTY, Str::new(reason)),
            Answer::Fail(reason) => (VERDICT_FAIL, Bytes::EMPTY, Str::new(reason)),
        };
        let verdict = Verdict {
            kind,
            reserved: 0,
            payload,
            reason,
        };
        // SAFETY: the table is the host's; the verdict outlives the call.
        let status = unsafe { (table.answer)(self.ctx(), event, &raw const verdict) };
        self.check(status)
    }

    /// Emits an event; an empty content type is JSON.
    pub(crate) fn emit(&self, name: &str, content_type: &str, payload: &[u8]) -> Result<()> {
        let table = self.events()?;
        let message = message(name, content_type, payload);
        // SAFETY: the table is the host's; the message outlives the call.
        let status = unsafe { (table.emit)(self.ctx(), Cause::id_for(self), &raw const message) };
        self.check(status)
    }

    /// Emits an event with a JSON payload to one plugin.
    pub(crate) fn emit_to(&self, plugin: &str, name: &str, payload: &[u8]) -> Result<()> {
        let table = self.events()?;
        let message = message(name, "", payload);
        // SAFETY: the table is the host's; name and message outlive the call.
        let status = unsafe {
            (table.emit_to)(
                self.ctx(),
                Cause::id_for(self),
                Str::new(plugin),
                &raw const message,
            )
        };
        self.check(status)
    }

    /// Whether anybody would hear `name`.
    pub(crate) fn has_listeners(&self, name: &str) -> Result<bool> {
        let table = self.events()?;
        let mut listeners = 0;
        // SAFETY: the table is the host's; the name outlives the call, and
        // `listeners` is writable.
        let status = unsafe {
            (table.has_listeners)(
                self.ctx(),
                Cause::id_for(self),
                Str::new(name),
                &raw mut listeners,
            )
        };
        self.check(status)?;
        Ok(listeners != 0)
    }
}

/// An observer that may go on later says so; of a filter that is always awaited.
fn flags(asked: &Subscribe<'_>, subscriber: &Subscriber) -> u32 {
    let own = if asked.not_own { SUBSCRIBE_NOT_OWN } else { 0 };
    own | match (subscriber.inline, subscriber.filters) {
        (false, _) => 0,
        (true, true) => SUBSCRIBE_INLINE,
        (true, false) => SUBSCRIBE_INLINE | SUBSCRIBE_ANSWERS,
    }
}

fn message(name: &str, content_type: &str, payload: &[u8]) -> Message {
    Message {
        name: Str::new(name),
        content_type: Str::new(content_type),
        payload: Bytes::new(payload),
        flags: 0,
        reserved: 0,
    }
}

unsafe extern "C" fn handle(
    data: *mut c_void,
    cause: u64,
    event: *const abi::events::Event,
) -> Status {
    // SAFETY: `subscribe` made `data` of a box, which is shared until `release`.
    let subscriber = unsafe { &*data.cast::<Subscriber>() };
    // SAFETY: borrowed for this call.
    let Some(event) = (unsafe { event.as_ref() }) else {
        return Status::INVALID;
    };
    let host = subscriber.host;
    fence::hook(Cause { host, id: cause }, "event", || {
        let states = host.states().find()?;
        // SAFETY: the host's event, valid for this call.
        let delivery = unsafe { Delivery::from_raw(event, cause, &states) };
        subscriber.hear(&delivery)
    })
}

unsafe extern "C" fn release(data: *mut c_void) {
    // SAFETY: `subscribe` made `data` of a box, and `release` is called once.
    let subscriber = unsafe { Box::from_raw(data.cast::<Subscriber>()) };
    let cause = Cause {
        host: subscriber.host,
        id: 0,
    };
    fence::run(cause, "drop", (), || drop(subscriber));
}
