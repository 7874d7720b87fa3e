//! The slots that read a request's body, and those that tell whether its answer
//! is still wanted.

use std::ffi::c_void;

use bytes::Bytes;
use exthost_abi::data::Done;
use exthost_abi::routes::{BodyDone, CANCELLED_NOT_BY_DRAIN};
use exthost_abi::{Buffer, Status};

use crate::ffi::convert::{Data, complete, error, give, known_flags, require, store};
use crate::ffi::{callback, enter};
use crate::services::error::ServiceError;
use crate::services::exchange::Exchange;

pub(super) unsafe extern "C" fn body_next(
    ctx: *const c_void,
    request: u64,
    chunk: *mut Buffer,
) -> Status {
    enter(ctx, |services| {
        let exchange = services.causes.request(&services.context, request)?;
        require(
            !chunk.is_null() && chunk.is_aligned(),
            "a place for the chunk",
        )?;
        let next = services.ops.block(exchange.next_chunk())?;
        let bytes = next.ok_or_else(end_of_body)?;
        // SAFETY: not null, and the plugin lends it for the call.
        unsafe { store(chunk, give(bytes)) };
        Ok(())
    })
}

pub(super) unsafe extern "C" fn body_next_async(
    ctx: *const c_void,
    request: u64,
    data: *mut c_void,
    done: BodyDone,
    op: *mut u64,
) -> Status {
    let data = Data(data);
    enter(ctx, |services| {
        require(done.0.is_some(), "done")?;
        let exchange = services.causes.request(&services.context, request)?;
        let served = exchange.clone();
        services.ops.start(
            // SAFETY: the plugin lends `op` for the call.
            |id| unsafe { store(op, id) },
            async move { exchange.next_chunk().await?.ok_or_else(end_of_body) },
            move |result| complete_body(&served, done, data, result),
        )
    })
}

fn end_of_body() -> ServiceError {
    ServiceError::status(Status::END)
}

/// Hands a plugin the chunk it waited for.
fn complete_body(
    exchange: &Exchange,
    done: BodyDone,
    data: Data,
    result: Result<Bytes, ServiceError>,
) {
    let Some(done) = done.0 else { return };
    callback(
        &exchange.context,
        Some(exchange),
        "body_next",
        || match result {
            Ok(bytes) => {
                let mut chunk = give(bytes);
                // SAFETY: the slot promises one call, this one; the plugin takes the
                // buffer out of `chunk`, which lives for it.
                unsafe { done(data.ptr(), Status::OK, std::ptr::null(), &raw mut chunk) };
            }
            Err(failure) => {
                let told = error(&failure);
                let none = std::ptr::null_mut();
                // SAFETY: as above; `told` borrows from `failure` for the call.
                unsafe { done(data.ptr(), failure.status, &raw const told, none) };
            }
        },
    );
}

pub(super) unsafe extern "C" fn cancelled(ctx: *const c_void, request: u64) -> Status {
    enter(ctx, |services| {
        let exchange = services.causes.request(&services.context, request)?;
        match exchange.wanted() {
            Status::OK => Ok(()),
            why => Err(ServiceError::status(why)),
        }
    })
}

pub(super) unsafe extern "C" fn cancelled_async(
    ctx: *const c_void,
    request: u64,
    flags: u32,
    data: *mut c_void,
    done: Done,
    op: *mut u64,
) -> Status {
    let data = Data(data);
    enter(ctx, |services| {
        require(done.0.is_some(), "done")?;
        known_flags(flags, CANCELLED_NOT_BY_DRAIN)?;
        let exchange = services.causes.request(&services.context, request)?;
        let served = exchange.clone();
        services.ops.start(
            // SAFETY: the plugin lends `op` for the call.
            |id| unsafe { store(op, id) },
            async move {
                let why = match flags & CANCELLED_NOT_BY_DRAIN {
                    0 => exchange.unwanted().await,
                    _ => {
                        exchange.forsaken().await;
                        exchange.wanted()
                    }
                };
                Err(ServiceError::status(why))
            },
            move |result| complete(&served, done, data, result),
        )
    })
}
