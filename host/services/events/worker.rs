//! Calls handlers with the events that wait for them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use exthost_abi::Status;
use tokio::sync::oneshot::error::TryRecvError;

use crate::gate::CallPermit;
use crate::services::cause::{Cause, Causes};
use crate::services::context::Phase;
use crate::services::error::ServiceError;
use crate::services::events::delivery::{Answered, Delivery, Live};
use crate::services::events::event::{Event, handling};
use crate::services::events::lane::Place;
use crate::services::events::mailbox::Mailbox;
use crate::services::events::state::Turn;
use crate::services::events::subscription::Heard;
use crate::services::watchdog;

/// Deliveries after which a worker lets others have its thread.
const TURNS_MAX: usize = 512;

/// When it is looked at first whether the handlers need further threads; then it
/// is each time after twice as long, until they do.
const LOOK_AFTER: Duration = Duration::from_millis(1);

/// The longest time between two looks.
const LOOK_AFTER_MAX: Duration = Duration::from_millis(16);

impl Mailbox {
    /// Hires a worker on the plugin's blocking threads.
    pub(super) fn hire_on_pool(self: &Arc<Self>) {
        let Some(permit) = self.context.work.enter() else {
            return;
        };
        let context = self.context.clone();
        let stopped = async move { context.reached(Phase::Stopped).await };
        let mailbox = self.clone();
        self.pool.run_in_turn(stopped, move || {
            Worker::new(mailbox, Place::Pool).work();
            drop(permit);
        });
    }

    /// Hires further ones on the plugin's blocking threads, while handlers take
    /// their time.
    pub(super) fn look_after(self: &Arc<Self>) {
        let mailbox = self.clone();
        self.runtime.spawn(async move {
            let mut pause = LOOK_AFTER;
            loop {
                tokio::time::sleep(pause).await;
                pause = match mailbox.look() {
                    None => return,
                    Some(false) => LOOK_AFTER_MAX.min(2 * pause),
                    Some(true) => {
                        mailbox.hire_on_pool();
                        LOOK_AFTER
                    }
                };
            }
        });
    }

    /// Hires the worker on the runtime.
    pub(super) fn hire_on_runtime(self: &Arc<Self>) {
        let Some(permit) = self.context.work.enter() else {
            return;
        };
        let mailbox = self.clone();
        self.runtime.spawn(async move {
            let mut worker = Worker::new(mailbox, Place::Runtime);
            while worker.work_on() {
                tokio::task::yield_now().await;
            }
            drop(worker);
            drop(permit);
        });
    }

    /// Goes on with the subscription's next event once this one is answered.
    fn await_answer(self: &Arc<Self>, id: u64, later: Later) {
        let mailbox = self.clone();
        self.runtime.spawn(async move {
            let Later {
                live,
                answered,
                time,
                until,
                permit,
            } = later;
            tokio::select! {
                biased;
                Ok(answer) = answered => live.settle(answer),
                () = tokio::time::sleep_until(until.into()) => {
                    live.delivery.forsake();
                    live.delivery.fault(&no_answer(time));
                }
                () = mailbox.context.reached(Phase::Stopped) => live.delivery.forsake(),
            }
            drop(live);
            mailbox.ended(id);
            drop(permit);
        });
    }
}

/// Calls handlers in one place, one after the other.
struct Worker {
    mailbox: Arc<Mailbox>,
    place: Place,
    /// The id of the delivery under way, of those that end when the handler
    /// returns; kept from one to the next, for a new one costs more.
    cause: Option<u64>,
    /// The subscription that it was with, whose events were dealt with.
    ended: Option<u64>,
}

impl Worker {
    fn new(mailbox: Arc<Mailbox>, place: Place) -> Self {
        Worker {
            mailbox,
            place,
            cause: None,
            ended: None,
        }
    }

    /// Works until there is nothing to do, or others are to have the thread.
    fn work(mut self) {
        if self.work_on() {
            self.mailbox.pause(self.place, self.ended);
        }
    }

    /// Works for a while; tells whether there may be more to do.
    fn work_on(&mut self) -> bool {
        let mut turns = 0;
        while turns == 0 || (turns < TURNS_MAX && !self.is_in_the_way()) {
            let Some(turn) = self.mailbox.turn(self.place, self.ended.take()) else {
                return false;
            };
            turns += self.take(&turn);
        }
        true
    }

