//! One event at one subscription: the cause of what its handler does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, oneshot};

use crate::services::cause::{Cause, Causes};
use crate::services::context::PluginContext;
use crate::services::error::ServiceError;
use crate::services::events::event::{Event, check_payload};
use crate::services::events::subscription::{Mode, Subscription};

/// An event that a handler is called with, until it has dealt with it.
#[derive(Debug)]
pub struct Delivery {
    /// The plugin that hears it.
    pub context: Arc<PluginContext>,
    /// What heard it.
    pub subscription: Arc<Subscription>,
    /// The event.
    pub event: Arc<Event>,
    /// Until when an answer counts; none when nobody waits for one.
    pub deadline: Option<Instant>,
    answer: Mutex<Answer>,
    forsaken: AtomicBool,
    told: Notify,
}

/// What a filter decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Let it pass as it is.
    Pass,
    /// Go on with another payload.
    Replace(Box<[u8]>),
    /// Refuse, with a reason for people.
    Veto(String),
}

/// Bytes of a reason that are kept.
const REASON_BYTES_MAX: usize = 4 * 1024;

fn cut(reason: &mut String) {
    reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
}

/// The answer of a handler, or why there is none.
pub(super) type Answered = oneshot::Receiver<Result<Verdict, ServiceError>>;

#[derive(Debug)]
enum Answer {
    /// The delivery ends when the handler returns.
    NotAwaited,
    /// It ends with this.
    Awaited(oneshot::Sender<Result<Verdict, ServiceError>>),
    Ended,
}

impl Delivery {
    /// A delivery that ends when the handler returns.
    pub(super) fn plain(
        context: Arc<PluginContext>,
        subscription: Arc<Subscription>,
        event: Arc<Event>,
    ) -> Self {
        Self::new(context, subscription, event, None, Answer::NotAwaited)
    }

    /// Makes a [plain](Self::plain) one that of another event of the same plugin,
    /// and returns the one it had.
    pub(super) fn reuse(
        &mut self,
        subscription: &Arc<Subscription>,
        event: Arc<Event>,
    ) -> Arc<Event> {
        if !Arc::ptr_eq(&self.subscription, subscription) {
            self.subscription = subscription.clone();
        }
        std::mem::replace(&mut self.event, event)
    }

    /// A delivery that ends with an answer, by a filter's verdict or an
    /// observer's word that it is done.
    pub(super) fn awaited(
        context: Arc<PluginContext>,
        subscription: Arc<Subscription>,
        event: Arc<Event>,
        deadline: Instant,
    ) -> (Self, Answered) {
        let (to, answered) = oneshot::channel();
        let answer = Answer::Awaited(to);
        let delivery = Self::new(context, subscription, event, Some(deadline), answer);
        (delivery, answered)
    }

    fn new(
        context: Arc<PluginContext>,
        subscription: Arc<Subscription>,
        event: Arc<Event>,
        deadline: Option<Instant>,
        answer: Answer,
    ) -> Self {
        Delivery {
            context,
            subscription,
            event,
            deadline,
            answer: Mutex::new(answer),
            forsaken: AtomicBool::new(false),
            told: Notify::new(),
        }
    }

    /// Ends it with a verdict, or because the handler has failed.
    ///
    /// # Errors
    /// `gone` when it has ended; `misplaced` when no answer is awaited; `invalid`
    /// or `payload-too-large` for the verdict, after which another may be given.
    pub fn answer(&self, mut verdict: Result<Verdict, ServiceError>) -> Result<(), ServiceError> {
        match &mut verdict {
            Ok(Verdict::Pass) => {}
            Ok(Verdict::Replace(payload)) => check_payload(payload)?,
            // A reason often quotes what it refuses, and must not fail by the length
            // of that.
            Ok(Verdict::Veto(reason)) => cut(reason),
            Err(failure) => cut(&mut failure.message),
        }
        let may_decide = self.subscription.mode == Mode::Filter;
        let mut answer = self.lock();
        match &*answer {
            Answer::NotAwaited => {
                return Err(ServiceError::misplaced(
                    "an observer answers only when it subscribed with SUBSCRIBE_ANSWERS",
                ));
            }
            Answer::Awaited(_) if !may_decide && !matches!(verdict, Ok(Verdict::Pass) | Err(_)) => {
                return Err(ServiceError::invalid(
                    "an observer can only pass; subscribe as a filter to replace or veto",
                ));
            }
            Answer::Awaited(_) | Answer::Ended => {}
        }
        let ended = std::mem::replace(&mut *answer, Answer::Ended);
        drop(answer);
        let sent = match ended {
            Answer::Awaited(to) => to.send(verdict).is_ok(),
            Answer::NotAwaited | Answer::Ended => false,
        };
        match sent {
            true => Ok(()),
            false => Err(ServiceError::gone(
                "this event was answered already, or its deadline has passed",
            )),
        }
    }

    /// Ends it because nobody waits any more.
    pub(super) fn forsake(&self) {
        *self.lock() = Answer::Ended;
        self.forsaken.store(true, Ordering::Release);
        self.told.notify_waiters();
    }

    /// Whether nobody waits for the answer any more.
    pub(crate) fn is_forsaken(&self) -> bool {
        self.forsaken.load(Ordering::Acquire)
    }

    /// Waits until nobody waits for the answer any more.
    pub(crate) async fn forsaken(&self) {
        loop {
            let told = self.told.notified();
            if self.is_forsaken() {
                return;
            }
            told.await;
        }
    }

    /// Counts and logs a fault of the plugin in handling the event.
    pub(crate) fn fault(&self, fault: &ServiceError) {
        self.event.fault(&self.context, fault);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Answer> {
        // Every change is one assignment.
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A delivery under the id that its handler knows; the id ends with it.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) id: u64,
    pub(super) delivery: Arc<Delivery>,
}

impl Live {
    pub(super) fn new(delivery: Delivery) -> Result<Self, ServiceError> {
        let delivery = Arc::new(delivery);
        let id = Causes::of_process().insert(|_| Cause::Event(delivery.clone()))?;
        Ok(Live { id, delivery })
    }

    /// Counts the failure that an observer has answered with.
    pub(super) fn settle(&self, answer: Result<Verdict, ServiceError>) {
        if let Err(error) = answer {
            self.delivery.fault(&error);
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if matches!(*self.delivery.lock(), Answer::Awaited(_)) {
            self.delivery.forsake();
        }
        Causes::of_process().remove(self.id);
    }
}
