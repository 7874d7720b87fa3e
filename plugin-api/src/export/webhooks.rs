//! The slots of `webhooks/1`.

use std::borrow::Cow;
use std::ffi::c_void;

use abi::webhooks::{FireDone, Webhook};
use abi::{Bytes, Status, Str};
use exthost_abi as abi;

use super::host::Host;
use super::operation::{Held, Operation, outcome};
use crate::cause::Cause;
use crate::db::Slot;
use crate::webhooks::MessageId;
use crate::{Error, Result};

/// `fire`.
pub(crate) struct Fire<'a> {
    pub(crate) tx: u64,
    pub(crate) event_type: &'a str,
    pub(crate) content_type: &'a str,
    pub(crate) payload: Cow<'a, [u8]>,
}

impl Fire<'_> {
    fn as_raw(&self) -> Webhook {
        Webhook {
            tx: self.tx,
            event_type: Str::new(self.event_type),
            content_type: Str::new(self.content_type),
            payload: Bytes::new(&self.payload),
            flags: 0,
            reserved: 0,
        }
    }
}

impl Slot<MessageId> for Fire<'_> {
    fn wait(self: Box<Self>, host: &'static Host) -> Result<MessageId> {
        let table = host.webhooks()?;
        let webhook = self.as_raw();
        let mut id: Option<MessageId> = None;
        // SAFETY: the table is the host's; the message and `id` outlive the call,
        // within which `on_fired_within` is called.
        let status = unsafe {
            (table.fire)(
                host.ctx(),
                Cause::id_for(host),
                &raw const webhook,
                (&raw mut id).cast(),
                FireDone(Some(on_fired_within)),
            )
        };
        host.check(status)?;
        id.ok_or_else(|| Error::internal("the host queued a message and did not name it"))
    }

    fn begin(self: Box<Self>, host: &'static Host) -> Result<Operation<MessageId>> {
        let table = host.webhooks()?;
        let webhook = self.as_raw();
        Ok(Operation::start(host, (), |data, op| {
            // SAFETY: the table is the host's; the message outlives the call, and
            // `data` is the host's until `on_fired`.
            unsafe {
                (table.fire_async)(
                    host.ctx(),
                    Cause::id_for(host),
                    &raw const webhook,
                    data,
                    FireDone(Some(on_fired)),
                    op,
                )
            }
        }))
    }
}

/// Keeps the id; nothing in it panics but running out of memory.
unsafe extern "C" fn on_fired_within(
    data: *mut c_void,
    status: Status,
    _error: *const abi::Error,
    id: Str,
) {
    // SAFETY: `wait` passed an option that nobody else touches meanwhile.
    let place = unsafe { &mut *data.cast::<Option<MessageId>>() };
    if status.is_ok() {
        // SAFETY: borrowed for this call.
        *place = unsafe { message_id(id) }.ok();
    }
}

unsafe extern "C" fn on_fired(
    data: *mut c_void,
    status: Status,
    error: *const abi::Error,
    id: Str,
) {
    // SAFETY: `begin` passed a `Held` of this type, and this is the one callback.
    let held = unsafe { Held::<MessageId>::from_raw(data) };
    // SAFETY: borrowed for this call, by the contract of `FireDone`.
    let result = unsafe { outcome(status, error) };
    // SAFETY: borrowed for this call as well.
    let id = unsafe { message_id(id) };
    held.end(|()| result.and(id));
}

/// # Safety
/// `id` is borrowed for the call.
unsafe fn message_id(id: Str) -> Result<MessageId> {
    // SAFETY: the caller's contract.
    match unsafe { id.as_str() } {
        Ok(id) => Ok(MessageId::new(id.to_owned())),
        Err(_) => Err(Error::internal("the id of a message is not text")),
    }
}
