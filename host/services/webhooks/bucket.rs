//! Keeps an endpoint's rate.

use std::time::{Duration, Instant};

/// A token bucket: holds the tokens of one second, or one.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: f64,
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(rate: f64, now: Instant) -> Self {
        Bucket {
            rate,
            tokens: rate.max(1.0),
            at: now,
        }
    }

    /// How many attempts may begin.
    pub(crate) fn tokens(&mut self, now: Instant) -> usize {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * self.rate).min(self.rate.max(1.0));
        self.at = now;
        // What a wait for exactly one token leaves missing is rounding.
        (self.tokens + 1e-6) as usize
    }

    /// An attempt begins.
    pub(crate) fn take(&mut self) {
        self.tokens -= 1.0;
    }

    /// When the next attempt may begin.
    pub(crate) fn next_at(&self) -> Instant {
        let missing = (1.0 - self.tokens).max(0.0);
        self.at + Duration::from_secs_f64(missing / self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_kept() {
        for rate in [0.5, 1.0, 2.5, 100.0] {
            let start = Instant::now();
            let mut bucket = Bucket::new(rate, start);
            let (mut now, mut taken) = (start, 0);
            while now < start + Duration::from_secs(100) {
                for _ in 0..bucket.tokens(now) {
                    bucket.take();
                    taken += 1;
                }
                let next = bucket.next_at();
                assert!(next >= now, "{rate}");
                now = next;
            }
            let most = rate * 100.0 + rate.max(1.0) + 1.0;
            let least = rate * 100.0;
            assert!(
                (least..=most).contains(&f64::from(taken)),
                "{rate}: {taken}"
            );
        }
    }
}
