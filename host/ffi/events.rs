//! `events/1`.

use std::ffi::c_void;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use exthost_abi::data::Release;
use exthost_abi::events::{
    EVENT_MODE_FILTER, EVENT_MODE_OBSERVE, EventHandle, EventsTable, Message, SUBSCRIBE_ANSWERS,
    SUBSCRIBE_INLINE, SUBSCRIBE_NOT_OWN, SubscriptionSpec, VERDICT_FAIL, VERDICT_PASS,
    VERDICT_REPLACE, VERDICT_VETO, Verdict,
};
use exthost_abi::{Bytes, Status, Str};

use crate::config::Pattern;
use crate::ffi::convert::{Held, known_flags, object, require, store, text};
use crate::ffi::{enter, hook};
use crate::services::context::PluginContext;
use crate::services::error::ServiceError;
use crate::services::events::{self, Handle, Heard, Mode, Subscription};

mod request;

use request::{request, request_async};

pub(super) static TABLE: EventsTable = EventsTable {
    subscribe,
    unsubscribe,
    answer,
    emit,
    emit_to,
    request,
    request_async,
    has_listeners,
};

unsafe extern "C" fn subscribe(
    ctx: *const c_void,
    _cause: u64,
    spec: *const SubscriptionSpec,
    data: *mut c_void,
    handle: EventHandle,
    release: Release,
    subscription: *mut u64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the spec for the call.
        let spec = unsafe { object(spec, "spec") }?;
        // SAFETY: and its pattern.
        let made = unsafe { subscription_of(&services.context, spec) }?;
        require(handle.0.is_some(), "handle")?;
        let (held, accepted) = Held::new(data, release);
        let announce = |id| {
            // SAFETY: and `subscription`.
            unsafe { store(subscription, id) };
            accepted.accept();
        };
        let handle = handle_of(handle, held);
        services
            .events
            .subscribe(&services.mailbox, made, announce, handle)
    })
}

/// The subscription that `spec` describes.
///
/// # Safety
/// The pattern must be readable.
unsafe fn subscription_of(
    context: &PluginContext,
    spec: &SubscriptionSpec,
) -> Result<Subscription, ServiceError> {
    let known = SUBSCRIBE_NOT_OWN | SUBSCRIBE_INLINE | SUBSCRIBE_ANSWERS;
    known_flags(spec.flags, known)?;
    // SAFETY: the caller's contract.
    let pattern = unsafe { text(spec.pattern, "pattern") }?;
    let pattern = Pattern::parse(pattern);
    let mode = match spec.mode {
        EVENT_MODE_OBSERVE => Mode::Observe,
        EVENT_MODE_FILTER => Mode::Filter,
        other => {
            return Err(ServiceError::invalid(format!(
                "the mode {other} is neither {EVENT_MODE_OBSERVE} (observe) nor \
                 {EVENT_MODE_FILTER} (filter)"
            )));
        }
    };
    let limits = &context.limits;
    Ok(Subscription {
        pattern: pattern.map_err(|error| ServiceError::invalid(error.to_string()))?,
        mode,
        priority: spec.priority,
        not_own: spec.flags & SUBSCRIBE_NOT_OWN != 0,
        inline: spec.flags & SUBSCRIBE_INLINE != 0,
        answers: spec.flags & SUBSCRIBE_ANSWERS != 0,
        queue_max: match spec.queue_max {
            0 => limits.events_queued_max,
            wanted => (wanted as usize).min(QUEUE_MAX),
        },
        deadline: milliseconds(spec.deadline_ms),
        demoted: AtomicBool::new(false),
        ended: AtomicBool::new(false),
    })
}

/// Longest queue that a subscription may ask for.
const QUEUE_MAX: usize = 65_536;

/// The closure that calls `handle` with its data.
fn handle_of(handle: EventHandle, held: Held) -> Handle {
    Box::new(move |cause, heard| {
        let Some(handle) = handle.0 else {
            return Ok(());
        };
        let event = event_of(heard);
        // SAFETY: `held` keeps the data until the last call; `event` and all that
        // it names outlive the call.
        hook(|| unsafe { handle(held.data(), cause, &raw const event) })
    })
}

fn event_of(heard: &Heard<'_>) -> exthost_abi::events::Event {
    let event = heard.event;
    let emitter = event.emitter.as_deref();
    exthost_abi::events::Event {
        subscription: heard.subscription,
        name: Str::new(&event.name),
        content_type: Str::new(&event.content_type),
        payload: Bytes::new(&event.payload),
        emitter: emitter.map_or(Str::EMPTY, |plugin| Str::new(plugin.name.as_str())),
        emitted_at_ms: event.emitted_at_ms,
        lost: heard.lost,
    }
}

