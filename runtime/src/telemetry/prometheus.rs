//! The metrics page: Tarmac's names in milliseconds for the dashboards that exist, our own histograms
//! and counters in seconds, the process, and the metrics that guests created.

mod backends;
mod guests;
mod server;
mod tarmac;

use super::bins::Bins;
use super::collected::Collected;
use super::exposition::{Exposition, Family, Kind, write_number};
use super::process::ProcessFacts;
use super::{BackendStatus, Labels};
use std::collections::BTreeMap;

/// Media type of the page.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Names of this page that guests cannot have, but for those with a [`RESERVED_PREFIXES`] prefix.
pub const RESERVED_NAMES: [&str; 10] = [
    "http_server",
    "http_server_sum",
    "http_server_count",
    "wasm_functions",
    "wasm_functions_sum",
    "wasm_functions_count",
    "wasm_callbacks",
    "wasm_callbacks_sum",
    "wasm_callbacks_count",
    "service_routes",
];
/// Names that begin so are never a guest's.
pub const RESERVED_PREFIXES: [&str; 2] = ["airside_", "process_"];

const NANOSECONDS_PER_SECOND: f64 = 1e9;
const NANOSECONDS_PER_MILLISECOND: f64 = 1e6;

/// Upper bounds of the buckets of our histograms, from 10 us to 60 s.
const BUCKETS_NS: [u64; 22] = [
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
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
    20_000_000_000,
    30_000_000_000,
    60_000_000_000,
];
/// Quantiles of the summaries, Tarmac's.
const QUANTILES: [f64; 3] = [0.5, 0.9, 0.99];

/// What the page shows besides the telemetry of the shards.
#[derive(Debug, Default)]
pub struct Extras<'g> {
    pub process: ProcessFacts,
    pub log_lines_dropped: u64,
    pub backends: Vec<BackendStatus>,
    /// Metrics that guests created, from all shards together.
    pub guest_metrics: Vec<GuestMetric<'g>>,
}

/// A metric that a guest created.
#[derive(Debug, Clone)]
pub struct GuestMetric<'g> {
    /// Letters, digits, `_` and `:`, as the guest gave it.
    pub name: &'g str,
    pub value: GuestValue,
}

/// The value of a guest's metric.
#[derive(Debug, Clone)]
pub enum GuestValue {
    Counter(f64),
    Gauge(f64),
    /// Number of values, their sum, and pairs of a quantile within 0 to 1 and its value.
    Summary {
        count: u64,
        sum: f64,
        quantiles: Vec<(f64, f64)>,
    },
}

/// The whole page, of everything since the start up to the last collection.
pub fn render(collected: &Collected, extras: &Extras<'_>) -> String {
    let mut exposition = Exposition::default();
    tarmac::write(&mut exposition, collected);
    server::write(&mut exposition, collected, extras);
    backends::write(&mut exposition, collected, &extras.backends);
    guests::write(&mut exposition, &extras.guest_metrics);
    exposition.into_text()
}

/// The routes that make one series because they have the same labels, those of `key`: several routes of
/// `tarmac.json` can differ in their methods only.
fn route_series<'c, K: Ord>(
    collected: &'c Collected,
    key: impl Fn(&'c Labels, usize) -> K,
) -> BTreeMap<K, Vec<usize>> {
    let labels = collected.labels();
    let mut series: BTreeMap<K, Vec<usize>> = BTreeMap::new();
    for index in 0..labels.route_count() {
        series.entry(key(labels, index)).or_default().push(index);
    }
    series
}

/// The series of one summary. `labels` must not hold `quantile`.
fn summary(family: &mut Family<'_>, labels: &[(&str, &str)], bins: &Bins, unit_ns: f64) {
    for (quantile, value) in QUANTILES.into_iter().zip(bins.quantiles_ns(QUANTILES)) {
        with_number(family, "", labels, ("quantile", quantile), value as f64 / unit_ns);
    }
    family.sample("_sum", labels, bins.sum_ns() as f64 / unit_ns);
    family.sample("_count", labels, bins.count() as f64);
}

/// The series of one histogram in seconds. `labels` must not hold `le`.
fn histogram(family: &mut Family<'_>, labels: &[(&str, &str)], bins: &Bins) {
    for (bound, count) in BUCKETS_NS.into_iter().zip(bins.counts_up_to(BUCKETS_NS)) {
        let bound = bound as f64 / NANOSECONDS_PER_SECOND;
        with_number(family, "_bucket", labels, ("le", bound), count as f64);
    }
    let count = bins.count() as f64;
    with_number(family, "_bucket", labels, ("le", f64::INFINITY), count);
    family.sample("_sum", labels, bins.sum_ns() as f64 / NANOSECONDS_PER_SECOND);
    family.sample("_count", labels, count);
}

/// A sample with one more label, whose value is a number.
fn with_number(
    family: &mut Family<'_>,
    suffix: &str,
    labels: &[(&str, &str)],
    (name, number): (&str, f64),
    value: f64,
) {
    let mut text = String::new();
    write_number(&mut text, number);
    let labels: Vec<_> = labels.iter().copied().chain([(name, text.as_str())]).collect();
    family.sample(suffix, &labels, value);
}

/// Writes a family that is one of ours, whose names nobody else has.
fn own_family(
    exposition: &mut Exposition,
    name: &str,
    kind: Kind,
    help: &str,
    write: impl FnOnce(&mut Family<'_>),
) {
    let family = exposition.family(name, kind, help);
    debug_assert!(family.is_some(), "{name} is written twice");
    if let Some(mut family) = family {
        write(&mut family);
    }
}

#[cfg(test)]
mod tests;
