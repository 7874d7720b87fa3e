//! `events/1`: publish and subscribe between plugins and the host, with filters
//! that may change or veto.

use std::ffi::c_void;

use abi_stable::StableAbi;

use crate::data::{Bytes, Error, Release, Status, Str};

/// The id of the table.
pub const ID: &str = "events";

/// [`SubscriptionSpec::mode`]: told after the fact, through a queue, in order.
pub const EVENT_MODE_OBSERVE: u32 = 0;
/// [`SubscriptionSpec::mode`]: asked in turn; may replace the payload or veto.
pub const EVENT_MODE_FILTER: u32 = 1;

/// [`SubscriptionSpec::flags`]: does not hear what this plugin emits.
pub const SUBSCRIBE_NOT_OWN: u32 = 1;
/// [`SubscriptionSpec::flags`]: the handler is called on the host's runtime and
/// must return within microseconds without blocking.
pub const SUBSCRIBE_INLINE: u32 = 2;
/// [`SubscriptionSpec::flags`]: a delivery lasts until `answer`, an observer's
/// too, and the next one waits for it; so that a handler may go on later.
pub const SUBSCRIBE_ANSWERS: u32 = 4;

/// [`EventRequest::policy`]: a filter that fails is passed over.
pub const POLICY_FAIL_OPEN: u32 = 1;
/// [`EventRequest::policy`]: a filter that fails vetoes.
pub const POLICY_FAIL_CLOSED: u32 = 2;

/// [`Verdict::kind`]: let it pass as it is.
pub const VERDICT_PASS: u32 = 0;
/// [`Verdict::kind`]: go on with the payload given.
pub const VERDICT_REPLACE: u32 = 1;
/// [`Verdict::kind`]: refuse, with a reason.
pub const VERDICT_VETO: u32 = 2;
/// [`Verdict::kind`]: the handler has failed, as by a status other than `OK`.
pub const VERDICT_FAIL: u32 = 3;

/// An event to be sent. Borrowed for the call, copied by the host.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Message {
    /// Tokens `[A-Za-z0-9_-]+` joined by dots.
    pub name: Str,
    /// Media type of the payload; empty for `application/json`.
    pub content_type: Str,
    /// The payload, at most 1 MiB.
    pub payload: Bytes,
    /// 0. No bit is defined; the plugin may grow it.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
}

/// What a subscription hears, and how.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct SubscriptionSpec {
    /// A name, in which `*` stands for one token and a last `>` for the rest.
    pub pattern: Str,
    /// One of the `EVENT_MODE_` constants.
    pub mode: u32,
    /// Lower is called first; ties by plugin name, then registration.
    pub priority: i32,
    /// `SUBSCRIBE_` bits. The plugin may grow it.
    pub flags: u32,
    /// Events that may wait for an observer, 65,536 at most; 0 for the default of
    /// 1,024.
    pub queue_max: u32,
    /// Time for a filter, or an observer that answers, to do so, a day at most; 0
    /// for the request's own deadline, and for an observer for the default of 5 s.
    pub deadline_ms: u64,
}

/// An event as a handler sees it. Borrowed for the call.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Event {
    /// The subscription that heard it.
    pub subscription: u64,
    /// Its name, after the operator's aliases.
    pub name: Str,
    /// Media type of the payload.
    pub content_type: Str,
    /// The payload; for a filter, as the filters before it left it.
    pub payload: Bytes,
    /// The plugin that emitted it; empty for the host.
    pub emitter: Str,
    /// When it was emitted, milliseconds since the Unix epoch.
    pub emitted_at_ms: u64,
    /// Events that this subscription has lost to a full queue since the last.
    pub lost: u64,
}

/// `[serving]` Handles an event; `cause` is the id of this delivery.
///
/// A filter answers `cause` with `answer`, at once or later, from any thread,
/// once. A status other than `OK`, [`VERDICT_FAIL`], and no answer by the deadline
/// is a failed filter, whose meaning the emitter's policy decides.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct EventHandle(
    pub Option<unsafe extern "C" fn(data: *mut c_void, cause: u64, event: *const Event) -> Status>,
);

/// What a filter decides. Borrowed for the call, copied by the host.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Verdict {
    /// One of the `VERDICT_` constants.
    pub kind: u32,
    /// 0.
    pub reserved: u32,
    /// The new payload of [`VERDICT_REPLACE`], of the event's content type.
    pub payload: Bytes,
    /// The reason of [`VERDICT_VETO`], for people; that of [`VERDICT_FAIL`], for
    /// the log. What is beyond 4 KiB is cut off.
    pub reason: Str,
}

