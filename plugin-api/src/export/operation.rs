//! Operations that the host completes with a callback, as futures.

use std::ffi::c_void;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use abi::{Buffer, Status};
use exthost_abi as abi;

use super::buffer::Chunk;
use super::fence;
use super::host::{self, Host};
use crate::cause::Cause;
use crate::completion::Completion;
use crate::{Error, Result};

/// What a completing slot was asked for; cancelled when dropped before it is
/// done.
pub(crate) struct Operation<T>(State<T>);

enum State<T> {
    Pending {
        host: &'static Host,
        id: u64,
        shared: Arc<Shared<T>>,
    },
    /// It needed no waiting, or never began.
    Ready(Result<T>),
    Done,
}

/// The side that the callback holds, through a raw pointer, until it has run.
struct Shared<T> {
    host: &'static Host,
    cause: u64,
    result: Completion<Result<T>>,
}

impl<T: Send + 'static> Operation<T> {
    /// Starts an operation: `begin` calls the slot with the callback's data and
    /// the place for the operation's id.
    fn start(host: &'static Host, begin: impl FnOnce(*mut c_void, *mut u64) -> Status) -> Self {
        let shared = Arc::new(Shared {
            host,
            cause: Cause::id_for(host),
            result: Completion::new(),
        });
        let data = Arc::into_raw(Arc::clone(&shared));
        let mut id = 0;
        let status = begin(data.cast_mut().cast(), &raw mut id);
        if let Err(error) = host.check(status) {
            // SAFETY: `data` came from `into_raw` above, and no callback follows
            // a slot that did not answer OK.
            drop(unsafe { Arc::from_raw(data) });
            return Operation::ready(Err(error));
        }
        Operation(State::Pending { host, id, shared })
    }

    /// An operation that needs no waiting.
    pub(super) fn ready(result: Result<T>) -> Self {
        Operation(State::Ready(result))
    }
}

impl Operation<()> {
    /// Starts an operation that ends without a value.
    pub(super) fn done(
        host: &'static Host,
        begin: impl FnOnce(*mut c_void, abi::data::Done, *mut u64) -> Status,
    ) -> Self {
        let callback = abi::data::Done(Some(on_done));
        Operation::start(host, |data, op| begin(data, callback, op))
    }
}

impl Operation<Option<Chunk>> {
    /// Starts an operation that ends with a chunk of a body, or its end.
    pub(super) fn chunk(
        host: &'static Host,
        begin: impl FnOnce(*mut c_void, abi::routes::BodyDone, *mut u64) -> Status,
    ) -> Self {
        let callback = abi::routes::BodyDone(Some(on_chunk));
        Operation::start(host, |data, op| begin(data, callback, op))
    }
}

/// Nothing in it is pinned.
impl<T> Unpin for Operation<T> {}

impl<T> Future for Operation<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        match std::mem::replace(&mut self.0, State::Done) {
            State::Ready(result) => Poll::Ready(result),
            State::Pending { host, id, shared } => {
                let polled = shared.result.poll(cx);
                if polled.is_pending() {
                    self.0 = State::Pending { host, id, shared };
                }
                polled
            }
            State::Done => Poll::Pending,
        }
    }
}

impl<T> Drop for Operation<T> {
    fn drop(&mut self) {
        if let State::Pending { host, id, .. } = &self.0 {
            host.cancel(*id);
        }
    }
}

unsafe extern "C" fn on_done(data: *mut c_void, status: Status, error: *const abi::Error) {
    // SAFETY: `done` made `data` from an `Arc` of this type, and this is the one
    // callback.
    let shared = unsafe { Arc::from_raw(data.cast::<Shared<()>>()) };
    // SAFETY: borrowed for this call, by the contract of `Done`.
    let result = unsafe { outcome(status, error) };
    shared.set(result);
}

unsafe extern "C" fn on_chunk(
    data: *mut c_void,
    status: Status,
    error: *const abi::Error,
    chunk: *mut Buffer,
) {
    // SAFETY: `chunk` made `data` from an `Arc` of this type, and this is the one
    // callback.
    let shared = unsafe { Arc::from_raw(data.cast::<Shared<Option<Chunk>>>()) };
    let result = match status {
        Status::OK if !chunk.is_null() => {
            // SAFETY: not null; with OK the plugin takes the buffer.
            let buffer = unsafe { chunk.read() };
            // SAFETY: the host's, and now the plugin's alone.
            Ok(Some(unsafe { Chunk::from_raw(buffer) }))
        }
        Status::END => Ok(None),
        // SAFETY: borrowed for this call, by the contract of `BodyDone`.
        status => unsafe { outcome(status, error) }.map(|()| None),
    };
    shared.set(result);
}

impl<T> Shared<T> {
    /// Sets the result inside a fence, for it wakes whatever waits, and frees
    /// this side.
    fn set(self: Arc<Self>, result: Result<T>) {
        let cause = Cause {
            host: self.host,
            id: self.cause,
        };
        fence::run(cause, "completion", (), move || self.result.set(result));
    }
}

/// # Safety
/// `error` is null or borrowed for the call.
unsafe fn outcome(status: Status, error: *const abi::Error) -> Result<()> {
    if status.is_ok() {
        return Ok(());
    }
    // SAFETY: the caller's contract.
    match unsafe { error.as_ref() } {
        // SAFETY: its texts are borrowed for the call as well.
        Some(error) => Err(unsafe { host::owned(status, error) }),
        None => Err(Error::from_host(status, "", status.name(), "")),
    }
}
