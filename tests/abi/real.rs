//! What rustc itself knows and no layout tells: where each field lies, and what
//! each constant is.

use std::mem::offset_of;

use exthost_abi::audit::{AuditRecord, AuditTable};
use exthost_abi::broadcast::{BroadcastTable, Publication};
use exthost_abi::cache::CacheTable;
use exthost_abi::config::ConfigTable;
use exthost_abi::data::{Buffer, Bytes, Error, Status, Str, Value, Version};
use exthost_abi::db::{DbTable, Migration, Param, Query, Row, RunResult, TxSpec};
use exthost_abi::door::{PluginTable, Services};
use exthost_abi::events::{
    Event, EventRequest, EventResult, EventsTable, Message, SubscriptionSpec, Verdict,
};
use exthost_abi::kv::{KvEntry, KvQuery, KvTable, KvWrite};
use exthost_abi::log::{Field, LogTable};
use exthost_abi::routes::{Actor, Header, PathParam, Request, Response, RouteSpec, RoutesTable};
use exthost_abi::tasks::{TasksTable, TimerSpec};
use exthost_abi::webhooks::{Webhook, WebhooksTable};

/// A constant that crosses.
pub(super) trait Literal {
    /// Its type in normal form.
    fn ty(&self) -> &'static str;
    /// Its value.
    fn text(&self) -> String;
}

impl Literal for u32 {
    fn ty(&self) -> &'static str {
        "u32"
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Literal for &'static str {
    fn ty(&self) -> &'static str {
        "&str"
    }

    fn text(&self) -> String {
        (*self).to_owned()
    }
}

impl Literal for Status {
    fn ty(&self) -> &'static str {
        "i32"
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}

/// Fields of a struct, each with its offset.
type Fields = &'static [(&'static str, usize)];

/// Constants of a module or of a code, each with its value.
type Constants = &'static [(&'static str, &'static dyn Literal)];

macro_rules! fields {
    ($($ty:ident { $($field:ident),* $(,)? })*) => {
        &[$((stringify!($ty), &[$((stringify!($field), offset_of!($ty, $field))),*])),*]
    };
}

macro_rules! constants {
    ($($module:ident { $($name:ident),* $(,)? })*) => {
        &[$((stringify!($module), &[$((stringify!($name), &exthost_abi::$module::$name)),*])),*]
    };
}

macro_rules! codes {
    ($($ty:ident { $($name:ident),* $(,)? })*) => {
        &[$((stringify!($ty), &[$((stringify!($name), &$ty::$name)),*])),*]
    };
}

/// The constants of each module.
pub(super) const CONSTANTS: &[(&str, Constants)] = constants! {
    data {
        VALUE_NULL, VALUE_INTEGER, VALUE_REAL, VALUE_TEXT, VALUE_BLOB,
    }
    door {
        ABI, DOOR_SYMBOL,
    }
    log {
        ID, LEVEL_ERROR, LEVEL_WARN, LEVEL_INFO, LEVEL_DEBUG, LEVEL_TRACE,
    }
    config {
        ID,
    }
    routes {
        ID, ROUTE_PUBLIC, ROUTE_INLINE, ROUTE_STREAM_BODY, CANCELLED_NOT_BY_DRAIN,
        ACTOR_ANONYMOUS, ACTOR_USER, ACTOR_TOKEN, ACTOR_PLUGIN,
    }
    tasks {
        ID, POLL_PENDING, POLL_READY, TASK_ENDS_WITH_CAUSE, TIMER_INLINE,
    }
    events {
        ID, EVENT_MODE_OBSERVE, EVENT_MODE_FILTER, SUBSCRIBE_NOT_OWN, SUBSCRIBE_INLINE,
        SUBSCRIBE_ANSWERS, POLICY_FAIL_OPEN, POLICY_FAIL_CLOSED, VERDICT_PASS,
        VERDICT_REPLACE, VERDICT_VETO, VERDICT_FAIL,
    }
    db {
        ID, DB_ON_AUTO, DB_ON_READER, DB_ON_WRITER, DB_ON_READER_THEN_WRITER,
        DIALECT_SQLITE, DB_ROW_NEXT, DB_ROW_STOP,
    }
    broadcast {
        ID,
    }
    webhooks {
        ID,
    }
    kv {
        ID, KV_ALWAYS, KV_IF_ABSENT, KV_IF_PRESENT, KV_IF_EQUAL, KV_DELETE, KV_KEEP_TTL,
        KV_KEYS_ONLY,
    }
    cache {
        ID,
    }
    audit {
        ID,
    }
};

