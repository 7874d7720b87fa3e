//! What crosses the boundary, turned into Rust's own and back.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use exthost_abi::data::{Done, Release, slice};
use exthost_abi::routes::Header;
use exthost_abi::{Buffer, Error, Status, Str};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::ffi::callback;
use crate::services::error::ServiceError;
use crate::services::exchange::Exchange;

/// A plugin's `data`, carried to the callback it belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Data(pub(super) *mut c_void);

// SAFETY: the ABI says that callbacks are called from any thread, so what their
// data points to is the plugin's to share; the host never follows it.
unsafe impl Send for Data {}
// SAFETY: as for `Send`.
unsafe impl Sync for Data {}

impl Data {
    /// The pointer; a method, so that a closure captures the whole value.
    pub(super) fn ptr(self) -> *mut c_void {
        self.0
    }
}

/// Calls a plugin's `release` once, when dropped.
#[derive(Debug)]
pub(super) struct ReleaseOnDrop {
    pub(super) data: Data,
    pub(super) release: Release,
}

impl Drop for ReleaseOnDrop {
    fn drop(&mut self) {
        if let Some(release) = self.release.0 {
            // SAFETY: the slot that took the pair promises one call, and this
            // value is its only owner.
            unsafe { release(self.data.ptr()) };
        }
    }
}

/// A plugin's `data` with its `release`, which is called when this is dropped, if
/// the slot accepted it. Only what runs the plugin's code holds it, so it is
/// never released by the slot.
#[derive(Debug)]
pub(super) struct Held {
    data: Data,
    release: Release,
    accepted: Accepted,
}

/// Says that a slot accepts what it was given: from here on the host releases.
#[derive(Debug, Clone, Default)]
pub(super) struct Accepted(Arc<AtomicBool>);

impl Accepted {
    pub(super) fn accept(&self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Held {
    /// Holds `data`, with the switch that the slot keeps.
    pub(super) fn new(data: *mut c_void, release: Release) -> (Self, Accepted) {
        let accepted = Accepted::default();
        let held = Held {
            data: Data(data),
            release,
            accepted: accepted.clone(),
        };
        (held, accepted)
    }

    /// The pointer.
    pub(super) fn data(&self) -> *mut c_void {
        self.data.ptr()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.accepted.0.load(Ordering::Acquire) {
            drop(ReleaseOnDrop {
                data: self.data,
                release: self.release,
            });
        }
    }
}

/// The text `text`, named `what` in errors.
///
/// # Safety
/// As [`Str::as_str`].
pub(super) unsafe fn text<'a>(text: Str, what: &str) -> Result<&'a str, ServiceError> {
    // SAFETY: the caller's contract is the same.
    let checked = unsafe { text.as_str() };
    checked.map_err(|_| {
        ServiceError::invalid(format!(
            "{what} is not text: null with a length, too long, or not UTF-8"
        ))
    })
}

/// The array at `ptr`, named `what` in errors.
///
/// # Safety
/// As [`slice`].
pub(super) unsafe fn array<'a, T>(
    ptr: *const T,
    len: usize,
    what: &str,
) -> Result<&'a [T], ServiceError> {
    // SAFETY: the caller's contract is the same.
    let checked = unsafe { slice(ptr, len) };
    checked.map_err(|_| {
        ServiceError::invalid(format!(
            "{what} is not an array: null with a length, misaligned, or too long"
        ))
    })
}

/// The struct at `ptr`, named `what` in errors.
///
/// # Safety
/// If the pointer is not null, it must be readable and unchanged for `'a`.
pub(super) unsafe fn object<'a, T>(ptr: *const T, what: &str) -> Result<&'a T, ServiceError> {
    if !ptr.is_aligned() {
        return Err(ServiceError::invalid(format!("{what} is misaligned")));
    }
    // SAFETY: aligned, and null or readable by the caller's contract.
    let checked = unsafe { ptr.as_ref() };
    checked.ok_or_else(|| ServiceError::invalid(format!("{what} is null")))
}

/// Refuses bits that this host does not know.
pub(super) fn known_flags(flags: u32, known: u32) -> Result<(), ServiceError> {
    match flags & !known {
        0 => Ok(()),
        unknown => Err(ServiceError::invalid(format!(
            "the flags {unknown:#x} are not known to this host"
        ))),
    }
}

/// Refuses an argument that is not what it must be.
pub(super) fn require(holds: bool, what: &str) -> Result<(), ServiceError> {
    match holds {
        true => Ok(()),
        false => Err(ServiceError::invalid(format!("{what} is required"))),
    }
}

/// Stores `value` through a pointer that the slot lets be null.
///
/// # Safety
/// If the pointer is not null, it must be writable.
pub(super) unsafe fn store<T>(ptr: *mut T, value: T) {
    if !ptr.is_null() && ptr.is_aligned() {
        // SAFETY: not null, aligned, and writable by the caller's contract.
        unsafe { ptr.write(value) };
    }
}

