//! `routes/1`.

use std::ffi::c_void;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use exthost_abi::Status;
use exthost_abi::routes::{
    ROUTE_INLINE, ROUTE_PUBLIC, ROUTE_STREAM_BODY, RouteHandle, RouteSpec, RoutesTable,
};
use http::Method;

use crate::ffi::convert::{array, known_flags, object, store, text};
use crate::ffi::enter;
use crate::services::context::PluginContext;
use crate::services::error::ServiceError;
use crate::services::routes::{Handle, Route};

mod body;
mod request;
mod respond;

use body::{body_next, body_next_async, cancelled, cancelled_async};
use respond::{
    respond, respond_abort, respond_chunk, respond_chunk_async, respond_chunk_try, respond_end,
    respond_error, respond_start,
};

pub(super) static TABLE: RoutesTable = RoutesTable {
    add,
    respond,
    respond_error,
    respond_start,
    respond_chunk,
    respond_chunk_try,
    respond_chunk_async,
    respond_end,
    respond_abort,
    body_next,
    body_next_async,
    cancelled,
    cancelled_async,
};

unsafe extern "C" fn add(
    ctx: *const c_void,
    _cause: u64,
    spec: *const RouteSpec,
    data: *mut c_void,
    handle: RouteHandle,
    route: *mut u64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the spec for the call.
        let spec = unsafe { object(spec, "spec") }?;
        let handle = request::handle(handle, data)?;
        let id = services.routes.add(&services.context, |id| {
            // SAFETY: and what it names.
            unsafe { route_of(&services.context, id, spec, handle) }
        })?;
        // SAFETY: and `route`.
        unsafe { store(route, id) };
        Ok(())
    })
}

/// The route that `spec` describes.
///
/// # Safety
/// The texts and arrays of `spec` must be readable.
unsafe fn route_of(
    context: &PluginContext,
    id: u64,
    spec: &RouteSpec,
    handle: Handle,
) -> Result<Route, ServiceError> {
    let known = ROUTE_PUBLIC | ROUTE_INLINE | ROUTE_STREAM_BODY;
    known_flags(spec.flags, known)?;
    known_flags(spec.reserved, 0)?;
    // SAFETY: the caller's contract.
    let pattern = unsafe { text(spec.pattern, "pattern") }?;
    // SAFETY: the caller's contract.
    let method = match unsafe { text(spec.method, "method") }? {
        "*" => None,
        name if name.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            Method::from_bytes(name.as_bytes()).ok()
        }
        name => {
            return Err(ServiceError::invalid(format!(
                "{name:?} is not a method in capitals, nor * for all"
            )));
        }
    };
    let mut scopes = Vec::new();
    // SAFETY: the caller's contract.
    for scope in unsafe { array(spec.scopes, spec.scopes_len, "scopes") }? {
        // SAFETY: the caller's contract.
        scopes.push(unsafe { text(*scope, "a scope") }?.to_owned());
    }
    let limits = &context.limits;
    Ok(Route {
        id,
        method,
        pattern: format!("/{}", pattern.strip_prefix('/').unwrap_or(pattern)),
        public: spec.flags & ROUTE_PUBLIC != 0,
        inline: spec.flags & ROUTE_INLINE != 0,
        stream_body: spec.flags & ROUTE_STREAM_BODY != 0,
        scopes,
        body_bytes_max: match spec.body_bytes_max {
            0 => limits.body_bytes_max,
            bytes => bytes,
        },
        deadline: or_default(spec.deadline_ms, limits.handler_deadline),
        idle_timeout: or_default(spec.idle_timeout_ms, limits.idle_timeout),
        handle,
        demoted: AtomicBool::new(false),
    })
}

fn or_default(ms: u64, default: Duration) -> Duration {
    const DAY_MS: u64 = 24 * 3600 * 1000;
    match ms {
        0 => default,
        ms => Duration::from_millis(ms.min(DAY_MS)),
    }
}
