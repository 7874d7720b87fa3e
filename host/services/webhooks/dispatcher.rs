//! Delivers what is queued: one task that takes turns with the file, and one
//! for each attempt under way.
//!
//! A turn writes all that has ended and leases what is due, in one transaction,
//! so the disk is waited for once however many attempts there are.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::task::{Id, JoinError, JoinSet};

use crate::clock::{self, Clock};
use crate::services::webhooks::lane::Lane;
use crate::services::webhooks::sender::Answer;
use crate::services::webhooks::settings::WebhookSettings;
use crate::services::webhooks::store::{Ask, GONE, Leased, Outcome, Plan, Store};
use crate::services::webhooks::told::{Ended, Told};
use crate::services::webhooks::verdict::Verdict;

/// Longest sleep, so that a clock that was set is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// Pause after the file could not be written.
const FILE_PAUSE: Duration = Duration::from_secs(1);

/// Time between two looks for what has been kept long enough.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// What the dispatcher and those who queue share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub store: Store,
    pub lanes: Vec<Arc<Lane>>,
    pub settings: WebhookSettings,
    /// Told when something was queued.
    pub wake: Notify,
    /// Until when attempts under way may go on, once the end has begun.
    pub end: watch::Sender<Option<Instant>>,
    /// Told how each delivery ends.
    pub told: Arc<Told>,
}

impl Shared {
    pub(crate) fn lane(&self, name: &str) -> Option<&Arc<Lane>> {
        self.lanes.iter().find(|lane| lane.name() == name)
    }
}

/// The task that delivers.
#[derive(Debug)]
pub(crate) struct Dispatcher {
    shared: Arc<Shared>,
    attempts: JoinSet<Answer>,
    flights: HashMap<Id, Flight>,
    /// What has ended and is not in the file yet.
    outcomes: Vec<Outcome>,
    /// The endpoint that is asked first; it moves on each turn, so that none is
    /// always last when there is no room for all.
    first: usize,
    sweep_at: Instant,
    /// Why the last turn failed, if it did.
    failed: Option<String>,
}

/// An attempt under way.
#[derive(Debug)]
struct Flight {
    lane: Arc<Lane>,
    delivery: i64,
    id: String,
    plugin: String,
    event_type: String,
    tries: u32,
    lease_until_ms: i64,
    begun: Instant,
    probe: bool,
}