/// The constants of each code.
pub(super) const CODES: &[(&str, Constants)] = codes! {
    Status {
        OK, INVALID, DENIED, STOPPED, NOT_FOUND, CONFLICT, TOO_LARGE, BUSY, TIMEOUT,
        CANCELLED, GONE, NOT_YET, INTERNAL, PANICKED, MISPLACED, END, VETOED, FULL, CORRUPT,
    }
};

/// The fields of each struct.
pub(super) const FIELDS: &[(&str, Fields)] = fields! {
    Str { ptr, len }
    Bytes { ptr, len }
    Buffer { ptr, len, owner, release }
    Error { status, reserved, code, message, detail }
    Version { major, minor, patch }
    Value { kind, reserved, integer, real, data }
    PluginTable { abi, flags, init, start, stop, destroy, extension }
    Services { abi, flags, ctx, api, reserved, service, fail, last_error }
    Field { name, value }
    LogTable { write, enabled }
    ConfigTable { declare, read }
    RouteSpec {
        method, pattern, flags, reserved, scopes, scopes_len, body_bytes_max, deadline_ms,
        idle_timeout_ms,
    }
    Header { name, value }
    PathParam { name, value }
    Actor { kind, reserved, id, name, scopes, scopes_len, on_behalf_of }
    Request {
        route, method, path, query, mount, params, params_len, headers, headers_len, body,
        peer, request_id, actor, deadline_ms,
    }
    Response { status, flags, headers, headers_len, body }
    RoutesTable {
        add, respond, respond_error, respond_start, respond_chunk, respond_chunk_try,
        respond_chunk_async, respond_end, respond_abort, body_next, body_next_async,
        cancelled, cancelled_async,
    }
    TimerSpec { delay_ms, period_ms, flags, reserved, name }
    TasksTable { spawn, wake, timer, blocking, cancel, remaining }
    Message { name, content_type, payload, flags, reserved }
    SubscriptionSpec { pattern, mode, priority, flags, queue_max, deadline_ms }
    Event { subscription, name, content_type, payload, emitter, emitted_at_ms, lost }
    Verdict { kind, reserved, payload, reason }
    EventRequest { message, policy, reserved, deadline_ms }
    EventResult { payload, content_type, vetoed_by, reason }
    EventsTable {
        subscribe, unsubscribe, answer, emit, emit_to, request, request_async,
        has_listeners,
    }
    Param { name, value }
    Query { statement, sql, tx, params, params_len, on, flags, deadline_ms }
    Row { names, values, len }
    RunResult { changes, last_insert_rowid }
    TxSpec { parent, flags, reserved, deadline_ms }
    Migration { version, sql }
    DbTable {
        migrate, migrate_async, prepare, prepare_async, close, exec, exec_async, run,
        run_async, rows, rows_async, batch, batch_async, begin, begin_async, commit,
        commit_async, rollback, rollback_async, dialect,
    }
    Publication { channel, event, payload, flags, reserved }
    BroadcastTable { publish, subscriber_count }
    Webhook { tx, event_type, content_type, payload, flags, reserved }
    WebhooksTable { fire, fire_async }
    KvEntry { key, value, ttl_ms }
    KvWrite { key, value, expected, ttl_ms, when, flags }
    KvQuery { prefix, after, limit, flags }
    KvTable {
        get, get_async, write, write_async, add, add_async, expire, expire_async, list,
        list_async, flush, flush_async,
    }
    CacheTable { get, write, add, expire, flush }
    AuditRecord { tx, action, target_kind, target_id, detail, flags, reserved }
    AuditTable { record, record_async }
};
