//! `routes/1`: HTTP routes under `/api/ext/<name>/`, requests, responses and
//! streams of both.
//!
//! The host calls [`RouteHandle`] with a request; the plugin answers the
//! request's id, at once or later, from any thread. The answer is a state
//! machine with one end: `respond`, or `respond_start`, any number of
//! `respond_chunk`, then `respond_end` or `respond_abort`. A second answer is
//! `GONE` and counted as a fault; a chunk or an end before the head is
//! `MISPLACED`; a response that is refused is counted as well and leaves the
//! request open. When no head has come by the deadline the host answers 504 and
//! the id is gone.

use std::ffi::c_void;

use abi_stable::StableAbi;

use crate::data::{Buffer, Bytes, Done, Error, Status, Str};

/// The id of the table.
pub const ID: &str = "routes";

/// [`RouteSpec::flags`]: reachable without authentication.
pub const ROUTE_PUBLIC: u32 = 1;
/// [`RouteSpec::flags`]: `handle` is called on the thread that read the
/// request, and must return within microseconds without blocking.
pub const ROUTE_INLINE: u32 = 2;
/// [`RouteSpec::flags`]: the body is not collected; `body_next` reads it.
pub const ROUTE_STREAM_BODY: u32 = 4;

/// `flags` of `cancelled_async`: a drain does not complete it.
pub const CANCELLED_NOT_BY_DRAIN: u32 = 1;

/// What a route answers to, and its limits. Borrowed for the call. Times above a
/// day count as a day.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct RouteSpec {
    /// An HTTP method in capitals, or `*` for all.
    pub method: Str,
    /// The path after the mount, `items/{id}` or `files/{*path}`; a leading
    /// slash is allowed and changes nothing.
    pub pattern: Str,
    /// `ROUTE_` bits. The plugin may grow it; a host refuses bits it does not
    /// know.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
    /// Scopes that the actor must have, all of them.
    pub scopes: *const Str,
    /// Number of `scopes`.
    pub scopes_len: usize,
    /// Largest request body in bytes, streamed or not; 0 for the host's default
    /// of 2 MiB, `u64::MAX` for no limit.
    pub body_bytes_max: u64,
    /// Time to the response head; 0 for the host's default of 30 s.
    pub deadline_ms: u64,
    /// Longest pause in a streamed body, either way; 0 for the default of 30 s.
    pub idle_timeout_ms: u64,
}

/// One header or trailer.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Header {
    /// Name; in requests in lower case.
    pub name: Str,
    /// Value as sent.
    pub value: Bytes,
}

/// One value captured by the pattern.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct PathParam {
    /// Name in the pattern.
    pub name: Str,
    /// Value, percent-decoded once.
    pub value: Str,
}

/// [`Actor::kind`]: nobody was authenticated.
pub const ACTOR_ANONYMOUS: u32 = 0;
/// [`Actor::kind`]: a person.
pub const ACTOR_USER: u32 = 1;
/// [`Actor::kind`]: an application or a token.
pub const ACTOR_TOKEN: u32 = 2;
/// [`Actor::kind`]: another plugin.
pub const ACTOR_PLUGIN: u32 = 3;

/// Who is asking.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Actor {
    /// One of the `ACTOR_` constants; the host may grow them.
    pub kind: u32,
    /// 0.
    pub reserved: u32,
    /// Stable id, empty when anonymous.
    pub id: Str,
    /// Name for people, may be empty.
    pub name: Str,
    /// Scopes the actor has.
    pub scopes: *const Str,
    /// Number of `scopes`.
    pub scopes_len: usize,
    /// On whose behalf the actor asks, or null.
    pub on_behalf_of: *const Actor,
}

