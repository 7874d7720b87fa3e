//! The slots of `routes/1`: each answer is noted in words.

use std::ffi::c_void;

use abi::data::{Done, Release};
use abi::routes::{BodyDone, Header, Response, RouteHandle, RouteSpec, RoutesTable};
use abi::tasks::Run;
use abi::{Buffer, Status};
use exthost_abi as abi;

use super::{fake, text};

pub(super) static ROUTES: RoutesTable = RoutesTable {
    add,
    respond,
    respond_error,
    respond_start: respond,
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
    _route: *mut u64,
) -> Status {
    // SAFETY: borrowed for this call.
    let pattern = text(unsafe { &*spec }.pattern);
    fake(ctx).state().routes.push((pattern, data, handle));
    Status::OK
}

unsafe extern "C" fn respond(
    ctx: *const c_void,
    request: u64,
    response: *const Response,
) -> Status {
    // SAFETY: borrowed for this call.
    let response = unsafe { &*response };
    let body = consume(&response.body);
    let line = format!("respond {request}: {} {body}", response.status);
    fake(ctx).state().seen.push(line);
    Status::OK
}

/// Reads a buffer and releases it.
fn consume(buffer: &Buffer) -> String {
    // SAFETY: the plugin's, readable until released.
    let bytes = unsafe { buffer.bytes().as_slice() }.unwrap();
    let words = match bytes.len() {
        len @ 1000.. => format!("{len} bytes"),
        _ => String::from_utf8(bytes.to_vec()).unwrap(),
    };
    if let Some(release) = buffer.release.0 {
        // SAFETY: once; the host has taken the buffer.
        unsafe { release(buffer.owner) };
    }
    words
}

unsafe extern "C" fn respond_chunk(ctx: *const c_void, _: u64, chunk: *const Buffer) -> Status {
    // SAFETY: borrowed for this call, its bytes taken.
    let line = format!("chunk {}", consume(unsafe { &*chunk }));
    fake(ctx).state().seen.push(line);
    Status::OK
}

unsafe extern "C" fn respond_error(
    ctx: *const c_void,
    request: u64,
    error: *const abi::Error,
) -> Status {
    // SAFETY: borrowed for this call.
    let error = unsafe { &*error };
    let line = format!("error {request}: {}", text(error.message));
    fake(ctx).state().seen.push(line);
    Status::OK
}

/// There is never room at once, so that the completing form is used.
unsafe extern "C" fn respond_chunk_try(_: *const c_void, _: u64, _: *const Buffer) -> Status {
    Status::BUSY
}

unsafe extern "C" fn respond_chunk_async(
    ctx: *const c_void,
    request: u64,
    chunk: *const Buffer,
    data: *mut c_void,
    done: Done,
    _op: *mut u64,
) -> Status {
    // SAFETY: the arguments are those of the blocking form.
    let status = unsafe { respond_chunk(ctx, request, chunk) };
    // SAFETY: once; sooner than a host may, which the SDK survives.
    unsafe { done.0.unwrap()(data, status, std::ptr::null()) };
    Status::OK
}

unsafe extern "C" fn respond_end(ctx: *const c_void, _: u64, _: *const Header, _: usize) -> Status {
    fake(ctx).state().seen.push("end".into());
    Status::OK
}

unsafe extern "C" fn respond_abort(ctx: *const c_void, _: u64) -> Status {
    fake(ctx).state().seen.push("abort".into());
    Status::OK
}

unsafe extern "C" fn body_next(_: *const c_void, _: u64, _: *mut Buffer) -> Status {
    Status::END
}

unsafe extern "C" fn body_next_async(
    _: *const c_void,
    _: u64,
    data: *mut c_void,
    done: BodyDone,
    _: *mut u64,
) -> Status {
    let null = std::ptr::null_mut();
    // SAFETY: once; sooner than a host may, which the SDK survives.
    unsafe { done.0.unwrap()(data, Status::END, std::ptr::null(), null) };
    Status::OK
}

unsafe extern "C" fn cancelled(ctx: *const c_void, _: u64) -> Status {
    match fake(ctx).state().left {
        true => Status::CANCELLED,
        false => Status::OK,
    }
}

/// Keeps the callback as if it were a timer whose firing is the client leaving.
unsafe extern "C" fn cancelled_async(
    ctx: *const c_void,
    _request: u64,
    _flags: u32,
    data: *mut c_void,
    done: Done,
    op: *mut u64,
) -> Status {
    let callback = Box::into_raw(Box::new((data, done)));
    let mut state = fake(ctx).state();
    let id = state.id();
    let (run, release) = (Run(Some(left)), Release(Some(kept)));
    state.timers.push((id, callback.cast(), run, release));
    // SAFETY: writable, by the slot's contract.
    unsafe { op.write(id) };
    Status::OK
}

pub(super) unsafe extern "C" fn left(data: *mut c_void, _id: u64) {
    // SAFETY: made by `cancelled_async`, freed by `kept`.
    let (data, done) = unsafe { &*data.cast::<(*mut c_void, Done)>() };
    // SAFETY: once.
    unsafe { done.0.unwrap()(*data, Status::CANCELLED, std::ptr::null()) };
}

unsafe extern "C" fn kept(data: *mut c_void) {
    // SAFETY: made by `cancelled_async`; released once.
    drop(unsafe { Box::from_raw(data.cast::<(*mut c_void, Done)>()) });
}
