//! The latency page as JSON. Times are whole nanoseconds, but for the mean.

mod capabilities;

pub(super) use capabilities::render as render_capabilities;

use super::{Page, QUANTILES, outcomes, phases, rate};
use crate::telemetry::Collected;
use crate::telemetry::bins::{Bins, SIGNIFICANT_DIGITS, VALUE_MAX_NS};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::{Serializer, V2Serializer};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Document<'p> {
    #[serde(flatten)]
    window: Window,
    routes: Vec<Route<'p>>,
    host_calls: Vec<HostCall<'p>>,
}

/// What every page begins with.
#[derive(Serialize)]
struct Window {
    start: String,
    end: String,
    seconds: f64,
    shards: usize,
    unit: &'static str,
    significant_digits: u8,
    value_max: u64,
    /// How to read the `histogram` fields.
    histogram_encoding: &'static str,
}

#[derive(Serialize)]
struct Route<'p> {
    function: &'p str,
    route: &'p str,
    methods: &'p [String],
    requests: BTreeMap<&'static str, u64>,
    phases: Vec<Phase>,
}

#[derive(Serialize)]
struct Phase {
    phase: &'static str,
    #[serde(flatten)]
    latency: Latency,
}

#[derive(Serialize)]
struct HostCall<'p> {
    operation: &'p str,
    errors: u64,
    #[serde(flatten)]
    latency: Latency,
}

#[derive(Serialize)]
struct Latency {
    count: u64,
    rate_per_second: f64,
    min: u64,
    mean: f64,
    p50: u64,
    p90: u64,
    p99: u64,
    #[serde(rename = "p99.9")]
    p99_9: u64,
    #[serde(rename = "p99.99")]
    p99_99: u64,
    max: u64,
    /// Values above `value_max`, which count as `value_max`.
    beyond: u64,
    histogram: String,
}

pub(super) fn render(page: &Page<'_>) -> String {
    let window = Window::of(page.collected);
    written(&Document { window, routes: routes(page), host_calls: host_calls(page) })
}

impl Window {
    fn of(collected: &Collected) -> Window {
        Window {
            start: humantime::format_rfc3339_nanos(collected.window_start()).to_string(),
            end: humantime::format_rfc3339_nanos(collected.window_end()).to_string(),
            seconds: collected.window().as_secs_f64(),
            shards: collected.shards(),
            unit: "ns",
            significant_digits: SIGNIFICANT_DIGITS,
            value_max: VALUE_MAX_NS,
            histogram_encoding: "HdrHistogram V2, uncompressed, base64",
        }
    }
}

fn written(document: &impl Serialize) -> String {
    let mut text = serde_json::to_string(document)
        .expect("strings, numbers and string-keyed maps always have a JSON form");
    text.push('\n');
    text
}

fn routes<'p>(page: &'p Page<'_>) -> Vec<Route<'p>> {
    let labels = page.collected.labels();
    let routes = page.routes().map(|(index, route)| Route {
        function: labels.function_of(index),
        route: labels.pattern_of(index),
        methods: labels.methods_of(index),
        requests: outcomes(&route).collect(),
        phases: phases(&route)
            .map(|(phase, bins)| Phase {
                phase: phase.label(),
                latency: latency(page.collected, bins),
            })
            .collect(),
    });
    routes.collect()
}

fn host_calls<'p>(page: &'p Page<'_>) -> Vec<HostCall<'p>> {
    let calls = page.host_calls.iter().filter_map(|(operation, errors, calls)| {
        let latency = latency(page.collected, calls.get()?);
        Some(HostCall { operation, errors: *errors, latency })
    });
    calls.collect()
}

fn latency(collected: &Collected, bins: &Bins) -> Latency {
    let [p50, p90, p99, p99_9, p99_99] = bins.quantiles_ns(QUANTILES);
    Latency {
        count: bins.count(),
        rate_per_second: rate(collected, bins.count()),
        min: bins.min_ns(),
        mean: bins.mean_ns(),
        p50,
        p90,
        p99,
        p99_9,
        p99_99,
        max: bins.max_ns(),
        beyond: bins.beyond(),
        histogram: base64_v2(bins),
    }
}

fn base64_v2(bins: &Bins) -> String {
    let mut bytes = Vec::new();
    V2Serializer::new()
        .serialize(&bins.to_histogram(), &mut bytes)
        .expect("counts are below 2^63 and a vector takes every write");
    STANDARD.encode(bytes)
}
