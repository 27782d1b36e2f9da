//! The latency page: every route's histograms with their percentiles, as a table for people or as JSON
//! for programs.

mod capabilities;
mod json;
mod text;

pub use capabilities::render as render_capabilities;

use super::bins::Bins;
use super::collected::Collected;
use super::kinds::{Outcome, Phase};
use super::record::{Latencies, RouteRecord};

/// The percentiles of the page between minimum and maximum.
const QUANTILES: [f64; 5] = [0.5, 0.9, 0.99, 0.999, 0.9999];
const QUANTILE_NAMES: [&str; 5] = ["p50", "p90", "p99", "p99.9", "p99.99"];

/// The ways the page can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An aligned table in microseconds.
    Text,
    /// The same numbers in nanoseconds, each histogram with its base64 form.
    Json,
}

impl Format {
    /// The names that `format=` takes.
    pub const NAMES: [&'static str; 2] = ["text", "json"];

    /// The format of a `format=` value.
    pub fn named(name: &str) -> Option<Format> {
        match name {
            "text" => Some(Format::Text),
            "json" => Some(Format::Json),
            _ => None,
        }
    }

    /// The media type of what [`render`] returns.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Text => "text/plain; charset=utf-8",
            Format::Json => "application/json",
        }
    }
}

/// The whole page, of all requests since the start up to the last collection.
pub fn render(collected: &Collected, format: Format) -> String {
    let page = Page::read(collected);
    match format {
        Format::Text => text::render(&page),
        Format::Json => json::render(&page),
    }
}

/// What the page shows, before it has a format.
struct Page<'c> {
    collected: &'c Collected,
    /// Host calls that happened: label, number of failed ones, lengths.
    host_calls: Vec<(&'static str, u64, Latencies)>,
}

impl<'c> Page<'c> {
    fn read(collected: &'c Collected) -> Page<'c> {
        let labels = collected.labels();
        let host_calls = labels.operations.iter().enumerate().map(|(index, &label)| {
            let operation = collected.operation(index);
            (label, operation.errors(), operation.calls().clone())
        });
        Page { collected, host_calls: host_calls.filter(|(.., calls)| calls.count() > 0).collect() }
    }

    /// Routes that had requests, by index, pseudo routes included. Added up one at a time: all of them
    /// together would double the memory of the histograms.
    fn routes(&self) -> impl Iterator<Item = (usize, RouteRecord)> {
        let indices = 0..self.collected.labels().route_count();
        let routes = indices.map(|index| (index, self.collected.routes(&[index])));
        routes.filter(|(_, route)| route.requests() > 0)
    }
}

/// Per second of the window.
fn rate(collected: &Collected, count: u64) -> f64 {
    let seconds = collected.window().as_secs_f64();
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}

/// A route's histograms that hold something.
fn phases(route: &RouteRecord) -> impl Iterator<Item = (Phase, &Bins)> {
    Phase::ALL.into_iter().filter_map(|phase| Some((phase, route.phase(phase).get()?)))
}

/// A route's outcomes, all of them.
fn outcomes(route: &RouteRecord) -> impl Iterator<Item = (&'static str, u64)> {
    Outcome::ALL.into_iter().map(|outcome| (outcome.label(), route.outcome(outcome)))
}

#[cfg(test)]
mod tests;