impl Dispatcher {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Dispatcher {
            sweep_at: shared.settings.clock.now(),
            shared,
            attempts: JoinSet::new(),
            flights: HashMap::new(),
            outcomes: Vec::new(),
            first: 0,
            failed: None,
        }
    }

    /// Delivers until the end, then waits for the attempts under way.
    pub(crate) async fn run(mut self) {
        let mut end = self.shared.end.subscribe();
        let shared = self.shared.clone();
        loop {
            let ends = *end.borrow_and_update();
            if let Some(ends) = ends {
                return self.close(ends).await;
            }
            let next = self.turn().await.min(self.sweep().await);
            tokio::select! {
                () = shared.wake.notified() => {}
                Some(ended) = self.attempts.join_next_with_id() => self.end(ended),
                () = shared.settings.clock.sleep_until(next) => {}
                _ = end.changed() => {}
            }
            while let Some(ended) = self.attempts.try_join_next_with_id() {
                self.end(ended);
            }
        }
    }

    /// Writes what has ended, begins what is due, and tells when to look again.
    async fn turn(&mut self) -> Instant {
        let now = self.clock().now();
        let lanes = &self.shared.lanes;
        self.first = (self.first + 1) % lanes.len().max(1);
        let (before, after) = lanes.split_at(self.first.min(lanes.len()));
        let asks: Vec<Ask> = after
            .iter()
            .chain(before)
            .map(|lane| Ask {
                endpoint: lane.name().to_owned(),
                fifo: lane.endpoint().is_fifo(),
                slots: lane.slots(now),
            })
            .filter(|ask| ask.slots > 0)
            .collect();
        let in_flight_max = self.shared.settings.in_flight_max;
        let free = in_flight_max.saturating_sub(self.flights.len());
        let flights = self.flights.values();
        let under_way: Vec<_> = flights.map(|flight| flight.delivery).collect();
        // Kept until they are known to be written.
        let outcomes = Arc::new(std::mem::take(&mut self.outcomes));
        let (shared, written) = (self.shared.clone(), outcomes.clone());
        let turn = tokio::task::spawn_blocking(move || {
            let now_ms = shared.settings.clock.now_ms();
            let lease_until_ms = now_ms.saturating_add(clock::ms(shared.settings.lease()));
            shared.store.turn(&Plan {
                now_ms,
                lease_until_ms,
                outcomes: &written,
                under_way: &under_way,
                asks: &asks,
                free,
            })
        });
        let turn = match turn.await {
            Ok(Ok(turn)) => turn,
            failed => {
                let why = match failed {
                    Ok(Err(error)) => error.to_string(),
                    _ => "the turn panicked".to_owned(),
                };
                // Told once, not at each attempt: a full disk may last for days.
                if self.failed.as_ref() != Some(&why) {
                    tracing::error!(why, "webhooks wait: their file cannot be written");
                }
                self.failed = Some(why);
                self.outcomes.extend(outcomes.iter().cloned());
                return now + FILE_PAUSE;
            }
        };
        if self.failed.take().is_some() {
            tracing::info!("webhooks go on: their file can be written");
        }
        for leased in turn.leased {
            self.begin(leased);
        }
        let due = turn.next_due_ms.map(|due_ms| self.clock().at_ms(due_ms));
        let lanes = self.shared.lanes.iter();
        // As of the time when they were asked for slots: one that became free
        // during the turn is looked at in the next, which comes at once.
        let next = lanes.filter_map(|lane| lane.next_at(now)).chain(due).min();
        next.unwrap_or(now + SLEEP_MAX).min(now + SLEEP_MAX)
    }

    fn begin(&mut self, leased: Leased) {
        let Some(lane) = self.shared.lane(&leased.endpoint).cloned() else {
            return;
        };
        let begun = self.clock().now();
        let flight = Flight {
            probe: lane.begin(begun),
            begun,
            delivery: leased.delivery,
            id: leased.message.id.clone(),
            plugin: leased.plugin,
            event_type: leased.event_type,
            tries: leased.tries,
            lease_until_ms: leased.lease_until_ms,
            lane: lane.clone(),
        };
        let attempt = async move { lane.sender.send(&leased.message).await };
        self.flights
            .insert(self.attempts.spawn(attempt).id(), flight);
    }

    fn clock(&self) -> &Clock {
        &self.shared.settings.clock
    }

    /// Notes the end of an attempt, for the next turn.
    fn end(&mut self, ended: Result<(Id, Answer), JoinError>) {
        let (task, answer) = match ended {
            Ok((task, answer)) => (task, answer),
            Err(error) => (error.id(), Answer::broken(self.clock().now_ms())),
        };
        let Some(flight) = self.flights.remove(&task) else {
            return;
        };
        let verdict = Verdict::of(&answer, flight.tries, &self.shared.settings);
        let delivered = verdict == Verdict::Delivered;
        // As in the file: a clock that is moved meanwhile makes it no later.
        let took = Duration::from_millis(answer.took_ms.unsigned_abs());
        let ended = flight.begun + took;
        let failures = flight.lane.end(delivered, flight.probe, ended);
        let (id, endpoint) = (&*flight.id, flight.lane.name().to_owned());
        let status = answer.status.map(|status| status.as_u16());
        let error = answer.error.as_deref();
        match &verdict {
            Verdict::Delivered => tracing::debug!(id, endpoint, status, "webhook delivered"),
            Verdict::Retry(pause) => {
                tracing::debug!(
                    id,
                    endpoint,
                    status,
                    error,
                    ?pause,
                    "webhook not delivered yet"
                );
            }
            Verdict::Dead(reason) => tracing::warn!(id, endpoint, reason, "webhook is dead"),
            Verdict::Gone => {
                tracing::warn!(id, endpoint, "{GONE}; enable it again once it is mended");
                flight.lane.disable(GONE);
            }
        }
        let dead = match &verdict {
            Verdict::Delivered | Verdict::Retry(_) => None,
            Verdict::Dead(reason) => Some(&**reason),
            Verdict::Gone => Some(GONE),
        };
        if delivered || dead.is_some() {
            self.shared.told.tell(&Ended {
                id,
                plugin: &flight.plugin,
                event: &flight.event_type,
                endpoint: &endpoint,
                attempts: flight.tries + 1,
                status,
                reason: dead,
                endpoint_disabled: verdict == Verdict::Gone,
            });
        }
        self.outcomes.push(Outcome {
            delivery: flight.delivery,
            lease_until_ms: flight.lease_until_ms,
            endpoint,
            answer,
            verdict,
            failures,
        });
    }

    /// Waits for attempts under way until `end`, writes what they came to, and
    /// leaves the others to the next host.
    async fn close(mut self, end: Instant) {
        while !self.attempts.is_empty() {
            let ended = self.attempts.join_next_with_id();
            match tokio::time::timeout_at(end.into(), ended).await {
                Ok(Some(ended)) => self.end(ended),
                Ok(None) | Err(_) => break,
            }
        }
        self.attempts.abort_all();
        // The same lanes go on if the endpoints that were to follow cannot be.
        for flight in self.flights.values() {
            flight.lane.break_off(flight.probe);
        }
        let flights = self.flights.values();
        let leases: Vec<_> = flights
            .map(|flight| (flight.delivery, flight.lease_until_ms))
            .collect();
        let (shared, outcomes) = (self.shared.clone(), std::mem::take(&mut self.outcomes));
        let closed = tokio::task::spawn_blocking(move || shared.store.close(&outcomes, &leases));
        if let Ok(Err(error)) = closed.await {
            tracing::error!(%error, "what the last webhooks came to is not written; they are sent again");
        }
    }

    /// Forgets what has been kept long enough, when it is time. Tells when it is
    /// the next time.
    async fn sweep(&mut self) -> Instant {
        let now = self.clock().now();
        if now < self.sweep_at {
            return self.sweep_at;
        }
        let shared = self.shared.clone();
        let swept = tokio::task::spawn_blocking(move || {
            let now_ms = shared.settings.clock.now_ms();
            let before = |kept| now_ms.saturating_sub(clock::ms(kept));
            let WebhookSettings {
                keep_done,
                keep_dead,
                keep_ids,
                ..
            } = shared.settings;
            shared.store.sweep(
                now_ms,
                before(keep_done),
                before(keep_dead),
                before(keep_ids),
            )
        });
        let pause = match swept.await {
            Ok(Ok(true)) => FILE_PAUSE,
            Ok(Ok(false)) => SWEEP_EVERY,
            Ok(Err(error)) => {
                tracing::warn!(%error, "old webhooks are not removed yet");
                SWEEP_EVERY
            }
            Err(_) => SWEEP_EVERY,
        };
        self.sweep_at = now + pause;
        self.sweep_at
    }
}
