//! The names of all guests' metrics. A shard comes here once per name; afterwards it knows the name
//! itself.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Kind, MetricError};

/// Series that a summary has beside those under its own name.
const SUMMARY_SUFFIXES: [&str; 2] = ["_sum", "_count"];

/// A registered name.
#[derive(Debug)]
pub(crate) struct Metric {
    pub(crate) name: Box<str>,
    pub(crate) kind: Kind,
}

/// Names that guests cannot have, because the host exposes metrics under them.
#[derive(Debug, Clone, Default)]
pub struct Reserved {
    pub names: HashSet<String>,
    pub prefixes: Vec<String>,
}

impl Reserved {
    fn has(&self, name: &str) -> bool {
        self.names.contains(name) || self.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }
}

/// All names of the process, shared by its shards.
#[derive(Debug)]
pub struct MetricNames {
    names_max: usize,
    reserved: Reserved,
    // Taken at a shard's first use of a name, and for a few lookups only: never on the steady path.
    registered: Mutex<Registered>,
}

#[derive(Debug, Default)]
struct Registered {
    metrics: HashMap<Box<str>, Arc<Metric>>,
    /// Names of the series that summaries have beside their own.
    summary_series: HashSet<String>,
}

impl MetricNames {
    /// `names_max` bounds the memory that guests can take with ever new names, and the size of what
    /// is rendered.
    pub fn new(names_max: usize, reserved: Reserved) -> Self {
        MetricNames { names_max, reserved, registered: Mutex::default() }
    }

    /// The metric of that name, made if it is new. Its kind is that of its first use, not
    /// necessarily `kind`.
    pub(super) fn register(&self, name: &str, kind: Kind) -> Result<Arc<Metric>, MetricError> {
        if !is_valid(name) {
            return Err(MetricError::InvalidName);
        }
        if self.reserved.has(name) {
            return Err(MetricError::NameInUse);
        }
        let mut registered = self.registered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(metric) = registered.metrics.get(name) {
            return Ok(Arc::clone(metric));
        }
        if registered.metrics.len() >= self.names_max {
            return Err(MetricError::TooManyNames { names_max: self.names_max });
        }
        self.add(&mut registered, name, kind)
    }

    fn add(
        &self,
        registered: &mut Registered,
        name: &str,
        kind: Kind,
    ) -> Result<Arc<Metric>, MetricError> {
        let series = match kind {
            Kind::Histogram => SUMMARY_SUFFIXES.map(|suffix| format!("{name}{suffix}")).to_vec(),
            Kind::Counter | Kind::Gauge => Vec::new(),
        };
        let taken = |series: &String| {
            registered.metrics.contains_key(series.as_str()) || self.reserved.names.contains(series)
        };
        if registered.summary_series.contains(name) || series.iter().any(taken) {
            return Err(MetricError::NameInUse);
        }
        registered.summary_series.extend(series);
        let metric = Arc::new(Metric { name: name.into(), kind });
        registered.metrics.insert(name.into(), Arc::clone(&metric));
        Ok(metric)
    }
}

/// Tarmac takes a digit first too, but Prometheus refuses to read such a name, and with it all
/// metrics.
pub(super) fn is_valid(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':');
    name.bytes().all(allowed) && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}