/// An event whose filters are waited for. Borrowed for the call.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct EventRequest {
    /// The event.
    pub message: Message,
    /// One of the `POLICY_` constants; there is no default.
    pub policy: u32,
    /// 0.
    pub reserved: u32,
    /// Time for all filters, 5 minutes at most; 0 for the host's default of 5 s.
    pub deadline_ms: u64,
}

/// The result of an [`EventRequest`]. Borrowed for the call.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct EventResult {
    /// The payload as the filters left it.
    pub payload: Bytes,
    /// Media type of the payload.
    pub content_type: Str,
    /// The plugin that vetoed, or empty.
    pub vetoed_by: Str,
    /// Its reason, or empty.
    pub reason: Str,
}

/// Receives the result of a request, with the contract of `Done`.
///
/// `result` is null unless `status` is `OK` or `VETOED`.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct EventDone(
    pub  Option<
        unsafe extern "C" fn(
            data: *mut c_void,
            status: Status,
            error: *const Error,
            result: *const EventResult,
        ),
    >,
);

/// The table `events/1`.
///
/// Since: API 1.0.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct EventsTable {
    /// `[any-thread]` Subscribes; one made in `init` becomes active when the
    /// plugin serves. `data` belongs to the host until it calls `release`, which
    /// it does once `handle` will not be called again: after `unsubscribe`, or
    /// before `destroy`. The subscription's id is stored in `subscription`.
    ///
    /// Errors: `INVALID` for a bad pattern, mode or flag; `BUSY` at the plugin's
    /// limit of subscriptions.
    /// Since: API 1.0.
    pub subscribe: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        spec: *const SubscriptionSpec,
        data: *mut c_void,
        handle: EventHandle,
        release: Release,
        subscription: *mut u64,
    ) -> Status,

    /// `[any-thread]` Ends a subscription; what is queued for it is dropped. A
    /// delivery that has begun may still be running when this returns.
    ///
    /// Errors: `GONE`.
    /// Since: API 1.0.
    pub unsubscribe:
        unsafe extern "C" fn(ctx: *const c_void, cause: u64, subscription: u64) -> Status,

    /// `[any-thread]` Ends the delivery `event` with a verdict; an observer's can
    /// only be [`VERDICT_PASS`] or [`VERDICT_FAIL`].
    ///
    /// Errors: `GONE` when it was answered or its deadline has passed;
    /// `INVALID`; `MISPLACED` for an observer without [`SUBSCRIBE_ANSWERS`].
    /// Since: API 1.0.
    pub answer:
        unsafe extern "C" fn(ctx: *const c_void, event: u64, verdict: *const Verdict) -> Status,

    /// `[any-thread]` Emits an event; returns once it is queued for every
    /// observer that has room.
    ///
    /// Errors: `INVALID`, `TOO_LARGE`; `DENIED` for `core.*`; `BUSY` beyond the
    /// depth of 8 events that cause each other.
    /// Since: API 1.0.
    pub emit:
        unsafe extern "C" fn(ctx: *const c_void, cause: u64, message: *const Message) -> Status,

    /// `[any-thread]` Emits an event to one plugin, which hears it exactly once,
    /// as soon as it serves.
    ///
    /// Errors: `NOT_FOUND` for an unknown plugin, `BUSY` when its queue is full;
    /// else as `emit`.
    /// Since: API 1.0.
    pub emit_to: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        plugin: Str,
        message: *const Message,
    ) -> Status,

    /// `[any-thread]`, not in an inline route or a poll. Runs the filters, tells
    /// the observers, and calls `done` once before it returns.
    ///
    /// A filter that fails, or has not answered by the deadline, is what the policy
    /// says.
    ///
    /// Errors: `VETOED`; `BUSY` at capacity or beyond the depth; `MISPLACED`; else
    /// as `emit`. `done` is called for `OK` and `VETOED` only.
    /// Since: API 1.0.
    pub request: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        request: *const EventRequest,
        data: *mut c_void,
        done: EventDone,
    ) -> Status,

    /// `[any-thread]` The completing form of `request`.
    ///
    /// Errors: as `request`, but for `MISPLACED`; by the call or by `done`.
    /// Since: API 1.0.
    pub request_async: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        request: *const EventRequest,
        data: *mut c_void,
        done: EventDone,
        op: *mut u64,
    ) -> Status,

    /// `[any-thread]` Stores 1 in `listeners` when anybody would hear `name`,
    /// else 0, so that a plugin can skip building the payload.
    ///
    /// Errors: `INVALID`.
    /// Since: API 1.0.
    pub has_listeners: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        name: Str,
        listeners: *mut u32,
    ) -> Status,
}
