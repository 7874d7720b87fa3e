//! One endpoint with what decides whether it is sent to now.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::clock::Clock;
use crate::config::Endpoint;
use crate::services::webhooks::breaker::{Admission, Breaker};
use crate::services::webhooks::bucket::Bucket;
use crate::services::webhooks::sender::Sender;
use crate::services::webhooks::settings::WebhookSettings;

/// An endpoint, and whether it is sent to now.
#[derive(Debug)]
pub(crate) struct Lane {
    pub sender: Sender,
    slots_max: usize,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    breaker: Breaker,
    bucket: Option<Bucket>,
    in_flight: usize,
    /// Why it was switched off while it served, such as an answer of 410.
    disabled: Option<String>,
}

/// How a lane is, for operators.
#[derive(Debug, Clone)]
pub(crate) struct LaneStatus {
    pub breaker: &'static str,
    pub failures: u32,
    pub in_flight: usize,
    pub disabled: Option<String>,
}

impl Lane {
    /// The lane of an endpoint, as it was left.
    pub(crate) fn new(
        sender: Sender,
        settings: &WebhookSettings,
        failures: u32,
        disabled: Option<String>,
    ) -> Self {
        let now = settings.clock.now();
        let quarter = (settings.in_flight_max / 4).max(1);
        let rate = sender.endpoint().rate();
        Lane {
            slots_max: match sender.endpoint().is_fifo() {
                true => 1,
                false => settings.endpoint_in_flight_max.clamp(1, quarter),
            },
            sender,
            clock: settings.clock.clone(),
            state: Mutex::new(State {
                breaker: Breaker::new(settings, failures, now),
                bucket: rate.map(|rate| Bucket::new(rate, now)),
                in_flight: 0,
                disabled,
            }),
        }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        self.sender.endpoint()
    }

    pub(crate) fn name(&self) -> &str {
        self.endpoint().name()
    }

    /// Whether messages may be queued for it.
    pub(crate) fn is_on(&self) -> bool {
        self.endpoint().is_enabled() && self.state().disabled.is_none()
    }

    /// How many attempts may begin now.
    pub(crate) fn slots(&self, now: Instant) -> usize {
        if !self.is_on() {
            return 0;
        }
        let mut state = self.state();
        let free = self.slots_max.saturating_sub(state.in_flight);
        let tokens = match &mut state.bucket {
            Some(bucket) => bucket.tokens(now),
            None => free,
        };
        match state.breaker.admission(now) {
            Admission::Any => free.min(tokens),
            Admission::Probe => 1.min(free).min(tokens),
            Admission::After(_) | Admission::AfterProbe => 0,
        }
    }

    /// When attempts may begin that may not now, if that is a matter of time.
    pub(crate) fn next_at(&self, now: Instant) -> Option<Instant> {
        if !self.is_on() {
            return None;
        }
        let state = self.state();
        match state.breaker.admission(now) {
            Admission::After(until) => return Some(until),
            // The end of an attempt wakes the dispatcher.
            _ if state.in_flight >= self.slots_max => return None,
            _ => {}
        }
        let next = state.bucket.as_ref().map(Bucket::next_at);
        next.filter(|next| *next > now)
    }

    /// An attempt begins. Tells whether it is a probe.
    pub(crate) fn begin(&self, now: Instant) -> bool {
        let mut state = self.state();
        let probe = state.breaker.admission(now) == Admission::Probe;
        state.in_flight += 1;
        state.breaker.begin();
        if let Some(bucket) = &mut state.bucket {
            bucket.take();
        }
        probe
    }

    /// An attempt has ended. Returns the failures in a row.
    pub(crate) fn end(&self, delivered: bool, probe: bool, now: Instant) -> u32 {
        let mut state = self.state();
        state.in_flight -= 1;
        state.breaker.end(delivered, probe, now);
        state.breaker.failures()
    }

    /// An attempt was broken off by the host.
    pub(crate) fn break_off(&self, probe: bool) {
        let mut state = self.state();
        state.in_flight -= 1;
        state.breaker.break_off(probe);
    }

    /// Queues nothing more for it and sends nothing, for this reason.
    pub(crate) fn disable(&self, why: &str) {
        self.state().disabled = Some(why.to_owned());
    }

    /// Sends to it again.
    pub(crate) fn enable(&self) {
        let mut state = self.state();
        state.disabled = None;
        state.breaker.reset();
    }

    pub(crate) fn status(&self) -> LaneStatus {
        let state = self.state();
        LaneStatus {
            breaker: state.breaker.state(self.clock.now()),
            failures: state.breaker.failures(),
            in_flight: state.in_flight,
            disabled: state.disabled.clone(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
