//! The plain data that crosses the boundary: text, bytes, status, values.
//!
//! Nothing here owns memory except [`Buffer`], and nothing is followed except
//! [`Str`], [`Bytes`] and the arrays that a struct names with a length. Every
//! pointer is borrowed for the call it is passed to unless its field says
//! otherwise.

use std::ffi::c_void;

use abi_stable::StableAbi;

/// Borrowed UTF-8 text, not terminated by a zero byte.
///
/// A null `ptr` with `len` 0 is the empty text.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Str {
    /// First byte, or null when `len` is 0.
    pub ptr: *const u8,
    /// Length in bytes.
    pub len: usize,
}

impl Str {
    /// The empty text.
    pub const EMPTY: Str = Str::new("");

    /// Borrows `text`; the result is valid as long as `text` is.
    pub const fn new(text: &str) -> Self {
        Str {
            ptr: text.as_ptr(),
            len: text.len(),
        }
    }

    /// Returns the text.
    ///
    /// # Errors
    /// [`Status::INVALID`] when the pointer is null with a length, the length
    /// exceeds `isize::MAX`, or the bytes are not UTF-8.
    ///
    /// # Safety
    /// If the pointer is not null, `len` bytes must be readable for `'a`.
    pub unsafe fn as_str<'a>(self) -> Result<&'a str, Status> {
        // SAFETY: the caller's contract is that of `slice`.
        let bytes = unsafe { slice(self.ptr, self.len) }?;
        std::str::from_utf8(bytes).map_err(|_| Status::INVALID)
    }
}

/// Borrowed bytes.
///
/// A null `ptr` with `len` 0 is empty.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Bytes {
    /// First byte, or null when `len` is 0.
    pub ptr: *const u8,
    /// Length in bytes.
    pub len: usize,
}

impl Bytes {
    /// No bytes.
    pub const EMPTY: Bytes = Bytes::new(&[]);

