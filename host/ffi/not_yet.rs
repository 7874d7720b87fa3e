//! `events/1`, `db/1`, `broadcast/1` and `webhooks/1` as long as nothing stands
//! behind them: every slot answers `not-yet`, so a plugin that can do without
//! them loads and says so.

use std::ffi::c_void;

use exthost_abi::broadcast::{BroadcastTable, Publication};
use exthost_abi::data::{Done, Release};
use exthost_abi::db::{
    DbTable, IdDone, Migration, OnResult, OnRow, Query, RunDone, RunResult, TxSpec,
};
use exthost_abi::events::{
    EventDone, EventHandle, EventRequest, EventsTable, Message, SubscriptionSpec, Verdict,
};
use exthost_abi::webhooks::{FireDone, Webhook, WebhooksTable};
use exthost_abi::{Status, Str};

use crate::ffi::enter;
use crate::services::error::ServiceError;

pub(super) static BROADCAST: BroadcastTable = BroadcastTable {
    publish: broadcast_publish,
    subscriber_count: broadcast_subscriber_count,
};

pub(super) static DB: DbTable = DbTable {
    migrate: db_migrate,
    migrate_async: db_migrate_async,
    prepare: db_prepare,
    prepare_async: db_prepare_async,
    close: db_close,
    exec: db_exec,
    exec_async: db_exec_async,
    run: db_run,
    run_async: db_run_async,
    rows: db_rows,
    rows_async: db_rows_async,
    batch: db_batch,
    batch_async: db_batch_async,
    begin: db_begin,
    begin_async: db_begin_async,
    commit: db_commit,
    commit_async: db_commit_async,
    rollback: db_rollback,
    rollback_async: db_rollback_async,
    dialect: db_dialect,
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

pub(super) static WEBHOOKS: WebhooksTable = WebhooksTable {
    fire: webhooks_fire,
    fire_async: webhooks_fire_async,
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
    fn db_migrate(ctx: *const c_void, _: u64, _: *const Migration, _: usize, _: *mut u64);
    fn db_migrate_async(ctx: *const c_void, _: u64, _: *const Migration, _: usize, _: *mut c_void, _: Done, _: *mut u64);
    fn db_prepare(ctx: *const c_void, _: u64, _: Str, _: *mut u64);
    fn db_prepare_async(ctx: *const c_void, _: u64, _: Str, _: *mut c_void, _: IdDone, _: *mut u64);
    fn db_close(ctx: *const c_void, _: u64, _: u64);
    fn db_exec(ctx: *const c_void, _: u64, _: u64, _: Str);
    fn db_exec_async(ctx: *const c_void, _: u64, _: u64, _: Str, _: *mut c_void, _: Done, _: *mut u64);
    fn db_run(ctx: *const c_void, _: u64, _: *const Query, _: *mut RunResult);
    fn db_run_async(ctx: *const c_void, _: u64, _: *const Query, _: *mut c_void, _: RunDone, _: *mut u64);
    fn db_rows(ctx: *const c_void, _: u64, _: *const Query, _: *mut c_void, _: OnRow, _: *mut RunResult);
    fn db_rows_async(ctx: *const c_void, _: u64, _: *const Query, _: *mut c_void, _: OnRow, _: RunDone, _: *mut u64);
    fn db_batch(ctx: *const c_void, _: u64, _: *const Query, _: usize, _: *mut c_void, _: OnResult);
    fn db_batch_async(ctx: *const c_void, _: u64, _: *const Query, _: usize, _: *mut c_void, _: OnResult, _: Done, _: *mut u64);
    fn db_begin(ctx: *const c_void, _: u64, _: *const TxSpec, _: *mut u64);
    fn db_begin_async(ctx: *const c_void, _: u64, _: *const TxSpec, _: *mut c_void, _: IdDone, _: *mut u64);
    fn db_commit(ctx: *const c_void, _: u64, _: u64);
    fn db_commit_async(ctx: *const c_void, _: u64, _: u64, _: *mut c_void, _: Done, _: *mut u64);
    fn db_rollback(ctx: *const c_void, _: u64, _: u64);
    fn db_rollback_async(ctx: *const c_void, _: u64, _: u64, _: *mut c_void, _: Done, _: *mut u64);
    fn db_dialect(ctx: *const c_void, _: u64, _: *mut u32);
    fn events_subscribe(ctx: *const c_void, _: u64, _: *const SubscriptionSpec, _: *mut c_void, _: EventHandle, _: Release, _: *mut u64);
    fn events_unsubscribe(ctx: *const c_void, _: u64, _: u64);
    fn events_answer(ctx: *const c_void, _: u64, _: *const Verdict);
    fn events_emit(ctx: *const c_void, _: u64, _: *const Message);
    fn events_emit_to(ctx: *const c_void, _: u64, _: Str, _: *const Message);
    fn events_request(ctx: *const c_void, _: u64, _: *const EventRequest, _: *mut c_void, _: EventDone);
    fn events_request_async(ctx: *const c_void, _: u64, _: *const EventRequest, _: *mut c_void, _: EventDone, _: *mut u64);
    fn events_has_listeners(ctx: *const c_void, _: u64, _: Str, _: *mut u32);
    fn webhooks_fire(ctx: *const c_void, _: u64, _: *const Webhook, _: *mut c_void, _: FireDone);
    fn webhooks_fire_async(ctx: *const c_void, _: u64, _: *const Webhook, _: *mut c_void, _: FireDone, _: *mut u64);
}
