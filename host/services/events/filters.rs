//! Events whose filters are waited for: asked in turn, each may change the
//! payload or veto.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::name::PluginName;
use crate::services::context::Phase;
use crate::services::error::ServiceError;
use crate::services::events::Events;
use crate::services::events::delivery::{Delivery, Live, Verdict};
use crate::services::events::event::{Emitter, Event, Message, handling};
use crate::services::events::matches::{Listing, Matches};
use crate::services::events::subscription::{Handle, Heard};
use crate::services::events::worker::no_answer;
use crate::services::watchdog;

/// What a filter's panic, error or silence means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// The filter is passed over.
    FailOpen,
    /// The filter vetoes.
    FailClosed,
}

/// An event whose filters are to be asked.
#[derive(Debug)]
pub struct Prepared {
    matches: Arc<Matches>,
    event: Arc<Event>,
}

/// What filters made of an event.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The event as they left it.
    pub event: Arc<Event>,
    /// Who refused it, if anybody did.
    pub veto: Option<Veto>,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Veto {
    /// The plugin that refused.
    pub by: PluginName,
    /// Its reason, for people.
    pub reason: String,
}

/// Time for all filters when nobody says.
const REQUEST_DEADLINE: Duration = Duration::from_secs(5);

/// Longest time for all filters.
const REQUEST_DEADLINE_MAX: Duration = Duration::from_secs(300);

impl Events {
    /// Checks an event whose filters are to be asked.
    ///
    /// # Errors
    /// As for [`emit`](Events::emit).
    pub fn prepare(&self, by: Emitter, message: &Message<'_>) -> Result<Prepared, ServiceError> {
        let matches = self.admit(&by, message)?;
        let event = Event::new(matches.name.clone(), message, by);
        Ok(Prepared {
            matches,
            event: Arc::new(event),
        })
    }

    /// Asks the filters of an event in turn, and tells its observers what they
    /// made of it, unless one vetoed. `deadline` is the time for all filters.
    ///
    /// # Errors
    /// `busy` when too many filters wait for a thread. A filter that fails is no
    /// error, but what `policy` says.
    pub async fn decide(
        &self,
        prepared: Prepared,
        policy: Policy,
        deadline: Option<Duration>,
    ) -> Result<Decision, ServiceError> {
        let Prepared {
            mut matches,
            mut event,
        } = prepared;
        let time = deadline.unwrap_or(REQUEST_DEADLINE);
        let until = Instant::now() + time.min(REQUEST_DEADLINE_MAX);
        let mut asked: Vec<Listing> = Vec::new();
        loop {
            let is_next = |filter: &&Listing| {
                filter.hears(&event) && !asked.iter().any(|asked| asked.is(filter))
            };
            let Some(filter) = matches.filters.iter().find(is_next) else {
                break;
            };
            let answer = match self.ask(filter, &event, until).await? {
                Asked::Answered(answer) => answer,
                Asked::Stale => {
                    let now = self.find(&event.name);
                    if now.version != matches.version {
                        asked = now.following(&asked);
                        matches = now;
                        continue;
                    }
                    // Its plugin has ended, and no other generation took its place.
                    Err(ServiceError::stopped())
                }
            };
            let verdict = match answer {
                Ok(verdict) => verdict,
                Err(_) if policy == Policy::FailOpen => Verdict::Pass,
                // What the plugin says of its failure is in the log.
                Err(error) => Verdict::Veto(format!("its filter failed: {}", error.status.name())),
            };
            match verdict {
                Verdict::Pass => {}
                Verdict::Replace(payload) => Arc::make_mut(&mut event).payload = payload,
                Verdict::Veto(reason) => {
                    let by = filter.mailbox.context.name.clone();
                    let veto = Some(Veto { by, reason });
                    return Ok(Decision { event, veto });
                }
            }
            asked.push(filter.clone());
        }
        self.tell(&matches, &event);
        Ok(Decision { event, veto: None })
    }

    /// Asks one filter.
    ///
    /// # Errors
    /// `busy` when it cannot be asked.
    async fn ask(
        &self,
        filter: &Listing,
        event: &Arc<Event>,
        until: Instant,
    ) -> Result<Asked, ServiceError> {
        let (context, subscription) = (&filter.mailbox.context, &filter.subscription);
        // Kept by the call until it returns, and here until it is answered.
        let Some(permit) = context.calls.enter().map(Arc::new) else {
            return Ok(Asked::Stale);
        };
        let Ok(handle) = filter.mailbox.filter(filter.id) else {
            return Ok(Asked::Stale);
        };
        let now = Instant::now();
        let left = until.saturating_duration_since(now);
        let time = subscription.deadline.map_or(left, |own| own.min(left));
        let (delivery, mut answered) = Delivery::awaited(
            context.clone(),
            subscription.clone(),
            event.clone(),
            now + time,
        );
        let live = Live::new(delivery)?;
        let call = Call {
            id: live.id,
            delivery: live.delivery.clone(),
            subscription: filter.id,
            handle,
        };
        if subscription.is_inline() {
            watchdog::inline(live.id, || call.run());
        } else {
            let permit = permit.clone();
            self.nested.run(event.origin.depth, move || {
                call.run();
                drop(permit);
            })?;
        }
        let result = tokio::select! {
            biased;
            answered = &mut answered => answered.unwrap_or_else(|_| Err(ServiceError::stopped())),
            () = tokio::time::sleep_until((now + time).into()) => Err(no_answer(time)),
            () = context.reached(Phase::Stopped) => Err(ServiceError::stopped()),
        };
        if let Err(error) = &result {
            live.delivery.forsake();
            live.delivery.fault(error);
        }
        Ok(Asked::Answered(result))
    }
}

/// What asking a filter came to.
enum Asked {
    /// Its verdict, or its failure, which was counted.
    Answered(Result<Verdict, ServiceError>),
    /// It is not there any more.
    Stale,
}

/// A call of a filter, on its way to the thread that runs it.
struct Call {
    id: u64,
    delivery: Arc<Delivery>,
    subscription: u64,
    handle: Arc<Handle>,
}

impl Call {
    fn run(self) {
        // Nobody may wait any more, when it has waited for its thread.
        if self.delivery.is_forsaken() {
            return;
        }
        let heard = Heard {
            subscription: self.subscription,
            event: &self.delivery.event,
            lost: 0,
        };
        let returned = handling(heard.event, || (self.handle)(self.id, &heard));
        if let Err(error) = returned {
            // It may have answered before it failed, and then that counts.
            let _ = self.delivery.answer(Err(error));
        }
    }
}
