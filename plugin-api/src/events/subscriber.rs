//! One subscription as the host calls it: read, handle, answer.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use exthost_abi::Status;

use super::handler::Outcome;
use super::verdict::Answer;
use crate::export::events::Delivery;
use crate::export::host::Host;
use crate::export::tasks::BoxFuture;
use crate::{Error, Result};

/// A handler with its arguments and its result erased.
type Call = Box<dyn Fn(&Delivery<'_>) -> Result<Outcome> + Send + Sync>;

/// A subscription as the host calls it.
pub(crate) struct Subscriber {
    pub(crate) host: &'static Host,
    /// What it hears, for people.
    pub(crate) pattern: String,
    /// Whether it is asked first, rather than told after.
    pub(crate) filters: bool,
    /// Whether it runs on a thread that must not block, and may go on later.
    pub(crate) inline: bool,
    pub(crate) call: Call,
}

impl Subscriber {
    /// Hears one event: answers it, where an answer is waited for, or sees to it that
    /// it will be. An error ends the delivery as failed.
    pub(crate) fn hear(&self, delivery: &Delivery<'_>) -> Result<()> {
        let open = Open {
            host: self.host,
            id: delivery.id(),
            awaited: self.filters || self.inline,
            is_json: delivery.is_json(),
        };
        match (self.call)(delivery)? {
            Outcome::Done(answer) => open.answer(&answer),
            Outcome::Future(future) => self.begin(open, future),
        }
    }

    /// Polls once, here. The waker does nothing, for a spawned task is polled once
    /// more in any case, and only then has an id that can be woken.
    fn begin(&self, open: Open, mut future: BoxFuture<Result<Answer>>) -> Result<()> {
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(&mut future).poll(&mut cx) {
            Poll::Ready(answer) => open.answer(&answer?),
            Poll::Pending => self.spawn(open, future),
        }
    }

    fn spawn(&self, open: Open, future: BoxFuture<Result<Answer>>) -> Result<()> {
        let pledge = Arc::new(Pledge {
            open,
            kept: AtomicBool::new(false),
        });
        let promise = Arc::clone(&pledge);
        let task = async move {
            let answered = future.await.and_then(|answer| open.answer(&answer));
            pledge.keep();
            if let Err(error) = answered {
                open.fail(&format!("{}: {}", error.code(), error.message()));
            }
        };
        // When there is no room for a task the delivery has failed.
        self.host
            .spawn(&self.pattern, Some(open.id), Box::pin(task))
            .map(drop)
            .inspect_err(|_| promise.keep())
    }
}

impl std::fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Subscriber({})", self.pattern)
    }
}

/// A delivery that has not ended.
#[derive(Clone, Copy)]
struct Open {
    host: &'static Host,
    id: u64,
    /// Whether the host waits for an answer.
    awaited: bool,
    is_json: bool,
}

impl Open {
    /// Answers it. One that nobody waits for any more needs no answer.
    fn answer(self, answer: &Answer) -> Result<()> {
        if !self.awaited {
            return Ok(());
        }
        if matches!(answer, Answer::Replace { json: true, .. }) && !self.is_json {
            return Err(Error::internal(
                "a payload that is not JSON can only be replaced by an events::Raw",
            ));
        }
        match self.host.answer_event(self.id, answer) {
            Err(error) if error.host_status() == Some(Status::GONE) => Ok(()),
            outcome => outcome,
        }
    }

    /// Ends it as failed, for a reason for the log.
    fn fail(self, reason: &str) {
        // There is nobody else to tell.
        let _ = self.answer(&Answer::Fail(reason.to_owned()));
    }
}

/// The duty to end a delivery: dropped before it is kept, because the future
/// panicked or was dropped, it says that the handler has failed.
struct Pledge {
    open: Open,
    kept: AtomicBool,
}

impl Pledge {
    fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }
}

impl Drop for Pledge {
    fn drop(&mut self) {
        if !*self.kept.get_mut() {
            self.open
                .fail("the handler panicked, or was dropped before its end");
        }
    }
}
