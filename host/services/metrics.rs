//! What is counted of one plugin, over all its generations.

mod histogram;
mod rates;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;

pub(crate) use histogram::{BOUNDS_NS, Histogram};
pub use rates::Rates;
pub(crate) use rates::{History, Snapshot};

/// Counters of one plugin; they grow until the process ends.
///
/// # Threading
/// Counting is a few relaxed additions from any thread. A reader may see a
/// request in one counter and not yet in another.
#[derive(Debug, Default)]
pub struct PluginMetrics {
    /// Responses by class, from 1xx to 5xx.
    responses: [AtomicU64; CLASSES],
    /// Time to the heads of these responses.
    pub latency: Histogram,
    /// Panics, overstays and misuse.
    pub faults: AtomicU64,
    /// Events that were handed to an observer.
    pub events_delivered: AtomicU64,
    /// Events that found the queue of an observer full.
    pub events_dropped: AtomicU64,
}

/// Classes of status.
pub(crate) const CLASSES: usize = 5;

impl PluginMetrics {
    /// Counts a response whose head took so long.
    pub fn answered(&self, status: StatusCode, took: Duration) {
        // There is no status below 100; what is above 599 is as bad as 5xx.
        let class = usize::from(status.as_u16() / 100 - 1).min(CLASSES - 1);
        self.responses[class].fetch_add(1, Ordering::Relaxed);
        self.latency.add(took);
    }

    /// Responses by class, from 1xx to 5xx.
    pub fn responses(&self) -> [u64; CLASSES] {
        std::array::from_fn(|class| self.responses[class].load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_counted_by_class() {
        let metrics = PluginMetrics::default();
        for status in [101, 200, 204, 304, 404, 500, 599, 999] {
            let status = StatusCode::from_u16(status).unwrap();
            metrics.answered(status, Duration::from_millis(3));
        }
        assert_eq!(metrics.responses(), [1, 2, 1, 1, 3]);
        assert_eq!(metrics.latency.buckets().iter().sum::<u64>(), 8);
    }
}
