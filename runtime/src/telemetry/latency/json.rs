//! The page as JSON. Times are whole nanoseconds, but for the mean.

use super::Page;
use super::exchange::Exchange;
use super::summary::{QUANTILE_NAMES, QUANTILES_ARE, Summary};
use crate::telemetry::BackendStatus;
use crate::telemetry::bins::{Bins, SIGNIFICANT_DIGITS, VALUE_MAX_NS};
use airside_capabilities::backend::FailureKind;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Document<'p> {
    window: &'static str,
    start: String,
    end: String,
    seconds: f64,
    shards: usize,
    unit: &'static str,
    significant_digits: u8,
    value_max: u64,
    percentiles: &'static str,
    /// How to read the `histogram` fields.
    histogram_encoding: &'static str,
    by: Vec<&'static str>,
    only: BTreeMap<&'static str, Vec<&'p str>>,
    series: Vec<Series<'p>>,
    /// Only on a page by capability.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    backends: Vec<Backend<'p>>,
}

#[derive(Serialize)]
struct Backend<'p> {
    capability: &'static str,
    name: &'static str,
    target: &'p str,
    up: Option<bool>,
    /// Open now.
    connections: u64,
    reconnects: u64,
    failures: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct Series<'p> {
    labels: BTreeMap<&'static str, &'p str>,
    count: u64,
    rate_per_second: f64,
    min: u64,
    mean: f64,
    #[serde(flatten)]
    quantiles: Map<String, Value>,
    max: u64,
    /// Values above `value_max`, which count as `value_max`.
    beyond: u64,
    histogram: String,
}

pub(super) fn render(page: &Page<'_>) -> String {
    let mut exchange = Exchange::default();
    let document = Document {
        window: page.query.window.name(),
        start: humantime::format_rfc3339_nanos(page.view.start).to_string(),
        end: humantime::format_rfc3339_nanos(page.view.end).to_string(),
        seconds: page.view.length.as_secs_f64(),
        shards: page.shards,
        unit: "ns",
        significant_digits: SIGNIFICANT_DIGITS,
        value_max: VALUE_MAX_NS,
        percentiles: QUANTILES_ARE,
        histogram_encoding: "HdrHistogram V2, compressed, base64",
        by: page.query.by.iter().map(|by| by.label()).collect(),
        only: page.query.filters(page.values).collect(),
        series: page
            .selection
            .series()
            .map(|(place, bins)| series(page, page.labels(place).collect(), &bins, &mut exchange))
            .collect(),
        backends: page.backends.iter().map(|one| backend(one)).collect(),
    };
    let mut text = serde_json::to_string(&document)
        .expect("strings, numbers and string-keyed maps always have a JSON form");
    text.push('\n');
    text
}

fn backend(status: &BackendStatus) -> Backend<'_> {
    let failures =
        FailureKind::ALL.map(|kind| (kind.label(), status.counts.failures[kind as usize]));
    Backend {
        capability: status.capability.label(),
        name: status.name,
        target: &status.target,
        up: status.up,
        connections: status.counts.connections,
        reconnects: status.counts.reconnects,
        failures: BTreeMap::from(failures),
    }
}

fn series<'p>(
    page: &Page<'_>,
    labels: BTreeMap<&'static str, &'p str>,
    bins: &Bins,
    exchange: &mut Exchange,
) -> Series<'p> {
    let summary = Summary::of(bins, page.view.length);
    let quantiles = QUANTILE_NAMES.into_iter().zip(summary.quantiles);
    Series {
        labels,
        count: summary.count,
        rate_per_second: summary.rate_per_second,
        min: summary.min,
        mean: summary.mean,
        quantiles: quantiles.map(|(name, value)| (name.to_owned(), value.into())).collect(),
        max: summary.max,
        beyond: summary.beyond,
        histogram: exchange.base64(bins),
    }
}