/// A request. Everything in it is borrowed for the call of [`RouteHandle`]; a
/// plugin that answers later copies what it needs.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Request {
    /// The id that `add` stored for the route.
    pub route: u64,
    /// HTTP method.
    pub method: Str,
    /// The path after the mount as the client sent it, without a leading slash.
    pub path: Str,
    /// The query as the client sent it, without `?`.
    pub query: Str,
    /// Where the plugin is mounted: `/api/ext/<name>`.
    pub mount: Str,
    /// Values captured by the pattern, in order.
    pub params: *const PathParam,
    /// Number of `params`.
    pub params_len: usize,
    /// Headers in the order received.
    pub headers: *const Header,
    /// Number of `headers`.
    pub headers_len: usize,
    /// The whole body; empty for [`ROUTE_STREAM_BODY`].
    pub body: Bytes,
    /// Address of the client, `ip:port`; empty when unknown.
    pub peer: Str,
    /// The request's id in logs and error bodies.
    pub request_id: Str,
    /// Who is asking; never null.
    pub actor: *const Actor,
    /// Time left until the head must be there.
    pub deadline_ms: u64,
}

/// A response, or its head. Borrowed for the call, but for the body's buffer.
#[repr(C)]
#[derive(Debug, StableAbi)]
pub struct Response {
    /// HTTP status, 200 to 999.
    pub status: u32,
    /// 0. No bit is defined; the plugin may grow it.
    pub flags: u32,
    /// Headers.
    pub headers: *const Header,
    /// Number of `headers`.
    pub headers_len: usize,
    /// The body. The host takes it whatever it answers: with a `release` it is
    /// not copied, without one it is copied before the call returns.
    pub body: Buffer,
}

/// `[serving]` Handles one request; `cause` is the id to answer.
///
/// Returning [`Status::OK`] says that the plugin has answered or will. Any
/// other status is an answer as of `respond_error`, with what was told to
/// `Services.fail`; after a head it is `respond_abort`.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct RouteHandle(
    pub  Option<
        unsafe extern "C" fn(data: *mut c_void, cause: u64, request: *const Request) -> Status,
    >,
);

/// Receives one chunk of a request body, with the contract of `Done`.
///
/// With [`Status::OK`] the plugin takes `chunk` and releases it once;
/// [`Status::END`] says that the body is complete. Otherwise `chunk` is null.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct BodyDone(
    pub  Option<
        unsafe extern "C" fn(
            data: *mut c_void,
            status: Status,
            error: *const Error,
            chunk: *mut Buffer,
        ),
    >,
);

