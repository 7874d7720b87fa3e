//! Owned bytes in both directions, without copies.

use std::ffi::c_void;
use std::ops::Deref;

use abi::Buffer;
use abi::data::Release;
use exthost_abi as abi;

/// Bodies up to this many bytes are copied by the host: cheaper than what it
/// takes to hand ownership over.
const COPIED_BYTES_MAX: usize = 1024;

/// Bytes that the host made, a chunk of a request's body for example; freed by
/// the host when dropped.
pub struct Chunk(Buffer);

// SAFETY: a buffer with a `release` is owned, its bytes do not change, and
// `release` may run on any thread.
unsafe impl Send for Chunk {}
// SAFETY: shared access only reads the bytes.
unsafe impl Sync for Chunk {}

impl Chunk {
    /// Takes a buffer that the host handed over; a borrowed one is copied.
    ///
    /// # Safety
    /// `buffer` is the host's, readable now, and until its `release` if it has
    /// one, which nobody else calls.
    pub(super) unsafe fn from_raw(buffer: Buffer) -> Self {
        if buffer.release.0.is_some() {
            return Chunk(buffer);
        }
        // SAFETY: readable now, by the caller's contract.
        let bytes = unsafe { buffer.bytes().as_slice() }.unwrap_or_default();
        Chunk(own(Box::new(bytes.to_vec())))
    }
}

impl Deref for Chunk {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: owned by this chunk until it is dropped.
        unsafe { self.0.bytes().as_slice() }.unwrap_or_default()
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl std::fmt::Debug for Chunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chunk({} bytes)", self.len())
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        if let Some(release) = self.0.release.0.take() {
            // SAFETY: `take` makes this the one call; `owner` is its argument.
            unsafe { release(self.0.owner) };
        }
    }
}

/// Bytes on their way to the host: text or bytes, static or owned, or a
/// [`Chunk`] passed on.
#[derive(Debug)]
pub struct Payload(Kind);

#[derive(Debug)]
enum Kind {
    Static(&'static [u8]),
    Owned(Vec<u8>),
    Chunk(Chunk),
}

impl Payload {
    /// No bytes.
    pub const EMPTY: Payload = Payload(Kind::Static(&[]));

    /// Number of bytes.
    pub fn len(&self) -> usize {
        match &self.0 {
            Kind::Static(bytes) => bytes.len(),
            Kind::Owned(bytes) => bytes.len(),
            Kind::Chunk(chunk) => chunk.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Hands the bytes to `call`, which passes them to a slot that takes or
    /// copies them.
    pub(super) fn cross<R>(self, call: impl FnOnce(Buffer) -> R) -> R {
        match self.0 {
            Kind::Static(bytes) => call(Buffer::borrowed(bytes)),
            Kind::Owned(bytes) if bytes.len() <= COPIED_BYTES_MAX => call(Buffer::borrowed(&bytes)),
            Kind::Owned(bytes) => call(own(Box::new(bytes))),
            Kind::Chunk(mut chunk) => call(std::mem::replace(&mut chunk.0, Buffer::EMPTY)),
        }
    }
}

impl From<&'static str> for Payload {
    fn from(text: &'static str) -> Self {
        Payload(Kind::Static(text.as_bytes()))
    }
}

impl From<&'static [u8]> for Payload {
    fn from(bytes: &'static [u8]) -> Self {
        Payload(Kind::Static(bytes))
    }
}

impl From<String> for Payload {
    fn from(text: String) -> Self {
        Payload(Kind::Owned(text.into_bytes()))
    }
}

impl From<Vec<u8>> for Payload {
    fn from(bytes: Vec<u8>) -> Self {
        Payload(Kind::Owned(bytes))
    }
}

impl From<Chunk> for Payload {
    fn from(chunk: Chunk) -> Self {
        Payload(Kind::Chunk(chunk))
    }
}

/// Makes a buffer that owns `bytes`.
#[expect(
    clippy::box_collection,
    reason = "release gets one thin pointer and needs the capacity"
)]
fn own(bytes: Box<Vec<u8>>) -> Buffer {
    let (ptr, len) = (bytes.as_ptr(), bytes.len());
    Buffer {
        ptr,
        len,
        owner: Box::into_raw(bytes).cast(),
        release: Release(Some(release)),
    }
}

unsafe extern "C" fn release(owner: *mut c_void) {
    // SAFETY: `own` made `owner` of a box, and `release` is called once.
    drop(unsafe { Box::from_raw(owner.cast::<Vec<u8>>()) });
}
