//! How much a plugin does in a second, from counters read now and then.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;

use crate::services::metrics::histogram::{BUCKETS, quantile_ms};
use crate::services::metrics::{CLASSES, PluginMetrics};

/// What a plugin did in a second, of late.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Rates {
    /// The time that this is an average of, in seconds; a minute at most.
    pub window_s: f64,
    /// Responses in a second.
    pub requests_per_s: f64,
    /// Those of them with a status of 5xx.
    pub errors_per_s: f64,
    /// The time to the head of a response that half of them kept within, in
    /// milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<f64>,
    /// The time that 99 in 100 kept within, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<f64>,
}

impl Rates {
    /// The rates between two snapshots; nothing without time between them.
    pub fn between(earlier: &Snapshot, later: &Snapshot) -> Option<Self> {
        let window = later.at.checked_duration_since(earlier.at)?;
        if window.is_zero() {
            return None;
        }
        let window_s = window.as_secs_f64();
        let responses: [u64; CLASSES] = difference(&later.responses, &earlier.responses);
        let took: [u64; BUCKETS] = difference(&later.latency, &earlier.latency);
        Some(Rates {
            window_s,
            requests_per_s: responses.iter().sum::<u64>() as f64 / window_s,
            errors_per_s: responses[CLASSES - 1] as f64 / window_s,
            p50_ms: quantile_ms(&took, 0.5),
            p99_ms: quantile_ms(&took, 0.99),
        })
    }
}

fn difference<const N: usize>(later: &[u64; N], earlier: &[u64; N]) -> [u64; N] {
    std::array::from_fn(|index| later[index].saturating_sub(earlier[index]))
}

/// The counters of a plugin at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    at: Instant,
    responses: [u64; CLASSES],
    latency: [u64; BUCKETS],
}

impl Snapshot {
    /// What `metrics` says, read at `at`.
    pub fn of(metrics: &PluginMetrics, at: Instant) -> Self {
        Snapshot {
            at,
            responses: metrics.responses(),
            latency: metrics.latency.buckets(),
        }
    }
}

/// The latest snapshots of one plugin.
#[derive(Debug)]
pub(crate) struct History {
    snapshots: Mutex<VecDeque<Snapshot>>,
}

/// Snapshots that are kept: with one every five seconds, the last minute.
const SNAPSHOTS_MAX: usize = 13;

impl History {
    /// The history of `metrics`, which begins at `at`.
    pub(crate) fn new(metrics: &PluginMetrics, at: Instant) -> Self {
        History {
            snapshots: Mutex::new([Snapshot::of(metrics, at)].into()),
        }
    }

    /// Adds a snapshot, in place of the oldest if there are too many.
    pub(crate) fn add(&self, snapshot: Snapshot) {
        let mut snapshots = self.lock();
        if snapshots.len() == SNAPSHOTS_MAX {
            snapshots.pop_front();
        }
        snapshots.push_back(snapshot);
    }

    /// The rates over all that is kept; nothing before the second snapshot.
    pub(crate) fn rates(&self) -> Option<Rates> {
        let snapshots = self.lock();
        Rates::between(snapshots.front()?, snapshots.back()?)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Snapshot>> {
        // A snapshot is there or is not.
        self.snapshots
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::*;

    fn answer(metrics: &PluginMetrics, status: StatusCode, times: usize) {
        for _ in 0..times {
            metrics.answered(status, Duration::from_millis(7));
        }
    }

    #[test]
    fn rates_are_differences_over_time() {
        let metrics = PluginMetrics::default();
        answer(&metrics, StatusCode::OK, 1000);
        let begun = Instant::now();
        let earlier = Snapshot::of(&metrics, begun);
        answer(&metrics, StatusCode::OK, 30);
        answer(&metrics, StatusCode::BAD_GATEWAY, 10);
        let later = Snapshot::of(&metrics, begun + Duration::from_secs(20));
        let rates = Rates::between(&earlier, &later).unwrap();
        assert_eq!((rates.window_s, rates.requests_per_s), (20.0, 2.0));
        assert_eq!(rates.errors_per_s, 0.5);
        // All are in the bucket from 5 to 10 ms.
        assert_eq!(rates.p50_ms, Some(7.5));
        assert_eq!(rates.p99_ms, Some(9.95));
        assert_eq!(Rates::between(&later, &earlier), None);
        assert_eq!(Rates::between(&later, &later), None);
    }

    #[test]
    fn without_requests_there_are_no_quantiles() {
        let (metrics, begun) = (PluginMetrics::default(), Instant::now());
        let history = History::new(&metrics, begun);
        assert_eq!(history.rates(), None);
        history.add(Snapshot::of(&metrics, begun + Duration::from_secs(5)));
        let rates = history.rates().unwrap();
        assert_eq!((rates.requests_per_s, rates.p50_ms), (0.0, None));
    }

    #[test]
    fn a_history_is_a_minute() {
        let (metrics, begun) = (PluginMetrics::default(), Instant::now());
        let history = History::new(&metrics, begun);
        for tick in 1..=100 {
            answer(&metrics, StatusCode::OK, tick);
            let at = begun + Duration::from_secs(5) * tick as u32;
            history.add(Snapshot::of(&metrics, at));
        }
        let rates = history.rates().unwrap();
        assert_eq!(rates.window_s, 60.0);
        // The last twelve ticks: 89 to 100.
        assert_eq!(rates.requests_per_s, (89..=100).sum::<u32>() as f64 / 60.0);
    }
}