unsafe extern "C" fn unsubscribe(ctx: *const c_void, _cause: u64, subscription: u64) -> Status {
    enter(ctx, |services| {
        services.events.unsubscribe(&services.mailbox, subscription)
    })
}

unsafe extern "C" fn answer(ctx: *const c_void, event: u64, verdict: *const Verdict) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the verdict for the call.
        let verdict = unsafe { object(verdict, "verdict") }?;
        // SAFETY: and what it names.
        let verdict = unsafe { verdict_of(verdict) }?;
        let delivery = services.causes.delivery(&services.context, event)?;
        delivery.answer(verdict)
    })
}

/// What a handler answers, copied: a verdict or its failure.
///
/// # Safety
/// Payload and reason must be readable.
unsafe fn verdict_of(
    verdict: &Verdict,
) -> Result<Result<events::Verdict, ServiceError>, ServiceError> {
    known_flags(verdict.reserved, 0)?;
    Ok(Ok(match verdict.kind {
        VERDICT_PASS => events::Verdict::Pass,
        VERDICT_REPLACE => {
            // SAFETY: the caller's contract.
            events::Verdict::Replace(unsafe { bytes(verdict.payload) }?.into())
        }
        VERDICT_VETO => {
            // SAFETY: the caller's contract.
            events::Verdict::Veto(unsafe { text(verdict.reason, "reason") }?.to_owned())
        }
        VERDICT_FAIL => {
            // SAFETY: the caller's contract.
            let reason = unsafe { text(verdict.reason, "reason") }?;
            return Ok(Err(ServiceError::new(Status::INTERNAL, "failed", reason)));
        }
        other => {
            return Err(ServiceError::invalid(format!(
                "no verdict has the kind {other}"
            )));
        }
    }))
}

unsafe extern "C" fn emit(ctx: *const c_void, cause: u64, message: *const Message) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the message for the call.
        let message = unsafe { message_of(message) }?;
        services.events.emit(services.emitter(cause), &message)
    })
}

unsafe extern "C" fn emit_to(
    ctx: *const c_void,
    cause: u64,
    plugin: Str,
    message: *const Message,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the name for the call.
        let plugin = unsafe { text(plugin, "plugin") }?;
        // SAFETY: and the message.
        let message = unsafe { message_of(message) }?;
        let by = services.emitter(cause);
        services.events.emit_to(by, plugin, &message).map(drop)
    })
}

unsafe extern "C" fn has_listeners(
    ctx: *const c_void,
    _cause: u64,
    name: Str,
    listeners: *mut u32,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the name for the call.
        let name = unsafe { text(name, "name") }?;
        let plugin = Some(&services.context.name);
        let heard = services.events.has_listeners(plugin, name)?;
        // SAFETY: and `listeners`.
        unsafe { store(listeners, u32::from(heard)) };
        Ok(())
    })
}

/// A message, borrowed.
///
/// # Safety
/// If the pointer is not null, the message and what it names must be readable and
/// unchanged for `'a`.
unsafe fn message_of<'a>(message: *const Message) -> Result<events::Message<'a>, ServiceError> {
    // SAFETY: the caller's contract.
    let message = unsafe { object(message, "message") }?;
    known_flags(message.flags | message.reserved, 0)?;
    Ok(events::Message {
        // SAFETY: the caller's contract.
        name: unsafe { text(message.name, "name") }?,
        // SAFETY: the caller's contract.
        content_type: unsafe { text(message.content_type, "content_type") }?,
        // SAFETY: the caller's contract.
        payload: unsafe { bytes(message.payload) }?,
    })
}

/// A payload, borrowed.
///
/// # Safety
/// It must be readable and unchanged for `'a`.
unsafe fn bytes<'a>(payload: Bytes) -> Result<&'a [u8], ServiceError> {
    // SAFETY: the caller's contract.
    let payload = unsafe { payload.as_slice() };
    payload.map_err(|_| ServiceError::invalid("the payload is not bytes: null, or too long"))
}

/// A time, of which 0 is none.
fn milliseconds(ms: u64) -> Option<Duration> {
    const DAY_MS: u64 = 24 * 3600 * 1000;
    (ms != 0).then(|| Duration::from_millis(ms.min(DAY_MS)))
}