    /// Borrows `bytes`; the result is valid as long as `bytes` is.
    pub const fn new(bytes: &[u8]) -> Self {
        Bytes {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    /// Returns the bytes.
    ///
    /// # Errors
    /// [`Status::INVALID`] when the pointer is null with a length, or the
    /// length exceeds `isize::MAX`.
    ///
    /// # Safety
    /// If the pointer is not null, `len` bytes must be readable for `'a`.
    pub unsafe fn as_slice<'a>(self) -> Result<&'a [u8], Status> {
        // SAFETY: the caller's contract is that of `slice`.
        unsafe { slice(self.ptr, self.len) }
    }
}

/// Turns a pointer and a count into a slice: the one place where either side
/// follows a foreign pointer to an array.
///
/// # Errors
/// [`Status::INVALID`] when the pointer is null with a count, misaligned, or
/// the array would exceed `isize::MAX` bytes.
///
/// # Safety
/// If the pointer is not null, `len` initialised values must be readable and
/// unchanged for `'a`.
pub unsafe fn slice<'a, T>(ptr: *const T, len: usize) -> Result<&'a [T], Status> {
    if len == 0 {
        return Ok(&[]);
    }
    let fits = len
        .checked_mul(size_of::<T>())
        .is_some_and(|bytes| isize::try_from(bytes).is_ok());
    if ptr.is_null() || !ptr.is_aligned() || !fits {
        return Err(Status::INVALID);
    }
    // SAFETY: not null, aligned and of a legal size, checked above; readable
    // and unchanged for `'a` by the caller's contract.
    Ok(unsafe { std::slice::from_raw_parts(ptr, len) })
}

/// Owned bytes: whoever made them frees them, through `release`.
///
/// A buffer with a null `release` is borrowed for the call, and the receiver
/// copies what it wants to keep.
#[repr(C)]
#[derive(Debug, StableAbi)]
pub struct Buffer {
    /// First byte, or null when `len` is 0.
    pub ptr: *const u8,
    /// Length in bytes.
    pub len: usize,
    /// Passed to `release`; belongs to whoever made the buffer.
    pub owner: *mut c_void,
    /// Frees the buffer.
    pub release: Release,
}

impl Buffer {
    /// No bytes, nothing to release.
    pub const EMPTY: Buffer = Buffer::borrowed(&[]);

    /// Borrows `bytes` for one call.
    pub const fn borrowed(bytes: &[u8]) -> Self {
        Buffer {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
            owner: std::ptr::null_mut(),
            release: Release(None),
        }
    }

    /// The bytes, borrowed.
    pub const fn bytes(&self) -> Bytes {
        Bytes {
            ptr: self.ptr,
            len: self.len,
        }
    }
}

/// Frees what `owner` stands for, or nothing when it is null. Called exactly
/// once, from any thread. That of a [`Buffer`] may be called after the plugin's
/// `destroy` and must not touch the plugin's instance.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Release(pub Option<unsafe extern "C" fn(owner: *mut c_void)>);

/// The outcome of a call: 0 is success, everything else says what kind of
/// failure; unknown codes are legal and mean failure.
///
/// Who may grow it: the host, towards plugins. A plugin answers a hook with one
/// of the codes of its own API version.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Hash, StableAbi)]
pub struct Status(pub i32);

impl Status {
    /// Success.
    pub const OK: Status = Status(0);
    /// An argument is malformed: null, too long, not UTF-8, an unknown flag.
    pub const INVALID: Status = Status(1);
    /// The capability was not granted, or what it covers ends before this.
    pub const DENIED: Status = Status(2);
    /// The plugin is being stopped, or has been.
    pub const STOPPED: Status = Status(3);
    /// What was named does not exist.
    pub const NOT_FOUND: Status = Status(4);
    /// What was named exists already, or a constraint forbids it.
    pub const CONFLICT: Status = Status(5);
    /// A size limit was exceeded.
    pub const TOO_LARGE: Status = Status(6);
    /// A bounded queue or pool is full; try again later.
    pub const BUSY: Status = Status(7);
    /// A deadline passed.
    pub const TIMEOUT: Status = Status(8);
    /// The one who asked is no longer interested.
    pub const CANCELLED: Status = Status(9);
    /// The id is of something that has ended, or never was this plugin's.
    pub const GONE: Status = Status(10);
    /// This host has the table, but not yet what stands behind it.
    pub const NOT_YET: Status = Status(11);
    /// The other side failed in a way the caller cannot mend.
    pub const INTERNAL: Status = Status(12);
    /// The callee panicked; the panic was contained.
    pub const PANICKED: Status = Status(13);
    /// Not at this time or on this thread: the slot's tag says when.
    pub const MISPLACED: Status = Status(14);
    /// The stream has ended; not a failure.
    pub const END: Status = Status(15);
    /// A filter refused the event.
    pub const VETOED: Status = Status(16);
    /// A storage quota, or the disk, is full.
    pub const FULL: Status = Status(17);
    /// The data is damaged.
    pub const CORRUPT: Status = Status(18);

    /// Whether this is [`Status::OK`].
    pub const fn is_ok(self) -> bool {
        self.0 == 0
    }

    /// The stable lower-case name of the code, `unknown` for one this version
    /// does not know.
    pub const fn name(self) -> &'static str {
        match self.0 {
            0 => "ok",
            1 => "invalid",
            2 => "denied",
            3 => "stopped",
            4 => "not-found",
            5 => "conflict",
            6 => "too-large",
            7 => "busy",
            8 => "timeout",
            9 => "cancelled",
            10 => "gone",
            11 => "not-yet",
            12 => "internal",
            13 => "panicked",
            14 => "misplaced",
            15 => "end",
            16 => "vetoed",
            17 => "full",
            18 => "corrupt",
            _ => "unknown",
        }
    }
}

impl std::fmt::Debug for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Status({} {})", self.0, self.name())
    }
}

/// What went wrong, in the three forms people and programs need.
///
/// Whoever hands it out says how long it lives.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Error {
    /// The kind of failure.
    pub status: Status,
    /// 0.
    pub reserved: u32,
    /// A stable code in lower case, such as `route-conflict`.
    pub code: Str,
    /// One sentence for a person.
    pub message: Str,
    /// A JSON object with particulars, or empty.
    pub detail: Str,
}

