//! The slots of `routes/1`, and the hook that the host calls for a request.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::Arc;

use abi::routes::{Header, RouteHandle, RouteSpec};
use abi::{Buffer, Bytes, Status, Str};
use exthost_abi as abi;

use super::buffer::{Chunk, Payload};
use super::fence;
use super::host::Host;
use super::operation::Operation;
use super::request::Parts;
use crate::cause::Cause;
use crate::endpoint::Endpoint;
use crate::router::Route;
use crate::{Headers, Result, StatusCode};

/// Heads with up to this many headers cross without an allocation.
const HEADERS_ON_STACK: usize = 8;

impl Host {
    /// Adds a route; `endpoint` must be kept until `destroy`.
    pub(crate) fn add_route(&self, route: &Route, endpoint: &Arc<Endpoint>) -> Result<()> {
        let table = self.routes()?;
        let scopes: Vec<Str> = route.scopes.iter().map(|scope| Str::new(scope)).collect();
        let spec = RouteSpec {
            method: Str::new(&route.method),
            pattern: Str::new(&route.pattern),
            flags: route.flags,
            reserved: 0,
            scopes: scopes.as_ptr(),
            scopes_len: scopes.len(),
            body_bytes_max: route.body_bytes_max,
            deadline_ms: route.deadline_ms,
            idle_timeout_ms: route.idle_timeout_ms,
        };
        let data = Arc::as_ptr(endpoint).cast_mut().cast();
        // SAFETY: the table is the host's; `spec` outlives the call, and the
        // instance keeps the endpoint until `destroy`.
        let status = unsafe {
            (table.add)(
                self.ctx(),
                Cause::id_for(self),
                &raw const spec,
                data,
                RouteHandle(Some(handle)),
                std::ptr::null_mut(),
            )
        };
        self.check(status)
    }

    /// Answers with a head and a whole body.
    pub(crate) fn respond(
        &self,
        request: u64,
        status: StatusCode,
        headers: &Headers,
        body: Payload,
    ) -> Result<()> {
        let table = self.routes()?;
        let status = body.cross(|body| {
            cross_head(status, headers, body, |response| {
                // SAFETY: the table is the host's; the head outlives the call,
                // and the host takes the body.
                unsafe { (table.respond)(self.ctx(), request, response) }
            })
        });
        self.check(status)
    }

    /// Answers with a head; the body follows.
    pub(crate) fn respond_start(
        &self,
        request: u64,
        status: StatusCode,
        headers: &Headers,
    ) -> Result<()> {
        let table = self.routes()?;
        let status = cross_head(status, headers, Buffer::EMPTY, |response| {
            // SAFETY: the table is the host's; the head outlives the call.
            unsafe { (table.respond_start)(self.ctx(), request, response) }
        });
        self.check(status)
    }

    /// Sends a chunk, waiting for a slow client.
    pub(crate) fn send_chunk(&self, request: u64, chunk: Payload) -> Result<()> {
        let table = self.routes()?;
        let status = chunk.cross(|chunk| {
            // SAFETY: the table is the host's; it takes the chunk.
            unsafe { (table.respond_chunk)(self.ctx(), request, &raw const chunk) }
        });
        self.check(status)
    }

    /// Sends a chunk; completes when there is room for it, which mostly is at
    /// once.
    pub(crate) fn send_chunk_async(&'static self, request: u64, chunk: Payload) -> Operation<()> {
        let table = match self.routes() {
            Ok(table) => table,
            Err(error) => return Operation::ready(Err(error)),
        };
        chunk.cross(|chunk| {
            // SAFETY: the table is the host's; it takes the chunk if it is sent.
            let tried = unsafe { (table.respond_chunk_try)(self.ctx(), request, &raw const chunk) };
            if tried.is_ok() {
                return Operation::ready(Ok(()));
            }
            Operation::done(self, |data, done, op| {
                // SAFETY: the table is the host's; it takes the chunk, and `data`
                // until `done`.
                unsafe {
                    (table.respond_chunk_async)(
                        self.ctx(),
                        request,
                        &raw const chunk,
                        data,
                        done,
                        op,
                    )
                }
            })
        })
    }

