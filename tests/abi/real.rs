//! The sizes that rustc gives the real types, beside those worked out by the C
//! rules.

use exthost_abi::broadcast::{BroadcastTable, Publication};
use exthost_abi::config::ConfigTable;
use exthost_abi::data::{
    Buffer, Bytes, Done, Error, OnBytes, Release, Status, Str, Value, Version,
};
use exthost_abi::db::{
    DbTable, IdDone, Migration, OnResult, OnRow, Param, Query, Row, RunDone, RunResult, TxSpec,
};
use exthost_abi::door::{Destroy, Extension, Init, PluginTable, Services, Start, Stop};
use exthost_abi::events::{
    Event, EventDone, EventHandle, EventRequest, EventResult, EventsTable, Message,
    SubscriptionSpec, Verdict,
};
use exthost_abi::log::{Field, LogTable};
use exthost_abi::routes::{
    Actor, BodyDone, Header, PathParam, Request, Response, RouteHandle, RouteSpec, RoutesTable,
};
use exthost_abi::tasks::{Poll, Run, TasksTable, TimerSpec};
use exthost_abi::webhooks::{FireDone, Webhook, WebhooksTable};

/// Makes a row of each type it is given.
macro_rules! real {
    ($($ty:ty),* $(,)?) => {
        &[$((stringify!($ty), size_of::<$ty>(), align_of::<$ty>())),*]
    };
}

/// Name, size and alignment of each type that crosses.
pub(super) const TYPES: &[(&str, usize, usize)] = real![
    Str,
    Bytes,
    Buffer,
    Release,
    Status,
    Error,
    Version,
    Value,
    Done,
    OnBytes,
    PluginTable,
    Init,
    Start,
    Stop,
    Destroy,
    Extension,
    Services,
    Publication,
    Field,
    LogTable,
    ConfigTable,
    RouteSpec,
    Header,
    PathParam,
    Actor,
    Request,
    Response,
    RouteHandle,
    BodyDone,
    RoutesTable,
    Poll,
    Run,
    TimerSpec,
    TasksTable,
    Message,
    SubscriptionSpec,
    Event,
    EventHandle,
    Verdict,
    EventRequest,
    EventResult,
    EventDone,
    EventsTable,
    Param,
    Query,
    Row,
    OnRow,
    RunResult,
    RunDone,
    IdDone,
    OnResult,
    TxSpec,
    Migration,
    DbTable,
    BroadcastTable,
    Webhook,
    FireDone,
    WebhooksTable,
];
