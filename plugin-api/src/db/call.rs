//! What was asked of the host, to be awaited or waited for.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::export::host::Host;
use crate::export::operation::Operation;
use crate::{Error, Result};

/// A call of the host that begins when it is awaited, or waited for.
///
/// * In an `async fn`, `.await` it. No thread is held meanwhile. Dropping it
///   after it has begun cancels it: what had not been committed then is not done.
/// * In an `fn`, [`wait`](Call::wait) for it.
///
/// Parameters and payloads are encoded when it is made, and what is wrong with
/// them is the error of the call.
#[must_use = "the host is asked only when this is awaited, or waited for"]
pub struct Call<'a, T>(State<'a, T>);

enum State<'a, T> {
    New(&'static Host, Box<dyn Slot<T> + 'a>),
    Failed(Error),
    Begun(Operation<T>),
    Done,
}

/// A slot of the host in its two forms, with its arguments.
pub(crate) trait Slot<T>: Send {
    /// Calls the form that blocks.
    fn wait(self: Box<Self>, host: &'static Host) -> Result<T>;

    /// Calls the form that completes.
    fn begin(self: Box<Self>, host: &'static Host) -> Result<Operation<T>>;
}

impl<'a, T: Send + 'static> Call<'a, T> {
    /// A call of `slot`, or one that fails because its arguments did.
    pub(crate) fn new(host: &'static Host, slot: Result<impl Slot<T> + 'a>) -> Self {
        Call(match slot {
            Ok(slot) => State::New(host, Box::new(slot)),
            Err(error) => State::Failed(error),
        })
    }

    /// Asks the host and blocks this thread until it has answered.
    ///
    /// # Errors
    /// What the host answers; in an `async fn`, whose thread must not block, that
    /// is `misplaced`.
    pub fn wait(self) -> Result<T> {
        match self.0 {
            State::New(host, slot) => slot.wait(host),
            State::Failed(error) => Err(error),
            State::Begun(_) | State::Done => Err(Error::internal(
                "a call that was polled must be awaited to its end",
            )),
        }
    }
}

/// Nothing in it is pinned.
impl<T> Unpin for Call<'_, T> {}

impl<T: Send + 'static> Future for Call<'_, T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let mut operation = match std::mem::replace(&mut self.0, State::Done) {
            State::New(host, slot) => match slot.begin(host) {
                Ok(operation) => operation,
                Err(error) => return Poll::Ready(Err(error)),
            },
            State::Begun(operation) => operation,
            State::Failed(error) => return Poll::Ready(Err(error)),
            State::Done => return Poll::Pending,
        };
        let polled = Pin::new(&mut operation).poll(cx);
        if polled.is_pending() {
            self.0 = State::Begun(operation);
        }
        polled
    }
}

impl<T> fmt::Debug for Call<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            State::New(..) => "Call(new)",
            State::Failed(_) => "Call(failed)",
            State::Begun(_) => "Call(begun)",
            State::Done => "Call(done)",
        })
    }
}
