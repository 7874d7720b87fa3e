//! The slots that answer a request.
//!
//! A body is the host's as soon as its slot is called, whatever the slot
//! answers; so it is taken over before anything can refuse the call.

use std::ffi::c_void;

use bytes::Bytes;
use exthost_abi::data::Done;
use exthost_abi::routes::{Header, Response};
use exthost_abi::{Buffer, Error, Status};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};

use crate::ffi::convert::{
    Data, array, complete, headers, known_flags, object, require, store, take,
};
use crate::ffi::{enter, failure};
use crate::services::error::ServiceError;
use crate::services::exchange::Exchange;

pub(super) unsafe extern "C" fn respond(
    ctx: *const c_void,
    request: u64,
    response: *const Response,
) -> Status {
    // SAFETY: the plugin lends the response, and gives its body.
    unsafe {
        answer(
            ctx,
            request,
            response,
            |exchange, status, mut headers, body| {
                // The host knows the length; a wrong one would break the connection.
                headers.remove(CONTENT_LENGTH);
                exchange.respond(status, headers, body)
            },
        )
    }
}

pub(super) unsafe extern "C" fn respond_start(
    ctx: *const c_void,
    request: u64,
    response: *const Response,
) -> Status {
    // SAFETY: the plugin lends the response, and gives its body.
    unsafe { answer(ctx, request, response, Exchange::start) }
}

/// Takes a response over and lets `send` answer with it. One that is malformed is
/// a fault of the plugin, and leaves the request open.
///
/// # Safety
/// The response and its headers must be readable, and its body as [`take`] wants
/// it.
unsafe fn answer(
    ctx: *const c_void,
    request: u64,
    response: *const Response,
    send: impl FnOnce(&Exchange, StatusCode, HeaderMap, Bytes) -> Result<(), ServiceError>,
) -> Status {
    // SAFETY: the caller's contract.
    let body = unsafe { body_of(response) };
    enter(ctx, |services| {
        let exchange = services.causes.request(&services.context, request)?;
        // SAFETY: the caller's contract.
        let head = body.and_then(|body| Ok((unsafe { head_of(response) }?, body)));
        let ((status, headers), body) = head.inspect_err(|error| exchange.reject(error))?;
        send(&exchange, status, headers, body)
    })
}

pub(super) unsafe extern "C" fn respond_error(
    ctx: *const c_void,
    request: u64,
    error: *const Error,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the error for the call.
        let error = unsafe { object(error, "error") }?;
        require(!error.status.is_ok(), "a status other than OK")?;
        known_flags(error.reserved, 0)?;
        // SAFETY: and its texts.
        let failure = unsafe { failure(error.code, error.message, error.detail) }?;
        let exchange = services.causes.request(&services.context, request)?;
        exchange.respond_error(ServiceError {
            status: error.status,
            ..failure
        })
    })
}

/// The body of a response, taken over.
///
/// # Safety
/// The response must be readable, and its body as [`take`] wants it.
unsafe fn body_of(response: *const Response) -> Result<Bytes, ServiceError> {
    // SAFETY: the caller's contract.
    let response = unsafe { object(response, "response") }?;
    // SAFETY: the caller's contract.
    unsafe { take(&response.body) }
}

/// Status and headers of a response.
///
/// # Safety
/// The response and its headers must be readable.
unsafe fn head_of(response: *const Response) -> Result<(StatusCode, HeaderMap), ServiceError> {
    // SAFETY: the caller's contract.
    let response = unsafe { object(response, "response") }?;
    known_flags(response.flags, 0)?;
    let status = u16::try_from(response.status).ok();
    let status = status.filter(|status| *status >= 200);
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.ok_or_else(|| {
        ServiceError::invalid(format!(
            "{} is not an HTTP status of 200 to 999",
            response.status
        ))
    })?;
    // SAFETY: the caller's contract.
    let headers = unsafe { headers(response.headers, response.headers_len) }?;
    Ok((status, headers))
}

/// A chunk, taken over.
///
/// # Safety
/// The buffer must be readable, and as [`take`] wants it.
unsafe fn chunk_of(chunk: *const Buffer) -> Result<Bytes, ServiceError> {
    // SAFETY: the caller's contract.
    let chunk = unsafe { object(chunk, "chunk") }?;
    // SAFETY: the caller's contract.
    unsafe { take(chunk) }
}

pub(super) unsafe extern "C" fn respond_chunk(
    ctx: *const c_void,
    request: u64,
    chunk: *const Buffer,
) -> Status {
    // SAFETY: the plugin lends the buffer's struct, and gives its bytes.
    let chunk = unsafe { chunk_of(chunk) };
    enter(ctx, |services| {
        let chunk = chunk?;
        services.ops.may_block()?;
        let exchange = services.causes.request(&services.context, request)?;
        match exchange.room()? {
            Some(room) => {
                room.send(chunk);
                Ok(())
            }
            None => services.ops.block(exchange.chunk(chunk)),
        }
    })
}

/// Unlike the other slots, it leaves the chunk to the plugin unless it is sent.
pub(super) unsafe extern "C" fn respond_chunk_try(
    ctx: *const c_void,
    request: u64,
    chunk: *const Buffer,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the buffer's struct.
        let buffer = unsafe { object(chunk, "chunk") }?;
        // SAFETY: and its bytes; one that is malformed stays the plugin's.
        unsafe { array(buffer.ptr, buffer.len, "the chunk") }?;
        let exchange = services.causes.request(&services.context, request)?;
        let room = exchange.room()?.ok_or_else(|| {
            ServiceError::busy("the client is slower than the plugin; there is no room for a chunk")
        })?;
        // SAFETY: the plugin gives the bytes, now that there is room for them.
        room.send(unsafe { take(buffer) }?);
        Ok(())
    })
}

pub(super) unsafe extern "C" fn respond_chunk_async(
    ctx: *const c_void,
    request: u64,
    chunk: *const Buffer,
    data: *mut c_void,
    done: Done,
    op: *mut u64,
) -> Status {
    let data = Data(data);
    // SAFETY: the plugin lends the buffer's struct, and gives its bytes.
    let chunk = unsafe { chunk_of(chunk) };
    enter(ctx, |services| {
        require(done.0.is_some(), "done")?;
        let chunk = chunk?;
        let exchange = services.causes.request(&services.context, request)?;
        let served = exchange.clone();
        services.ops.start(
            // SAFETY: the plugin lends `op` for the call.
            |id| unsafe { store(op, id) },
            async move { exchange.chunk(chunk).await },
            move |result| complete(&served, done, data, result),
        )
    })
}

pub(super) unsafe extern "C" fn respond_end(
    ctx: *const c_void,
    request: u64,
    trailers: *const Header,
    trailers_len: usize,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the trailers for the call.
        let trailers = unsafe { headers(trailers, trailers_len) }?;
        let exchange = services.causes.request(&services.context, request)?;
        exchange.end((!trailers.is_empty()).then_some(trailers))
    })
}

pub(super) unsafe extern "C" fn respond_abort(ctx: *const c_void, request: u64) -> Status {
    enter(ctx, |services| {
        services.causes.request(&services.context, request)?.abort()
    })
}
