//! A place in a queue: whoever waits may leave it, until its turn has come.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Instant;

use exthost_abi::Status;
use tokio::sync::oneshot;

use crate::services::db::error::busy_since;
use crate::services::error::ServiceError;

/// Makes the two ends of a place: the one that is queued, and the one that
/// waits.
pub(super) fn ticket<T>() -> (Ticket<T>, Waiting<T>) {
    let (sender, receiver) = oneshot::channel();
    let place = Arc::new(AtomicU8::new(QUEUED));
    let ticket = Ticket {
        reply: sender,
        place: place.clone(),
    };
    let waiting = Waiting {
        reply: receiver,
        place,
        since: Instant::now(),
    };
    (ticket, waiting)
}

const QUEUED: u8 = 0;
const BEGUN: u8 = 1;
const LEFT: u8 = 2;

/// The end that is queued.
#[derive(Debug)]
pub(super) struct Ticket<T> {
    reply: oneshot::Sender<Result<T, ServiceError>>,
    place: Arc<AtomicU8>,
}

impl<T> Ticket<T> {
    /// Says that its turn has come; false when nobody waits any more.
    pub(super) fn begin(&self) -> bool {
        let begun = self
            .place
            .compare_exchange(QUEUED, BEGUN, Ordering::AcqRel, Ordering::Acquire);
        begun.is_ok()
    }

    /// Tells how it went.
    pub(super) fn answer(self, result: Result<T, ServiceError>) {
        // Whoever waited may have been stopped meanwhile.
        let _ = self.reply.send(result);
    }
}

/// The end that waits; dropped before its turn, the work is not done.
#[derive(Debug)]
pub(super) struct Waiting<T> {
    reply: oneshot::Receiver<Result<T, ServiceError>>,
    place: Arc<AtomicU8>,
    since: Instant,
}

impl<T> Waiting<T> {
    /// Waits for the answer, and until `turn_by` for its turn.
    pub(super) async fn answer(mut self, turn_by: Instant) -> Result<T, ServiceError> {
        // Work done on this thread has been answered by now.
        if let Ok(answer) = self.reply.try_recv() {
            return answer;
        }
        tokio::select! {
            biased;
            answer = &mut self.reply => return answer.unwrap_or_else(|_| Err(unanswered())),
            () = tokio::time::sleep_until(turn_by.into()) => {}
        }
        if self.leave() {
            return Err(busy_since(self.since));
        }
        (&mut self.reply)
            .await
            .unwrap_or_else(|_| Err(unanswered()))
    }

    fn leave(&self) -> bool {
        let left = self
            .place
            .compare_exchange(QUEUED, LEFT, Ordering::AcqRel, Ordering::Acquire);
        left.is_ok()
    }
}

impl<T> Drop for Waiting<T> {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Why work was dropped without an answer: the lane was closed, or it panicked.
fn unanswered() -> ServiceError {
    ServiceError::new(
        Status::STOPPED,
        "stopped",
        "the database was closed while this call waited for it",
    )
}
