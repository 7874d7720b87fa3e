//! How long something took, in buckets that are atomics.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the buckets in nanoseconds, inclusive; one more bucket is for
/// what took longer.
pub(crate) const BOUNDS_NS: [u64; BUCKETS - 1] = [
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
    30_000_000_000,
];

/// How many buckets there are.
pub(super) const BUCKETS: usize = 16;

/// Times, counted by bucket.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum_ns: AtomicU64,
}

impl Histogram {
    /// Counts one.
    pub fn add(&self, took: Duration) {
        // Half a millennium of nanoseconds fits.
        let took_ns = took.as_nanos() as u64;
        let bucket = BOUNDS_NS.partition_point(|bound| *bound < took_ns);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum_ns.fetch_add(took_ns, Ordering::Relaxed);
    }

    /// How many there are in each bucket.
    pub fn buckets(&self) -> [u64; BUCKETS] {
        std::array::from_fn(|bucket| self.buckets[bucket].load(Ordering::Relaxed))
    }

    /// All times together, in nanoseconds.
    pub fn sum_ns(&self) -> u64 {
        self.sum_ns.load(Ordering::Relaxed)
    }
}

/// The time within which `share` of those in `buckets` were done, in
/// milliseconds, as if each bucket was filled evenly; nothing if there are none.
/// What took longer than the last bound is taken for that bound.
pub(super) fn quantile_ms(buckets: &[u64; BUCKETS], share: f64) -> Option<f64> {
    let count: u64 = buckets.iter().sum();
    if count == 0 {
        return None;
    }
    let rank = share * count as f64;
    let mut below = 0;
    let mut lower = 0;
    for (in_bucket, upper) in buckets.iter().zip(BOUNDS_NS) {
        if *in_bucket > 0 && (below + in_bucket) as f64 >= rank {
            let part = (rank - below as f64) / *in_bucket as f64;
            let nanoseconds = lower as f64 + part * (upper - lower) as f64;
            return Some(nanoseconds / 1e6);
        }
        below += in_bucket;
        lower = upper;
    }
    Some(lower as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        let histogram = Histogram::default();
        for took_us in [0, 500, 501, 30_000_000, 30_000_001] {
            histogram.add(Duration::from_micros(took_us));
        }
        let buckets = histogram.buckets();
        assert_eq!((buckets[0], buckets[1]), (2, 1));
        assert_eq!((buckets[BUCKETS - 2], buckets[BUCKETS - 1]), (1, 1));
        assert_eq!(histogram.sum_ns(), 60_001_002_000);
    }

    #[test]
    fn quantiles_are_interpolated() {
        let mut buckets = [0; BUCKETS];
        assert_eq!(quantile_ms(&buckets, 0.5), None);
        // A hundred between 5 and 10 ms.
        buckets[4] = 100;
        assert_eq!(quantile_ms(&buckets, 0.5), Some(7.5));
        // A hundred more between 1 and 2.5 s: the half is done by 10 ms.
        buckets[11] = 100;
        assert_eq!(quantile_ms(&buckets, 0.5), Some(10.0));
        assert_eq!(quantile_ms(&buckets, 0.75), Some(1750.0));
        let mut slow = [0; BUCKETS];
        slow[BUCKETS - 1] = 1;
        assert_eq!(quantile_ms(&slow, 0.99), Some(30_000.0));
    }
}
