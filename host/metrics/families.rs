//! Writes families of samples: each once, with its type and its help.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use crate::services::metrics::{BOUNDS_NS, Histogram};

/// What families are written to. Those without a sample are left out.
pub(super) struct Families<'a> {
    encoder: DescriptorEncoder<'a>,
}

/// Names and values of a sample's labels.
type Labels<'a, const N: usize> = [(&'static str, &'a str); N];

impl<'a> Families<'a> {
    pub(super) fn new(encoder: DescriptorEncoder<'a>) -> Self {
        Families { encoder }
    }

    /// A family of texts, of which there is one.
    pub(super) fn info<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        labels: &Labels<'_, N>,
    ) -> fmt::Result {
        let mut family = self.family(name, help, None, MetricType::Info)?;
        family.encode_info(labels)
    }

    /// A family of what only grows; its samples get the suffix `_total`.
    pub(super) fn counters<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l, N>, u64)>,
    ) -> fmt::Result {
        let kind = (MetricType::Counter, None);
        self.each(kind, name, help, samples, |mut sample, value| {
            sample.encode_counter::<NoLabelSet, _, u64>(&value, None)
        })
    }

    /// A family of what rises and falls, of which there is one.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let mut family = self.family(name, help, None, MetricType::Gauge)?;
        family.encode_gauge(&value)
    }

    /// A family of what rises and falls.
    pub(super) fn gauges<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l, N>, u64)>,
    ) -> fmt::Result {
        let kind = (MetricType::Gauge, None);
        self.each(kind, name, help, samples, |mut sample, value| {
            sample.encode_gauge(&value)
        })
    }

    /// A family of sizes, whose name ends in `_bytes`; `name` is without it.
    pub(super) fn bytes<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l, N>, u64)>,
    ) -> fmt::Result {
        let kind = (MetricType::Gauge, Some(&Unit::Bytes));
        self.each(kind, name, help, samples, |mut sample, value| {
            sample.encode_gauge(&value)
        })
    }

    /// A family of times, whose name ends in `_seconds`; `name` is without it.
    pub(super) fn seconds<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l, N>, &'l Histogram)>,
    ) -> fmt::Result {
        let kind = (MetricType::Histogram, Some(&Unit::Seconds));
        self.each(kind, name, help, samples, |mut sample, histogram| {
            let counts = histogram.buckets();
            let bounds = BOUNDS_NS.iter().map(|bound| *bound as f64 / 1e9);
            let bounds = bounds.chain([f64::INFINITY]);
            let buckets: Vec<_> = bounds.zip(counts).collect();
            sample.encode_histogram::<NoLabelSet>(
                histogram.sum_ns() as f64 / 1e9,
                // Not a counter of its own, which could be ahead of the buckets.
                counts.iter().sum(),
                &buckets,
                None,
            )
        })
    }

    /// A family of one sample each; none without samples.
    fn each<'l, const N: usize, V>(
        &mut self,
        (kind, unit): (MetricType, Option<&Unit>),
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l, N>, V)>,
        mut encode: impl FnMut(MetricEncoder<'_>, V) -> fmt::Result,
    ) -> fmt::Result {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return Ok(());
        }
        let mut family = self.family(name, help, unit, kind)?;
        for (labels, value) in samples {
            encode(family.encode_family(&labels)?, value)?;
        }
        Ok(())
    }

    fn family<'s>(
        &'s mut self,
        name: &'s str,
        help: &str,
        unit: Option<&'s Unit>,
        metric_type: MetricType,
    ) -> Result<MetricEncoder<'s>, fmt::Error> {
        self.encoder
            .encode_descriptor(name, help, unit, metric_type)
    }
}
