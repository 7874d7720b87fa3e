//! Events whose filters are waited for.

use std::ffi::c_void;
use std::time::Duration;

use exthost_abi::events::{
    EventDone, EventRequest, EventResult, POLICY_FAIL_CLOSED, POLICY_FAIL_OPEN,
};
use exthost_abi::{Bytes, Status, Str};

use crate::ffi::convert::{Data, error, known_flags, object, require, store};
use crate::ffi::events::{message_of, milliseconds};
use crate::ffi::{callback, enter};
use crate::services::PluginServices;
use crate::services::error::ServiceError;
use crate::services::events::{Decision, Policy, Prepared};

pub(super) unsafe extern "C" fn request(
    ctx: *const c_void,
    cause: u64,
    request: *const EventRequest,
    data: *mut c_void,
    done: EventDone,
) -> Status {
    let data = Data(data);
    enter(ctx, |services| {
        require(done.0.is_some(), "done")?;
        // SAFETY: the plugin lends the request for the call.
        let asked = unsafe { asked(services, cause, request) }?;
        let decision = services.ops.block(asked.decide(services))?;
        let vetoed = vetoed(&decision);
        tell(services, cause, done, data, Ok(decision));
        vetoed.map_or(Ok(()), Err)
    })
}

pub(super) unsafe extern "C" fn request_async(
    ctx: *const c_void,
    cause: u64,
    request: *const EventRequest,
    data: *mut c_void,
    done: EventDone,
    op: *mut u64,
) -> Status {
    let data = Data(data);
    enter(ctx, |services| {
        require(done.0.is_some(), "done")?;
        // SAFETY: the plugin lends the request for the call.
        let asked = unsafe { asked(services, cause, request) }?;
        services.ops.start(
            // SAFETY: and `op`.
            |id| unsafe { store(op, id) },
            asked.decide(services),
            move |result| tell(services, cause, done, data, result),
        )
    })
}

/// A request, copied.
struct Asked {
    prepared: Prepared,
    policy: Policy,
    deadline: Option<Duration>,
}

impl Asked {
    async fn decide(self, services: &PluginServices) -> Result<Decision, ServiceError> {
        let Asked {
            prepared,
            policy,
            deadline,
        } = self;
        services.events.decide(prepared, policy, deadline).await
    }
}

/// What the plugin asks.
///
/// # Safety
/// If the pointer is not null, the request and all that it names must be
/// readable.
unsafe fn asked(
    services: &PluginServices,
    cause: u64,
    request: *const EventRequest,
) -> Result<Asked, ServiceError> {
    // SAFETY: the caller's contract.
    let request = unsafe { object(request, "request") }?;
    known_flags(request.reserved, 0)?;
    let policy = match request.policy {
        POLICY_FAIL_OPEN => Policy::FailOpen,
        POLICY_FAIL_CLOSED => Policy::FailClosed,
        other => {
            return Err(ServiceError::invalid(format!(
                "the policy {other} is neither {POLICY_FAIL_OPEN} (fail open) nor \
                 {POLICY_FAIL_CLOSED} (fail closed)"
            )));
        }
    };
    // SAFETY: the caller's contract.
    let message = unsafe { message_of(&raw const request.message) }?;
    Ok(Asked {
        prepared: services.events.prepare(services.emitter(cause), &message)?,
        policy,
        deadline: milliseconds(request.deadline_ms),
    })
}

/// The error of a request that was vetoed.
fn vetoed(decision: &Decision) -> Option<ServiceError> {
    let veto = decision.veto.as_ref()?;
    let message = format!(
        "{} refused {}: {}",
        veto.by, decision.event.name, veto.reason
    );
    Some(ServiceError::new(Status::VETOED, "vetoed", message))
}

/// Tells the plugin how its request ended.
fn tell(
    services: &PluginServices,
    cause: u64,
    done: EventDone,
    data: Data,
    result: Result<Decision, ServiceError>,
) {
    let Some(done) = done.0 else { return };
    let origin = services.causes.origin(&services.context, cause);
    let request = origin.exchange.as_deref();
    callback(&services.context, request, "completion", || {
        let (decision, failure) = match &result {
            Ok(decision) => (Some(decision), vetoed(decision)),
            Err(failure) => (None, Some(failure.clone())),
        };
        let status = failure
            .as_ref()
            .map_or(Status::OK, |failure| failure.status);
        let told = failure.as_ref().map(error);
        let told = told.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        let result = decision.map(result_of);
        let result = result.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: the slot promises one call, this one; both structs and what
        // they borrow from live for it.
        unsafe { done(data.ptr(), status, told, result) };
    });
}

fn result_of(decision: &Decision) -> EventResult {
    let veto = decision.veto.as_ref();
    EventResult {
        payload: Bytes::new(&decision.event.payload),
        content_type: Str::new(&decision.event.content_type),
        vetoed_by: veto.map_or(Str::EMPTY, |veto| Str::new(veto.by.as_str())),
        reason: veto.map_or(Str::EMPTY, |veto| Str::new(&veto.reason)),
    }
}
