//! The metrics page: Tarmac's names in milliseconds for the dashboards that exist, our own histograms
//! and counters in seconds, the process, and the metrics that guests created.

mod backends;
mod guests;
mod server;
mod tarmac;

use super::bins::Bins;
use super::collected::Collected;
use super::exposition::{Exposition, Family, Kind};
use super::process::ProcessFacts;
use super::{BackendStatus, Labels};
use std::collections::BTreeMap;

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

/// The formats of the page. Prometheus asks for one by its Accept field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsFormat {
    Text,
    OpenMetrics,
    /// With native histograms beside the classic ones.
    Protobuf,
}

impl MetricsFormat {
    /// All of them. The first is for clients that do not say.
    pub const ALL: [MetricsFormat; 3] =
        [MetricsFormat::Text, MetricsFormat::OpenMetrics, MetricsFormat::Protobuf];

    /// The media type, and the parameters that tell versions of it apart.
    pub fn media_type(self) -> (&'static str, &'static [(&'static str, &'static str)]) {
        match self {
            MetricsFormat::Text => ("text/plain", &[("version", "0.0.4")]),
            MetricsFormat::OpenMetrics => ("application/openmetrics-text", &[("version", "1.0.0")]),
            MetricsFormat::Protobuf => (
                "application/vnd.google.protobuf",
                &[("proto", "io.prometheus.client.MetricFamily"), ("encoding", "delimited")],
            ),
        }
    }

    /// The value of the response's Content-Type.
    pub fn content_type(self) -> &'static str {
        match self {
            MetricsFormat::Text => "text/plain; version=0.0.4; charset=utf-8",
            MetricsFormat::OpenMetrics => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
            MetricsFormat::Protobuf => {
                "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
            }
        }
    }
}

/// The whole page, of everything since the start up to the last collection.
pub fn render(collected: &Collected, extras: &Extras<'_>, format: MetricsFormat) -> Vec<u8> {
    let mut exposition = Exposition::default();
    tarmac::write(&mut exposition, collected);
    server::write(&mut exposition, collected, extras);
    backends::write(&mut exposition, collected, &extras.backends);
    guests::write(&mut exposition, &extras.guest_metrics);
    match format {
        MetricsFormat::Text => exposition.into_text().into_bytes(),
        MetricsFormat::OpenMetrics => exposition.into_open_metrics().into_bytes(),
        MetricsFormat::Protobuf => exposition.into_protobuf(),
    }
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

/// One sample of a summary. `labels` must not hold `quantile`.
fn summary(family: &mut Family, labels: &[(&'static str, &str)], bins: &Bins, unit_ns: f64) {
    let values = bins.quantiles_ns(QUANTILES).map(|value| value as f64 / unit_ns);
    let quantiles = QUANTILES.into_iter().zip(values).collect();
    family.summary(labels, (bins.count(), bins.sum_ns() as f64 / unit_ns), quantiles);
}

/// Writes a family that is one of ours, whose names nobody else has.
fn own_family(
    exposition: &mut Exposition,
    name: &str,
    kind: Kind,
    help: &'static str,
    write: impl FnOnce(&mut Family),
) {
    let family = exposition.family(name, kind, help);
    debug_assert!(family.is_some(), "{name} is written twice");
    if let Some(family) = family {
        write(family);
    }
}

#[cfg(test)]
mod tests;
