//! The sum of all shards' records, as it is exposed.

use std::collections::BTreeMap;

use super::QUANTILES;
use super::shard::{Change, MetricsRecord};
use super::summary::Summary;

/// Totals of all guests' metrics since the process started.
#[derive(Debug, Default)]
pub struct CollectedMetrics {
    totals: BTreeMap<Box<str>, Total>,
}

#[derive(Debug)]
enum Total {
    Counter(u64),
    Gauge(i64),
    Summary(Box<Summary>),
}

/// One metric as it is rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample<'c> {
    pub name: &'c str,
    pub value: SampleValue,
}

/// A metric's value, by its Prometheus type.
#[derive(Debug, Clone, PartialEq)]
pub enum SampleValue {
    Counter(u64),
    Gauge(i64),
    /// Pairs of quantile and value, over the last ten minutes (NaN: nothing was observed in them);
    /// sum and count of all time.
    Summary {
        quantiles: [(f64, f64); QUANTILES.len()],
        sum: f64,
        count: u64,
    },
}

impl CollectedMetrics {
    /// Adds a shard's record and leaves it empty, to be used as a spare again. `now_ns` is of any
    /// clock that only goes forward.
    pub fn merge(&mut self, record: &mut MetricsRecord, now_ns: u64) {
        for (metric, change) in record.changes.drain(..) {
            match self.totals.get_mut(&metric.name) {
                Some(total) => total.add(&change, now_ns),
                None => {
                    let mut total = Total::zero(&change);
                    total.add(&change, now_ns);
                    self.totals.insert(metric.name.clone(), total);
                }
            }
        }
    }

    /// All metrics, by name.
    pub fn iter(&self, now_ns: u64) -> impl Iterator<Item = Sample<'_>> {
        self.totals.iter().map(move |(name, total)| Sample { name, value: total.sample(now_ns) })
    }
}

impl Total {
    fn zero(change: &Change) -> Self {
        match change {
            Change::Counter(_) => Total::Counter(0),
            Change::Gauge(_) => Total::Gauge(0),
            Change::Histogram(_) => Total::Summary(Box::default()),
        }
    }

    /// A name is of one kind for ever, so the two are always alike.
    fn add(&mut self, change: &Change, now_ns: u64) {
        match (self, change) {
            (Total::Counter(total), Change::Counter(count)) => *total += count,
            (Total::Gauge(total), Change::Gauge(steps)) => *total += steps,
            (Total::Summary(total), Change::Histogram(values)) => total.merge(values, now_ns),
            (Total::Counter(_) | Total::Gauge(_) | Total::Summary(_), _) => {
                debug_assert!(false, "a name of two kinds")
            }
        }
    }

    fn sample(&self, now_ns: u64) -> SampleValue {
        match self {
            Total::Counter(total) => SampleValue::Counter(*total),
            Total::Gauge(total) => SampleValue::Gauge(*total),
            Total::Summary(summary) => SampleValue::Summary {
                quantiles: summary.quantiles(now_ns),
                sum: summary.sum,
                count: summary.count,
            },
        }
    }
}
