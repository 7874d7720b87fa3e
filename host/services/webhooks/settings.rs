//! The times and bounds of delivery, with their defaults in one place.

use std::time::Duration;

use crate::clock::Clock;
use crate::config::AddressRange;

/// How deliveries are tried, and what they may cost.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WebhookSettings {
    /// Ranges of addresses that every endpoint may be at, beside public ones.
    pub allow: Vec<AddressRange>,
    /// Pauses between the attempts; after the last of them, one more attempt.
    pub retries: Vec<Duration>,
    /// How far a pause is lengthened or shortened at random, as a fraction.
    pub jitter: f64,
    /// Longest pause that a receiver may ask for.
    pub retry_after_max: Duration,
    /// Time to connect, with resolving the name and TLS.
    pub connect_timeout: Duration,
    /// Time for one attempt, with the body of the answer.
    pub deadline: Duration,
    /// How long a delivery that a killed host had begun stays its own, beyond
    /// `deadline`.
    pub lease_margin: Duration,
    /// Attempts under way at a time, over all endpoints.
    pub in_flight_max: usize,
    /// Attempts under way at a time to one endpoint; at most a quarter of
    /// `in_flight_max`, and one with FIFO.
    pub endpoint_in_flight_max: usize,
    /// Failures in a row that open an endpoint's breaker.
    pub breaker_failures: u32,
    /// First pause of an open breaker; each probe that fails doubles it.
    pub breaker_pause: Duration,
    /// Longest pause of an open breaker.
    pub breaker_pause_max: Duration,
    /// How long delivered messages are kept.
    pub keep_done: Duration,
    /// How long dead letters are kept.
    pub keep_dead: Duration,
    /// How long ids are kept after their message, so that one that comes again
    /// is not delivered again.
    pub keep_ids: Duration,
    /// Size of the file at which no more messages are accepted.
    pub file_bytes_max: u64,
    /// What all these times go by.
    pub(crate) clock: Clock,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        const DAY: u64 = 24 * HOUR;
        let seconds = [
            5,
            5 * MINUTE,
            30 * MINUTE,
            2 * HOUR,
            5 * HOUR,
            10 * HOUR,
            10 * HOUR,
        ];
        WebhookSettings {
            allow: Vec::new(),
            retries: seconds.map(Duration::from_secs).to_vec(),
            jitter: 0.2,
            retry_after_max: Duration::from_secs(DAY),
            connect_timeout: Duration::from_secs(5),
            deadline: Duration::from_secs(20),
            lease_margin: Duration::from_secs(10),
            in_flight_max: 64,
            endpoint_in_flight_max: 4,
            breaker_failures: 10,
            breaker_pause: Duration::from_secs(5),
            breaker_pause_max: Duration::from_secs(5 * MINUTE),
            keep_done: Duration::from_secs(7 * DAY),
            keep_dead: Duration::from_secs(30 * DAY),
            keep_ids: Duration::from_secs(90 * DAY),
            file_bytes_max: 4 * 1024 * 1024 * 1024,
            clock: Clock::real(),
        }
    }
}

impl WebhookSettings {
    /// How long a delivery that was begun stays with the host that began it.
    pub(crate) fn lease(&self) -> Duration {
        self.deadline + self.lease_margin
    }
}
