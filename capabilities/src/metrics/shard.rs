//! What one shard has recorded since it was last asked.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::names::{Metric, MetricNames, is_valid};
use super::summary::Distribution;
use super::{Kind, MetricError};

/// Records guests' metrics on one shard. No lock and no shared memory, but for the first use of a
/// name.
#[derive(Debug)]
pub struct ShardMetrics {
    names: Arc<MetricNames>,
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    /// The names this shard has used. Bounded, because [`MetricNames`] is.
    known: HashMap<Box<str>, Known>,
    record: MetricsRecord,
    /// Counts records, from 1.
    epoch: u64,
}

#[derive(Debug)]
struct Known {
    metric: Arc<Metric>,
    /// The record in which the metric has its place; 0 before the first.
    epoch: u64,
    place: usize,
}

/// Changes of every metric that was used since the last record, in order of first use. Empty unless
/// it comes from a shard.
#[derive(Debug, Default)]
pub struct MetricsRecord {
    pub(super) changes: Vec<(Arc<Metric>, Change)>,
}

#[derive(Debug)]
pub(super) enum Change {
    Counter(u64),
    /// Increments less decrements.
    Gauge(i64),
    Histogram(Box<Distribution>),
}

impl Change {
    fn none(kind: Kind) -> Self {
        match kind {
            Kind::Counter => Change::Counter(0),
            Kind::Gauge => Change::Gauge(0),
            Kind::Histogram => Change::Histogram(Box::default()),
        }
    }
}

impl ShardMetrics {
    pub fn new(names: Arc<MetricNames>) -> Self {
        let state = State { known: HashMap::new(), record: MetricsRecord::default(), epoch: 1 };
        ShardMetrics { names, state: RefCell::new(state) }
    }

    /// Adds one.
    pub fn counter(&self, name: &str) -> Result<(), MetricError> {
        self.record(name, Kind::Counter, |change| {
            if let Change::Counter(count) = change {
                *count += 1;
            }
        })
    }

    /// `action` is `inc` or `dec`, by one.
    pub fn gauge(&self, name: &str, action: &str) -> Result<(), MetricError> {
        let step = match action {
            "inc" => 1,
            "dec" => -1,
            _ if is_valid(name) => return Err(MetricError::InvalidAction),
            _ => return Err(MetricError::InvalidName),
        };
        self.record(name, Kind::Gauge, |change| {
            if let Change::Gauge(steps) = change {
                *steps += step;
            }
        })
    }

    /// Observes a value. One that is not finite names the metric but is not counted.
    pub fn histogram(&self, name: &str, value: f64) -> Result<(), MetricError> {
        self.record(name, Kind::Histogram, |change| {
            if let Change::Histogram(values) = change {
                values.add(value);
            }
        })
    }

    /// Takes what was recorded and goes on in `spare`, an empty record. Costs the same however much
    /// there is.
    pub fn swap(&self, spare: MetricsRecord) -> MetricsRecord {
        let mut state = self.state.borrow_mut();
        state.epoch += 1;
        std::mem::replace(&mut state.record, spare)
    }

    fn record(
        &self,
        name: &str,
        kind: Kind,
        apply: impl FnOnce(&mut Change),
    ) -> Result<(), MetricError> {
        let state = &mut *self.state.borrow_mut();
        let known = match state.known.get_mut(name) {
            Some(known) => known,
            None => {
                let metric = self.names.register(name, kind)?;
                state.known.entry(name.into()).or_insert(Known { metric, epoch: 0, place: 0 })
            }
        };
        if known.metric.kind != kind {
            return Err(MetricError::NameInUse);
        }
        let changes = &mut state.record.changes;
        if known.epoch != state.epoch {
            known.epoch = state.epoch;
            known.place = changes.len();
            changes.push((Arc::clone(&known.metric), Change::none(kind)));
        }
        apply(&mut changes[known.place].1);
        Ok(())
    }
}
