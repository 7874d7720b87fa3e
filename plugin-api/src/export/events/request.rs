//! The slot that waits for filters, in its two forms.

use std::borrow::Cow;
use std::ffi::c_void;

use abi::Status;
use abi::events::{EventDone, EventRequest, EventResult};
use exthost_abi as abi;
use serde::de::DeserializeOwned;

use super::message;
use crate::cause::Cause;
use crate::db::Slot;
use crate::events::{Decision, Policy, Settled};
use crate::export::host::Host;
use crate::export::operation::{Held, Operation, outcome};
use crate::{Error, Result};

/// `request`.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) name: &'a str,
    pub(crate) payload: Cow<'a, [u8]>,
    pub(crate) policy: Policy,
    /// 0 for the host's default.
    pub(crate) deadline_ms: u64,
}

impl Ask<'_> {
    fn as_raw(&self) -> EventRequest {
        EventRequest {
            message: message(self.name, "", &self.payload),
            policy: self.policy.as_raw(),
            reserved: 0,
            deadline_ms: self.deadline_ms,
        }
    }
}

impl<T: DeserializeOwned + Send + 'static> Slot<Decision<T>> for Ask<'_> {
    fn wait(self: Box<Self>, host: &'static Host) -> Result<Decision<T>> {
        let table = host.events()?;
        let request = self.as_raw();
        let mut settled: Option<Settled> = None;
        // SAFETY: the table is the host's; the request and `settled` outlive the
        // call, within which `on_settled_within` is called.
        let status = unsafe {
            (table.request)(
                host.ctx(),
                Cause::id_for(host),
                &raw const request,
                (&raw mut settled).cast(),
                EventDone(Some(on_settled_within)),
            )
        };
        // A veto is not OK, and has a result all the same.
        match settled {
            Some(settled) => settled.decide(),
            None => Err(host.check(status).err().unwrap_or_else(unsettled)),
        }
    }

    fn begin(self: Box<Self>, host: &'static Host) -> Result<Operation<Decision<T>>> {
        let table = host.events()?;
        let request = self.as_raw();
        Ok(Operation::start(host, (), |data, op| {
            // SAFETY: the table is the host's; the request outlives the call, and
            // `data` is the host's until `on_settled`.
            unsafe {
                (table.request_async)(
                    host.ctx(),
                    Cause::id_for(host),
                    &raw const request,
                    data,
                    EventDone(Some(on_settled::<T>)),
                    op,
                )
            }
        }))
    }
}

/// Keeps the result; nothing in it panics but running out of memory.
unsafe extern "C" fn on_settled_within(
    data: *mut c_void,
    status: Status,
    _error: *const abi::Error,
    result: *const EventResult,
) {
    // SAFETY: `wait` passed an option that nobody else touches meanwhile.
    let place = unsafe { &mut *data.cast::<Option<Settled>>() };
    // SAFETY: borrowed for this call, by the contract of `EventDone`.
    *place = unsafe { settled(status, result) };
}

unsafe extern "C" fn on_settled<T: DeserializeOwned + Send + 'static>(
    data: *mut c_void,
    status: Status,
    error: *const abi::Error,
    result: *const EventResult,
) {
    // SAFETY: `begin` passed a `Held` of this type, and this is the one callback.
    let held = unsafe { Held::<Decision<T>>::from_raw(data) };
    // SAFETY: borrowed for this call, by the contract of `EventDone`.
    let settled = unsafe { settled(status, result) };
    // SAFETY: borrowed for this call as well.
    let outcome = unsafe { outcome(status, error) };
    held.end(|()| match settled {
        Some(settled) => settled.decide(),
        None => Err(outcome.err().unwrap_or_else(unsettled)),
    });
}

/// Copies a result; `None` where there is none to be had.
///
/// # Safety
/// `result` is null or borrowed for the call.
unsafe fn settled(status: Status, result: *const EventResult) -> Option<Settled> {
    if !matches!(status, Status::OK | Status::VETOED) {
        return None;
    }
    // SAFETY: the caller's contract.
    let result = unsafe { result.as_ref() }?;
    // SAFETY: borrowed with the result.
    let payload = unsafe { result.payload.as_slice() }.unwrap_or_default();
    // SAFETY: borrowed with the result.
    let by = unsafe { result.vetoed_by.as_str() }.unwrap_or_default();
    // SAFETY: borrowed with the result.
    let reason = unsafe { result.reason.as_str() }.unwrap_or_default();
    Some(Settled {
        vetoed: status == Status::VETOED,
        payload: payload.to_vec(),
        by: by.to_owned(),
        reason: reason.to_owned(),
    })
}

fn unsettled() -> Error {
    Error::internal("the host ended a request without a result")
}