/// A version in the sense of Semantic Versioning 2.0.0, without labels.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, StableAbi)]
pub struct Version {
    /// Incompatible changes.
    pub major: u32,
    /// Additions.
    pub minor: u32,
    /// Corrections.
    pub patch: u32,
}

/// One value of five kinds: what a database column or a log field holds.
///
/// `kind` says which of the other fields counts; the others are 0 and empty.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Value {
    /// One of the `VALUE_` constants.
    pub kind: u32,
    /// 0.
    pub reserved: u32,
    /// The value of kind [`VALUE_INTEGER`].
    pub integer: i64,
    /// The value of kind [`VALUE_REAL`].
    pub real: f64,
    /// The value of kind [`VALUE_TEXT`] (UTF-8) or [`VALUE_BLOB`].
    pub data: Bytes,
}

/// [`Value::kind`]: no value.
pub const VALUE_NULL: u32 = 0;
/// [`Value::kind`]: a signed 64-bit integer.
pub const VALUE_INTEGER: u32 = 1;
/// [`Value::kind`]: an IEEE 754 double.
pub const VALUE_REAL: u32 = 2;
/// [`Value::kind`]: UTF-8 text.
pub const VALUE_TEXT: u32 = 3;
/// [`Value::kind`]: bytes.
pub const VALUE_BLOB: u32 = 4;

impl Value {
    /// No value.
    pub const NULL: Value = Value {
        kind: VALUE_NULL,
        reserved: 0,
        integer: 0,
        real: 0.0,
        data: Bytes::EMPTY,
    };

    /// An integer.
    pub const fn integer(integer: i64) -> Self {
        Value {
            kind: VALUE_INTEGER,
            integer,
            ..Value::NULL
        }
    }

    /// A double.
    pub const fn real(real: f64) -> Self {
        Value {
            kind: VALUE_REAL,
            real,
            ..Value::NULL
        }
    }

    /// Text, borrowed.
    pub const fn text(text: &str) -> Self {
        Value {
            kind: VALUE_TEXT,
            data: Bytes::new(text.as_bytes()),
            ..Value::NULL
        }
    }

    /// Bytes, borrowed.
    pub const fn blob(bytes: &[u8]) -> Self {
        Value {
            kind: VALUE_BLOB,
            data: Bytes::new(bytes),
            ..Value::NULL
        }
    }
}

/// Reports the end of an operation that was started with a completing slot.
///
/// Called exactly once for each operation that the slot accepted, also after
/// cancel or stop: on any thread, but never by the slot itself, on the thread
/// that called it. It must not block. `error` is null when `status` is
/// [`Status::OK`] and borrowed for the call otherwise.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct Done(
    pub Option<unsafe extern "C" fn(data: *mut c_void, status: Status, error: *const Error)>,
);

/// Receives bytes that are borrowed for the call. It must not block.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct OnBytes(pub Option<unsafe extern "C" fn(data: *mut c_void, bytes: Bytes)>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_with_length_zero_is_empty() {
        let text = Str {
            ptr: std::ptr::null(),
            len: 0,
        };
        // SAFETY: nothing is read for length 0.
        assert_eq!(unsafe { text.as_str() }, Ok(""));
    }

    #[test]
    fn null_with_a_length_is_refused() {
        let bytes = Bytes {
            ptr: std::ptr::null(),
            len: 1,
        };
        // SAFETY: a null pointer is refused before anything is read.
        assert_eq!(unsafe { bytes.as_slice() }, Err(Status::INVALID));
    }

    #[test]
    fn absurd_length_is_refused() {
        let bytes = Bytes {
            ptr: b"x".as_ptr(),
            len: usize::MAX,
        };
        // SAFETY: the length is refused before anything is read.
        assert_eq!(unsafe { bytes.as_slice() }, Err(Status::INVALID));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused() {
        let raw = [0xff_u8, 0xfe];
        let text = Str {
            ptr: raw.as_ptr(),
            len: raw.len(),
        };
        // SAFETY: `raw` lives for the whole test.
        assert_eq!(unsafe { text.as_str() }, Err(Status::INVALID));
    }
}
