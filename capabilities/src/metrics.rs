//! Metrics that guests make: counters, gauges and histograms under names of their own choosing.
//!
//! A name belongs to the process and to one kind from its first use on ([`MetricNames`]). Values
//! belong to the shard that records them ([`ShardMetrics`]), which hands them over when it is asked
//! ([`MetricsRecord`]), to be added up and rendered elsewhere ([`CollectedMetrics`]). So recording
//! shares nothing between shards but the first use of a name.

mod collected;
mod names;
mod shard;
mod summary;

pub use collected::{CollectedMetrics, Sample, SampleValue};
pub use names::{MetricNames, Reserved};
pub use shard::{MetricsRecord, ShardMetrics};
pub use summary::QUANTILES;

/// What a metric's name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Why a value was not recorded, in the words that the guest is shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetricError {
    /// Not `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    #[error("invalid metric name")]
    InvalidName,
    /// A gauge's action is neither `inc` nor `dec`.
    #[error("invalid action")]
    InvalidAction,
    /// The name is of another kind of metric, or of one of the host's own.
    #[error("metric name in use")]
    NameInUse,
    #[error("too many metric names: the limit is {names_max}")]
    TooManyNames { names_max: usize },
}

#[cfg(test)]
mod tests;
