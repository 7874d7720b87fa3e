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
        result: Arc<Completion<Result<T>>>,
    },
    /// It needed no waiting, or never began.
    Ready(Result<T>),
    Done,
}

/// What the callbacks of one call hold: of a completing slot through a raw
/// pointer until the last of them has run, of a blocking one for the call.
pub(super) struct Held<T, S = ()> {
    host: &'static Host,
    cause: u64,
    /// What callbacks before the last one fill.
    sink: S,
    result: Arc<Completion<Result<T>>>,
}

impl<T: Send + 'static> Operation<T> {
    /// Starts an operation: `begin` calls the slot with the callbacks' data, a
    /// `Held<T, S>`, and the place for the operation's id.
    pub(super) fn start<S: Send + 'static>(
        host: &'static Host,
        sink: S,
        begin: impl FnOnce(*mut c_void, *mut u64) -> Status,
    ) -> Self {
        let held = Held::new(host, sink);
        let result = Arc::clone(&held.result);
        let data = Box::into_raw(Box::new(held));
        let mut id = 0;
        let status = begin(data.cast(), &raw mut id);
        if let Err(error) = host.check(status) {
            // SAFETY: `data` came from `into_raw` above, and no callback follows
            // a slot that did not answer OK.
            drop(unsafe { Box::from_raw(data) });
            return Operation::ready(Err(error));
        }
        Operation(State::Pending { host, id, result })
    }

    /// An operation that needs no waiting.
    pub(crate) fn ready(result: Result<T>) -> Self {
        Operation(State::Ready(result))
    }
}

impl Operation<()> {
    /// Starts an operation that ends without a value.
    pub(super) fn done(
        host: &'static Host,
        begin: impl FnOnce(*mut c_void, abi::data::Done, *mut u64) -> Status,
    ) -> Self {
        Operation::done_with(host, (), begin)
    }
}

impl<T: Send + 'static> Operation<T> {
    /// Starts an operation that ends without a value, and makes it one with
    /// `value`.
    pub(super) fn done_with(
        host: &'static Host,
        value: T,
        begin: impl FnOnce(*mut c_void, abi::data::Done, *mut u64) -> Status,
    ) -> Self {
        let callback = abi::data::Done(Some(on_done::<T>));
        Operation::start(host, value, |data, op| begin(data, callback, op))
    }
}

impl Operation<Option<Chunk>> {
    /// Starts an operation that ends with a chunk of a body, or its end.
    pub(super) fn chunk(
        host: &'static Host,
        begin: impl FnOnce(*mut c_void, abi::routes::BodyDone, *mut u64) -> Status,
    ) -> Self {
        let callback = abi::routes::BodyDone(Some(on_chunk));
        Operation::start(host, (), |data, op| begin(data, callback, op))
    }
}

/// Nothing in it is pinned.
impl<T> Unpin for Operation<T> {}

impl<T> Future for Operation<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        match std::mem::replace(&mut self.0, State::Done) {
            State::Ready(result) => Poll::Ready(result),
            State::Pending { host, id, result } => {
                let polled = result.poll(cx);
                if polled.is_pending() {
                    self.0 = State::Pending { host, id, result };
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

impl<T, S> Held<T, S> {
    pub(super) fn new(host: &'static Host, sink: S) -> Self {
        Held {
            host,
            cause: Cause::id_for(host),
            sink,
            result: Arc::new(Completion::new()),
        }
    }

    /// Takes back what a completing slot was given.
    ///
    /// # Safety
    /// `data` is what [`Operation::start`] of these types passed on, and this is
    /// the last callback.
    pub(super) unsafe fn from_raw(data: *mut c_void) -> Self {
        // SAFETY: made by `into_raw` of such a box, and the host is done with it.
        *unsafe { Box::from_raw(data.cast()) }
    }

    /// Runs a callback that is not the last one; one that panics is answered
    /// with `closed`.
    pub(super) fn receive<R>(
        &mut self,
        slot: &str,
        closed: R,
        work: impl FnOnce(&mut S) -> R,
    ) -> R {
        let cause = self.cause();
        fence::run(cause, slot, closed, || work(&mut self.sink))
    }

    /// Ends the operation with what `finish` makes. All of it is fenced, for the
    /// value is of the plugin's types, and setting it wakes whatever waits.
    pub(super) fn end(self, finish: impl FnOnce(S) -> Result<T>) {
        let cause = self.cause();
        let Held { sink, result, .. } = self;
        let panicked = Err(Error::internal("a callback of the plugin panicked"));
        let value = fence::run(cause, "completion", panicked, || finish(sink));
        fence::run(cause, "completion", (), move || result.set(value));
    }

    /// What the callbacks of a blocking slot filled.
    pub(super) fn into_sink(self) -> S {
        self.sink
    }

    fn cause(&self) -> Cause {
        Cause {
            host: self.host,
            id: self.cause,
        }
    }
}

unsafe extern "C" fn on_done<T: Send + 'static>(
    data: *mut c_void,
    status: Status,
    error: *const abi::Error,
) {
    // SAFETY: `done_with` passed a `Held` of this type, and this is the one
    // callback.
    let held = unsafe { Held::<T, T>::from_raw(data) };
    // SAFETY: borrowed for this call, by the contract of `Done`.
    let outcome = unsafe { outcome(status, error) };
    held.end(|value| outcome.map(|()| value));
}

unsafe extern "C" fn on_chunk(
    data: *mut c_void,
    status: Status,
    error: *const abi::Error,
    chunk: *mut Buffer,
) {
    // SAFETY: `chunk` passed a `Held` of this type, and this is the one callback.
    let held = unsafe { Held::<Option<Chunk>>::from_raw(data) };
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
    held.end(|()| result);
}

/// # Safety
/// `error` is null or borrowed for the call.
pub(super) unsafe fn outcome(status: Status, error: *const abi::Error) -> Result<()> {
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
