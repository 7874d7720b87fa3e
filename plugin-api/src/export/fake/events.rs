//! The slots of `events/1`: what is subscribed is called when a test delivers an
//! event, and what filters decide is scripted.

use std::ffi::c_void;

use abi::data::Release;
use abi::events::{
    Event, EventDone, EventHandle, EventRequest, EventResult, EventsTable, Message,
    SubscriptionSpec, VERDICT_PASS, VERDICT_REPLACE, VERDICT_VETO, Verdict,
};
use abi::{Bytes, Status, Str};
use exthost_abi as abi;

use super::db::{Data, Refusal, described};
use super::{Fake, fake, text};

/// The id of every delivery that [`Fake::deliver`] makes.
pub(crate) const DELIVERY: u64 = 88;

/// A subscription: pattern and what the host calls.
pub(super) struct Subscribed {
    id: u64,
    pattern: String,
    data: *mut c_void,
    handle: EventHandle,
    release: Release,
}

/// Who emits, and what filters elsewhere decide of a request.
#[derive(Default)]
pub(crate) struct Script {
    /// A plugin, or nothing for the host.
    pub(crate) emitter: &'static str,
    /// Who vetoes, and why.
    pub(crate) veto: Option<(&'static str, &'static str)>,
    /// What they leave of the payload, if not what it was.
    pub(crate) payload: Option<&'static str>,
    /// Makes an answer come too late.
    pub(crate) answered: bool,
}

pub(super) static EVENTS: EventsTable = EventsTable {
    subscribe,
    unsubscribe,
    answer,
    emit,
    emit_to,
    request,
    request_async,
    has_listeners,
};

impl Fake {
    /// Calls the subscription to `pattern` with an event that was emitted at 5 ms,
    /// two events having been lost.
    pub(crate) fn deliver(&self, pattern: &str, content_type: &str, payload: &[u8]) -> Status {
        let emitter = Str::new(self.state().events.emitter);
        let event = |subscription| Event {
            subscription,
            name: Str::new("note.created"),
            content_type: Str::new(content_type),
            payload: Bytes::new(payload),
            emitter,
            emitted_at_ms: 5,
            lost: 2,
        };
        let (event, data, handle) = {
            let state = self.state();
            let mut all = state.subscriptions.iter();
            let found = all.find(|other| other.pattern == pattern).unwrap();
            (event(found.id), found.data, found.handle)
        };
        // SAFETY: the plugin subscribed with both, and the event outlives the call.
        unsafe { handle.0.unwrap()(data, DELIVERY, &raw const event) }
    }

    /// The patterns that are subscribed to.
    pub(crate) fn patterns(&self) -> Vec<String> {
        let state = self.state();
        let patterns = state.subscriptions.iter();
        patterns.map(|other| other.pattern.clone()).collect()
    }

    /// Releases every subscription, as a stop does.
    pub(super) fn release_subscriptions(&self) {
        let subscriptions = std::mem::take(&mut self.state().subscriptions);
        for subscribed in subscriptions {
            subscribed.release();
        }
    }
}

impl Subscribed {
    fn release(self) {
        // SAFETY: once, and it is not called again.
        unsafe { self.release.0.unwrap()(self.data) };
    }
}

unsafe extern "C" fn subscribe(
    ctx: *const c_void,
    _cause: u64,
    spec: *const SubscriptionSpec,
    data: *mut c_void,
    handle: EventHandle,
    release: Release,
    subscription: *mut u64,
) -> Status {
    // SAFETY: borrowed for the call.
    let spec = unsafe { &*spec };
    let pattern = text(spec.pattern);
    let answer = fake(ctx).asked(format!(
        "subscribe {pattern} mode {} priority {} flags {} queue {} deadline {}",
        spec.mode, spec.priority, spec.flags, spec.queue_max, spec.deadline_ms
    ));
    if answer.is_ok() {
        let mut state = fake(ctx).state();
        let id = state.id();
        state.subscriptions.push(Subscribed {
            id,
            pattern,
            data,
            handle,
            release,
        });
        // SAFETY: writable, by the slot's contract.
        unsafe { subscription.write(id) };
    }
    fake(ctx).answer(answer)
}

unsafe extern "C" fn unsubscribe(ctx: *const c_void, _cause: u64, subscription: u64) -> Status {
    let ended = {
        let mut state = fake(ctx).state();
        let mut all = state.subscriptions.iter();
        let at = all.position(|other| other.id == subscription);
        at.map(|at| state.subscriptions.remove(at))
    };
    match ended {
        Some(subscribed) => {
            subscribed.release();
            Status::OK
        }
        None => Status::GONE,
    }
}

