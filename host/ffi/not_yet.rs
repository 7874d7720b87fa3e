//! `events/1` and `broadcast/1` as long as nothing stands behind them: every slot answers `not-yet`, so a plugin that can do without
//! them loads and says so.

use std::ffi::c_void;

use exthost_abi::broadcast::{BroadcastTable, Publication};
use exthost_abi::data::Release;
use exthost_abi::events::{
    EventDone, EventHandle, EventRequest, EventsTable, Message, SubscriptionSpec, Verdict,
};
use exthost_abi::{Status, Str};

use crate::ffi::enter;
use crate::services::error::ServiceError;

pub(super) static BROADCAST: BroadcastTable = BroadcastTable {
    publish: broadcast_publish,
    subscriber_count: broadcast_subscriber_count,
};

pub(super) static EVENTS: EventsTable = EventsTable {
    subscribe: events_subscribe,
    unsubscribe: events_unsubscribe,
    answer: events_answer,
    emit: events_emit,
    emit_to: events_emit_to,
    request: events_request,
    request_async: events_request_async,
    has_listeners: events_has_listeners,
};

fn not_yet(ctx: *const c_void) -> Status {
    enter(ctx, |_| {
        Err(ServiceError::new(
            Status::NOT_YET,
            "not-yet",
            "this host has the table, but not yet what stands behind it",
        ))
    })
}

/// Writes one function a slot, which differ in their signatures alone.
macro_rules! not_yet {
    ($(fn $name:ident($ctx:ident: $ctx_type:ty $(, _: $type:ty)* $(,)?);)*) => {
        $(unsafe extern "C" fn $name($ctx: $ctx_type $(, _: $type)*) -> Status {
            not_yet($ctx)
        })*
    };
}

not_yet! {
    fn broadcast_publish(ctx: *const c_void, _: u64, _: *const Publication, _: *mut u64);
    fn broadcast_subscriber_count(ctx: *const c_void, _: u64, _: Str, _: *mut u64);
    fn events_subscribe(ctx: *const c_void, _: u64, _: *const SubscriptionSpec, _: *mut c_void, _: EventHandle, _: Release, _: *mut u64);
    fn events_unsubscribe(ctx: *const c_void, _: u64, _: u64);
    fn events_answer(ctx: *const c_void, _: u64, _: *const Verdict);
    fn events_emit(ctx: *const c_void, _: u64, _: *const Message);
    fn events_emit_to(ctx: *const c_void, _: u64, _: Str, _: *const Message);
    fn events_request(ctx: *const c_void, _: u64, _: *const EventRequest, _: *mut c_void, _: EventDone);
    fn events_request_async(ctx: *const c_void, _: u64, _: *const EventRequest, _: *mut c_void, _: EventDone, _: *mut u64);
    fn events_has_listeners(ctx: *const c_void, _: u64, _: Str, _: *mut u32);
}