/// Takes a buffer over: with a `release` it is not copied, without one it is.
///
/// # Safety
/// The buffer's bytes must be readable until its `release` is called, or for
/// this call when it has none; the buffer must not be used again.
pub(super) unsafe fn take(buffer: &Buffer) -> Result<Bytes, ServiceError> {
    let owner = Owned {
        ptr: buffer.ptr,
        len: buffer.len,
        release: ReleaseOnDrop {
            data: Data(buffer.owner),
            release: buffer.release,
        },
    };
    // SAFETY: readable by the caller's contract.
    let bytes = unsafe { array(buffer.ptr, buffer.len, "the body") }?;
    Ok(match buffer.release.0 {
        None => Bytes::copy_from_slice(bytes),
        Some(_) if bytes.is_empty() => Bytes::new(),
        Some(_) => Bytes::from_owner(owner),
    })
}

/// A plugin's buffer, kept until the last reference to its bytes is dropped.
struct Owned {
    ptr: *const u8,
    len: usize,
    release: ReleaseOnDrop,
}

// SAFETY: the ABI says that a buffer's bytes stay unchanged until `release`,
// which may be called from any thread.
unsafe impl Send for Owned {}

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        let _held = &self.release;
        // SAFETY: `take` checked pointer and length, and the bytes stay until
        // `release`, which this value calls when it is dropped.
        unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
    }
}

/// Gives bytes to a plugin, which releases them once.
pub(super) fn give(bytes: Bytes) -> Buffer {
    if bytes.is_empty() {
        return Buffer::EMPTY;
    }
    let owned = Box::new(bytes);
    Buffer {
        ptr: owned.as_ptr(),
        len: owned.len(),
        owner: Box::into_raw(owned).cast(),
        release: Release(Some(drop_bytes)),
    }
}

unsafe extern "C" fn drop_bytes(owner: *mut c_void) {
    // SAFETY: `give` made the owner of a box, and a buffer is released once.
    drop(unsafe { Box::from_raw(owner.cast::<Bytes>()) });
}

/// Headers or trailers of a plugin.
///
/// # Safety
/// As [`slice`], and each name and value as [`Str::as_str`].
pub(super) unsafe fn headers(ptr: *const Header, len: usize) -> Result<HeaderMap, ServiceError> {
    // SAFETY: the caller's contract is the same.
    let headers = unsafe { array(ptr, len, "headers") }?;
    if headers.len() > HEADERS_MAX {
        return Err(ServiceError::invalid(format!(
            "{} headers are more than {HEADERS_MAX}",
            headers.len()
        )));
    }
    let mut map = HeaderMap::with_capacity(headers.len());
    for header in headers {
        // SAFETY: the caller's contract covers each name.
        let name = unsafe { text(header.name, "a header's name") }?;
        // SAFETY: and each value.
        let value = unsafe { header.value.as_slice() }
            .map_err(|_| ServiceError::invalid(format!("the value of {name} is not bytes")))?;
        let parsed = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| ServiceError::invalid(format!("{name:?} is not a header name")))?;
        if OF_THE_CONNECTION.contains(&parsed.as_str()) {
            return Err(ServiceError::invalid(format!(
                "{parsed} belongs to the connection, and the host sets it"
            )));
        }
        let value = HeaderValue::from_bytes(value).map_err(|_| {
            ServiceError::invalid(format!("the value of {parsed} has a control character"))
        })?;
        map.append(parsed, value);
    }
    Ok(map)
}

/// Most headers of one response.
const HEADERS_MAX: usize = 256;

/// Headers that a plugin may not set (RFC 9110, section 7.6.1).
const OF_THE_CONNECTION: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// The ABI's form of an error, borrowed from it.
pub(super) fn error(error: &ServiceError) -> Error {
    Error {
        status: error.status,
        reserved: 0,
        code: Str::new(&error.code),
        message: Str::new(&error.message),
        detail: Str::new(&error.detail),
    }
}

/// Tells a plugin how an operation of a request ended.
pub(super) fn complete(
    exchange: &Exchange,
    done: Done,
    data: Data,
    result: Result<(), ServiceError>,
) {
    let Some(done) = done.0 else { return };
    callback(
        &exchange.context,
        Some(exchange),
        "completion",
        || match result {
            // SAFETY: the slot that took the pair promises one call, this one.
            Ok(()) => unsafe { done(data.ptr(), Status::OK, std::ptr::null()) },
            Err(failure) => {
                let error = error(&failure);
                // SAFETY: as above; `error` borrows from `failure` for the call.
                unsafe { done(data.ptr(), failure.status, &raw const error) };
            }
        },
    );
}