unsafe extern "C" fn answer(ctx: *const c_void, event: u64, verdict: *const Verdict) -> Status {
    // SAFETY: borrowed for the call.
    let verdict = unsafe { &*verdict };
    if fake(ctx).state().events.answered {
        return Status::GONE;
    }
    let decided = match verdict.kind {
        VERDICT_PASS => "pass".to_owned(),
        VERDICT_REPLACE => format!("replace {}", bytes(verdict.payload)),
        VERDICT_VETO => format!("veto {}", text(verdict.reason)),
        _ => format!("fail {}", text(verdict.reason)),
    };
    let answer = fake(ctx).asked(format!("answer {event}: {decided}"));
    fake(ctx).answer(answer)
}

unsafe extern "C" fn emit(ctx: *const c_void, cause: u64, message: *const Message) -> Status {
    let what = format!("emit cause {cause} {}", words(message));
    fake(ctx).answer(fake(ctx).asked(what))
}

unsafe extern "C" fn emit_to(
    ctx: *const c_void,
    cause: u64,
    plugin: Str,
    message: *const Message,
) -> Status {
    let what = format!("emit cause {cause} to {} {}", text(plugin), words(message));
    fake(ctx).answer(fake(ctx).asked(what))
}

unsafe extern "C" fn request(
    ctx: *const c_void,
    cause: u64,
    request: *const EventRequest,
    data: *mut c_void,
    done: EventDone,
) -> Status {
    // SAFETY: borrowed for the call.
    let request = unsafe { &*request };
    let answer = fake(ctx).asked(asked_for(cause, request));
    if answer.is_err() {
        return fake(ctx).answer(answer);
    }
    let veto = fake(ctx).state().events.veto;
    settle(fake(ctx), bytes(request.message.payload), |result| {
        // SAFETY: once, before this returns.
        unsafe { done.0.unwrap()(data, status(veto), std::ptr::null(), result) };
    });
    status(veto)
}

unsafe extern "C" fn request_async(
    ctx: *const c_void,
    cause: u64,
    request: *const EventRequest,
    data: *mut c_void,
    done: EventDone,
    op: *mut u64,
) -> Status {
    // SAFETY: borrowed for the call.
    let request = unsafe { &*request };
    let (fake, data) = (fake(ctx), Data(data));
    let (what, payload) = (asked_for(cause, request), bytes(request.message.payload));
    let end = move |go: Result<(), Refusal>| {
        let answer = go.and_then(|()| fake.asked(what));
        if answer.is_err() {
            return described(answer, |status, error| {
                // SAFETY: once.
                unsafe { done.0.unwrap()(data.pointer(), status, error, std::ptr::null()) };
            });
        }
        let status = status(fake.state().events.veto);
        settle(fake, payload, |result| {
            // SAFETY: once.
            unsafe { done.0.unwrap()(data.pointer(), status, std::ptr::null(), result) };
        });
    };
    fake.later(op, Box::new(end))
}

unsafe extern "C" fn has_listeners(
    ctx: *const c_void,
    _cause: u64,
    name: Str,
    listeners: *mut u32,
) -> Status {
    let answer = fake(ctx).asked(format!("listeners {}", text(name)));
    if answer.is_ok() {
        let heard = !fake(ctx).state().subscriptions.is_empty();
        // SAFETY: writable, by the slot's contract.
        unsafe { listeners.write(u32::from(heard)) };
    }
    fake(ctx).answer(answer)
}

/// Calls `done` with what the filters made of `payload`.
fn settle(fake: &Fake, payload: String, done: impl FnOnce(*const EventResult)) {
    let (veto, left) = {
        let state = fake.state();
        (state.events.veto, state.events.payload)
    };
    let (by, reason) = veto.unwrap_or_default();
    let result = EventResult {
        payload: Bytes::new(left.unwrap_or(&payload).as_bytes()),
        content_type: Str::new("application/json"),
        vetoed_by: Str::new(by),
        reason: Str::new(reason),
    };
    done(&raw const result);
}

fn status(veto: Option<(&str, &str)>) -> Status {
    veto.map_or(Status::OK, |_| Status::VETOED)
}

fn asked_for(cause: u64, request: &EventRequest) -> String {
    format!(
        "request cause {cause} policy {} deadline {} {}",
        request.policy,
        request.deadline_ms,
        words(&raw const request.message)
    )
}

/// Name, media type and payload in words.
fn words(message: *const Message) -> String {
    // SAFETY: borrowed for the call.
    let message = unsafe { &*message };
    let (name, content_type) = (text(message.name), text(message.content_type));
    format!("{name} {content_type}: {}", bytes(message.payload))
}

fn bytes(bytes: Bytes) -> String {
    // SAFETY: borrowed by the plugin for this call.
    String::from_utf8_lossy(unsafe { bytes.as_slice() }.unwrap()).into_owned()
}