/// The table `routes/1`.
///
/// Since: API 1.0.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct RoutesTable {
    /// `[init]` Adds a route; it becomes active when the plugin serves.
    /// `handle` and `data` stay the plugin's and must be valid until `destroy`.
    /// The route's id is stored in `route`.
    ///
    /// Errors: `CONFLICT` naming both patterns; `INVALID` for a bad method,
    /// pattern or flag; `MISPLACED` outside `init`.
    /// Since: API 1.0.
    pub add: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        spec: *const RouteSpec,
        data: *mut c_void,
        handle: RouteHandle,
        route: *mut u64,
    ) -> Status,

    /// `[any-thread]` Answers `request` with a head and a whole body.
    ///
    /// Errors: `GONE` when it was answered, timed out or the client left;
    /// `INVALID` for a bad status or header, and the request stays open.
    /// Since: API 1.0.
    pub respond:
        unsafe extern "C" fn(ctx: *const c_void, request: u64, response: *const Response) -> Status,

    /// `[any-thread]` Answers `request` with a problem (RFC 9457). The status of
    /// `error` says which: `INVALID` 400, `DENIED` 403, `NOT_FOUND` 404,
    /// `CONFLICT` 409, `TOO_LARGE` 413, `BUSY` and `STOPPED` 503, `TIMEOUT` 504,
    /// `FULL` 507, anything else 500. The client sees code and message, but not
    /// those of a 500, which go to the log alone. Everything is copied.
    ///
    /// Errors: `GONE`; `INVALID` for a status of `OK`.
    /// Since: API 1.0.
    pub respond_error:
        unsafe extern "C" fn(ctx: *const c_void, request: u64, error: *const Error) -> Status,

    /// `[any-thread]` Sends the head and begins a streamed body; a body in
    /// `response` is its first chunk. With a `content-length` among the headers
    /// the body must have that length, else the connection is cut.
    ///
    /// Errors: as `respond`.
    /// Since: API 1.0.
    pub respond_start:
        unsafe extern "C" fn(ctx: *const c_void, request: u64, response: *const Response) -> Status,

    /// `[any-thread]`, not in an inline route or a poll. Sends a chunk, waiting
    /// while the client is slower than the plugin. The host takes `chunk`
    /// whatever it answers, as in [`Response::body`].
    ///
    /// Errors: `GONE` when the client left or the response has ended; `TIMEOUT`
    /// after the idle timeout, which ends it; `MISPLACED`.
    /// Since: API 1.0.
    pub respond_chunk:
        unsafe extern "C" fn(ctx: *const c_void, request: u64, chunk: *const Buffer) -> Status,

    /// `[any-thread]` Sends a chunk if there is room for it at once. Unlike the
    /// other slots it takes `chunk` only when it answers `OK`.
    ///
    /// Errors: `BUSY` when there is no room; else as `respond_chunk`.
    /// Since: API 1.0.
    pub respond_chunk_try:
        unsafe extern "C" fn(ctx: *const c_void, request: u64, chunk: *const Buffer) -> Status,

    /// `[any-thread]` The completing form of `respond_chunk`, which takes `chunk`
    /// whatever it answers as well; one chunk of a request may be under way at a
    /// time.
    ///
    /// Errors: as `respond_chunk`, by the call or by `done`, and `BUSY`.
    /// Since: API 1.0.
    pub respond_chunk_async: unsafe extern "C" fn(
        ctx: *const c_void,
        request: u64,
        chunk: *const Buffer,
        data: *mut c_void,
        done: Done,
        op: *mut u64,
    ) -> Status,

    /// `[any-thread]` Ends a streamed body, with trailers or none.
    ///
    /// Errors: `GONE`; `INVALID` for a bad trailer, and the response stays open.
    /// Since: API 1.0.
    pub respond_end: unsafe extern "C" fn(
        ctx: *const c_void,
        request: u64,
        trailers: *const Header,
        trailers_len: usize,
    ) -> Status,

    /// `[any-thread]` Gives the request up: before the head the client is
    /// answered 500, after it the connection is cut, so that the client sees
    /// that the body is not whole.
    ///
    /// Errors: `GONE`.
    /// Since: API 1.0.
    pub respond_abort: unsafe extern "C" fn(ctx: *const c_void, request: u64) -> Status,

    /// `[any-thread]`, not in an inline route or a poll. Waits for the next
    /// chunk of the request's body and stores it in `chunk`; the plugin releases
    /// it once.
    ///
    /// Errors: `END` when the body is complete, however often asked; `GONE` when
    /// the client left; `TOO_LARGE` beyond the route's limit; `TIMEOUT` after the
    /// idle timeout; `MISPLACED`, also for a route without [`ROUTE_STREAM_BODY`]. A
    /// body may be read until the request ends, also while a response is streamed.
    /// Since: API 1.0.
    pub body_next:
        unsafe extern "C" fn(ctx: *const c_void, request: u64, chunk: *mut Buffer) -> Status,

    /// `[any-thread]` The completing form of `body_next`; one read of a request
    /// may be under way at a time.
    ///
    /// Errors: as `body_next`, by the call or by `done`, and `BUSY`.
    /// Since: API 1.0.
    pub body_next_async: unsafe extern "C" fn(
        ctx: *const c_void,
        request: u64,
        data: *mut c_void,
        done: BodyDone,
        op: *mut u64,
    ) -> Status,

    /// `[any-thread]` Answers whether the response is still wanted: `OK` when it is.
    ///
    /// Errors: `CANCELLED` when the client left, `TIMEOUT` when the host gave it up,
    /// `STOPPED` when the plugin drains and endless streams should end, `GONE` when
    /// the request has ended.
    /// Since: API 1.0.
    pub cancelled: unsafe extern "C" fn(ctx: *const c_void, request: u64) -> Status,

    /// `[any-thread]` Completes as soon as `cancelled` would not answer `OK`,
    /// with that status. `flags` are `CANCELLED_` bits, which the plugin may
    /// grow.
    ///
    /// Errors: `GONE` when the request has ended, `INVALID` for an unknown flag.
    /// Since: API 1.0.
    pub cancelled_async: unsafe extern "C" fn(
        ctx: *const c_void,
        request: u64,
        flags: u32,
        data: *mut c_void,
        done: Done,
        op: *mut u64,
    ) -> Status,
}