    /// Whether a call of the plugin waits for the thread that this works on.
    fn is_in_the_way(&self) -> bool {
        self.place == Place::Pool && self.mailbox.pool.is_wanted()
    }

    /// Delivers events of a turn; returns how many.
    fn take(&mut self, turn: &Turn) -> usize {
        let mut events = 0;
        while let Some((event, lost)) = turn.next() {
            events += 1;
            let delivered = &self.mailbox.context.metrics.events_delivered;
            delivered.fetch_add(1, Ordering::Relaxed);
            if !turn.subscription.answers {
                self.tell(turn, event, lost);
            } else if let Some(later) = self.ask(turn, event, lost) {
                self.mailbox.await_answer(turn.id, later);
                return events;
            }
            if self.is_in_the_way() {
                break;
            }
        }
        self.ended = Some(turn.id);
        events
    }

    /// Calls a handler that is done when it returns.
    fn tell(&mut self, turn: &Turn, event: Arc<Event>, lost: u64) {
        let returned = self.cause_of(turn, &event).and_then(|cause| {
            self.cause = Some(cause);
            self.call(turn, cause, &event, lost)
        });
        if let Err(error) = returned {
            event.fault(&self.mailbox.context, &error);
        }
    }

    /// The id of a delivery that ends when the handler returns.
    fn cause_of(&self, turn: &Turn, event: &Arc<Event>) -> Result<u64, ServiceError> {
        let causes = Causes::of_process();
        let delivery = || {
            let context = self.mailbox.context.clone();
            Arc::new(Delivery::plain(
                context,
                turn.subscription.clone(),
                event.clone(),
            ))
        };
        // Both are dropped when the table of causes is not locked any more.
        let (mut before, mut held) = (None, None);
        let renew = |cause: &mut Cause| {
            let reused = match cause {
                Cause::Event(delivery) => Arc::get_mut(delivery),
                _ => None,
            };
            match reused {
                Some(reused) => before = Some(reused.reuse(&turn.subscription, event.clone())),
                // Something that its handler began holds it.
                None => held = Some(std::mem::replace(cause, Cause::Event(delivery()))),
            }
        };
        let renewed = self.cause.and_then(|cause| causes.renew(cause, renew));
        drop((before, held));
        renewed.map_or_else(|| causes.insert(|_| Cause::Event(delivery())), Ok)
    }

    /// Calls a handler that may answer later; what is left when it does.
    fn ask(&self, turn: &Turn, event: Arc<Event>, lost: u64) -> Option<Later> {
        let context = &self.mailbox.context;
        let time = turn.subscription.deadline;
        let time = time.unwrap_or(context.limits.observer_deadline);
        let until = Instant::now() + time;
        let (delivery, mut answered) = Delivery::awaited(
            context.clone(),
            turn.subscription.clone(),
            event.clone(),
            until,
        );
        let live = match Live::new(delivery) {
            Ok(live) => live,
            Err(error) => {
                event.fault(context, &error);
                return None;
            }
        };
        if let Err(error) = self.call(turn, live.id, &event, lost) {
            live.delivery.forsake();
            live.delivery.fault(&error);
            return None;
        }
        // Most handlers that can answer later have no need to.
        match answered.try_recv() {
            Ok(answer) => {
                live.settle(answer);
                None
            }
            Err(TryRecvError::Closed) => None,
            Err(TryRecvError::Empty) => Some(Later {
                live,
                answered,
                time,
                until,
                permit: context.work.enter()?,
            }),
        }
    }

    fn call(&self, turn: &Turn, cause: u64, event: &Event, lost: u64) -> Result<(), ServiceError> {
        let heard = Heard {
            subscription: turn.id,
            event,
            lost,
        };
        let call = || handling(event, || (turn.handle)(cause, &heard));
        match self.place {
            Place::Pool => call(),
            Place::Runtime => watchdog::inline(cause, call),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(cause) = self.cause {
            Causes::of_process().remove(cause);
        }
    }
}

/// A delivery whose handler has returned without an answer.
struct Later {
    live: Live,
    answered: Answered,
    /// What it has for the answer.
    time: Duration,
    until: Instant,
    permit: CallPermit,
}

/// Why a handler that was to answer has failed.
pub(super) fn no_answer(time: Duration) -> ServiceError {
    let ms = time.as_millis();
    let message = format!("the handler did not answer within {ms} ms");
    ServiceError::new(Status::TIMEOUT, "deadline", message)
}