    /// Ends a streamed body.
    pub(crate) fn respond_end(&self, request: u64) -> Result<()> {
        let table = self.routes()?;
        // SAFETY: the table is the host's; null with length 0 is no trailers.
        let status = unsafe { (table.respond_end)(self.ctx(), request, std::ptr::null(), 0) };
        self.check(status)
    }

    /// Gives a request up; one that has ended needs no giving up.
    pub(crate) fn respond_abort(&self, request: u64) {
        if let Ok(table) = self.routes() {
            // SAFETY: the table is the host's.
            unsafe { (table.respond_abort)(self.ctx(), request) };
        }
    }

    /// Waits for the next chunk of the request's body.
    pub(crate) fn next_chunk(&self, request: u64) -> Result<Option<Chunk>> {
        let table = self.routes()?;
        let mut chunk = Buffer::EMPTY;
        // SAFETY: the table is the host's; `chunk` is writable.
        let status = unsafe { (table.body_next)(self.ctx(), request, &raw mut chunk) };
        if status == Status::END {
            return Ok(None);
        }
        self.check(status)?;
        // SAFETY: stored by the host with OK, and so the plugin's.
        Ok(Some(unsafe { Chunk::from_raw(chunk) }))
    }

    /// Asks for the next chunk of the request's body.
    pub(crate) fn next_chunk_async(&'static self, request: u64) -> Operation<Option<Chunk>> {
        match self.routes() {
            Ok(table) => Operation::chunk(self, |data, done, op| {
                // SAFETY: the table is the host's; `data` is its until `done`.
                unsafe { (table.body_next_async)(self.ctx(), request, data, done, op) }
            }),
            Err(error) => Operation::ready(Err(error)),
        }
    }

    /// Whether the response is still wanted.
    pub(crate) fn cancelled(&self, request: u64) -> Status {
        match self.routes() {
            // SAFETY: the table is the host's.
            Ok(table) => unsafe { (table.cancelled)(self.ctx(), request) },
            Err(_) => Status::GONE,
        }
    }

    /// Completes, with an error that says why, when the response is no longer
    /// wanted.
    pub(crate) fn cancelled_async(&'static self, request: u64) -> Operation<()> {
        match self.routes() {
            Ok(table) => Operation::done(self, |data, done, op| {
                // SAFETY: the table is the host's; `data` is its until `done`.
                unsafe { (table.cancelled_async)(self.ctx(), request, 0, data, done, op) }
            }),
            Err(error) => Operation::ready(Err(error)),
        }
    }
}

/// Calls `respond` with a head made of `status` and `headers`.
fn cross_head<R>(
    status: StatusCode,
    headers: &Headers,
    body: Buffer,
    respond: impl FnOnce(*const abi::routes::Response) -> R,
) -> R {
    let header = |(name, value): (&str, &[u8])| Header {
        name: Str::new(name),
        value: Bytes::new(value),
    };
    let mut stack = [const { MaybeUninit::<Header>::uninit() }; HEADERS_ON_STACK];
    let heap: Vec<Header>;
    let headers_ptr = if headers.len() <= HEADERS_ON_STACK {
        for (place, pair) in stack.iter_mut().zip(headers.iter()) {
            place.write(header(pair));
        }
        stack.as_ptr().cast::<Header>()
    } else {
        heap = headers.iter().map(header).collect();
        heap.as_ptr()
    };
    respond(&abi::routes::Response {
        status: u32::from(status.as_u16()),
        flags: 0,
        headers: headers_ptr,
        headers_len: headers.len(),
        body,
    })
}

unsafe extern "C" fn handle(
    data: *mut c_void,
    cause: u64,
    request: *const abi::routes::Request,
) -> Status {
    // SAFETY: `add_route` passed an endpoint that is kept until `destroy`.
    let endpoint = unsafe { &*data.cast::<Endpoint>() };
    // SAFETY: borrowed for this call.
    let Some(request) = (unsafe { request.as_ref() }) else {
        return Status::INVALID;
    };
    let cause = Cause {
        host: endpoint.host,
        id: cause,
    };
    fence::hook(cause, "route", || {
        // SAFETY: the host's request, valid for this call.
        let parts = unsafe { Parts::from_raw(request, cause, &endpoint.states) };
        endpoint.serve(&parts)
    })
}
