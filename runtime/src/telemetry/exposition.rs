//! What the metrics page says, before it has a format: families of samples, each announced once.
//!
//! A family whose names are taken is refused, so that no two series can have the same name and labels.

mod native;
mod number;
mod open_metrics;
mod protobuf;
mod text;

use super::bins::Bins;
use std::borrow::Cow;
use std::collections::HashSet;
use std::thread;

pub(super) use native::NativeHistogram;

const NANOSECONDS_PER_SECOND: f64 = 1e9;

/// What the values of a family mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
}

/// All families so far and the names that they use.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    families: Vec<Family>,
    names: HashSet<String>,
}

/// A family and its samples. One without samples does not appear.
#[derive(Debug)]
pub(super) struct Family {
    name: String,
    kind: Kind,
    help: &'static str,
    samples: Vec<Sample>,
}

#[derive(Debug)]
struct Sample {
    labels: Vec<(&'static str, String)>,
    value: Value,
}

/// A sample's value, of the kind of its family.
#[derive(Debug)]
enum Value {
    Number(f64),
    Summary { count: u64, sum: f64, quantiles: Vec<(f64, f64)> },
    Histogram(HistogramValue),
}

/// Lengths of time, in seconds.
#[derive(Debug)]
struct HistogramValue {
    count: u64,
    sum: f64,
    /// Upper bounds, and how many values are not above each; the bound above all is left out.
    buckets: Vec<(f64, u64)>,
    native: NativeHistogram,
}

/// Upper bounds of the buckets of histograms, from 10 us to 60 s.
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

impl Exposition {
    /// Opens a family of this name, or none if it would use a name that another one uses.
    pub(super) fn family(
        &mut self,
        name: &str,
        kind: Kind,
        help: &'static str,
    ) -> Option<&mut Family> {
        let suffixes = kind.suffixes().iter().map(|suffix| format!("{name}{suffix}"));
        let names: Vec<_> = suffixes.collect();
        if names.iter().any(|name| self.names.contains(name)) {
            return None;
        }
        self.names.extend(names);
        self.families.push(Family { name: name.to_owned(), kind, help, samples: Vec::new() });
        self.families.last_mut()
    }

    /// Prometheus' text format.
    pub(super) fn into_text(self) -> String {
        text::write(&self.families)
    }

    /// The text format of OpenMetrics.
    pub(super) fn into_open_metrics(self) -> String {
        open_metrics::write(&self.families)
    }

    /// Prometheus' protobuf format, native histograms included.
    pub(super) fn into_protobuf(self) -> Vec<u8> {
        protobuf::write(&self.families)
    }
}

impl Family {
    /// Adds one sample of a counter or gauge.
    pub(super) fn number(&mut self, labels: &[(&'static str, &str)], value: f64) {
        self.add(labels, Value::Number(value));
    }

    /// Adds one sample of a summary: pairs of a quantile and its value. `labels` must not hold `quantile`.
    pub(super) fn summary(
        &mut self,
        labels: &[(&'static str, &str)],
        (count, sum): (u64, f64),
        quantiles: Vec<(f64, f64)>,
    ) {
        self.add(labels, Value::Summary { count, sum, quantiles });
    }

    /// Adds one sample of a histogram of lengths of time, shown in seconds. `labels` must not hold `le`.
    pub(super) fn histogram(&mut self, labels: &[(&'static str, &str)], bins: &Bins) {
        // Where shards have all cores, whoever renders has one of theirs.
        thread::yield_now();
        let buckets = BUCKETS_NS.into_iter().zip(bins.counts_up_to(BUCKETS_NS));
        let seconds = |bound_ns| bound_ns as f64 / NANOSECONDS_PER_SECOND;
        let value = HistogramValue {
            count: bins.count(),
            sum: bins.sum_ns() as f64 / NANOSECONDS_PER_SECOND,
            buckets: buckets.map(|(bound_ns, count)| (seconds(bound_ns), count)).collect(),
            native: NativeHistogram::of(bins),
        };
        self.add(labels, Value::Histogram(value));
    }

    fn add(&mut self, labels: &[(&'static str, &str)], value: Value) {
        let labels = labels.iter().map(|&(name, value)| (name, value.to_owned())).collect();
        self.samples.push(Sample { labels, value });
    }
}

/// One line of a text format: what its name ends in, a label of its own with a number, its value.
struct Line {
    suffix: &'static str,
    label: Option<(&'static str, f64)>,
    value: f64,
}

impl Value {
    /// The lines that the text formats make of a sample.
    fn lines(&self) -> Vec<Line> {
        let plain = |suffix, value| Line { suffix, label: None, value };
        match self {
            Value::Number(value) => vec![plain("", *value)],
            Value::Summary { count, sum, quantiles } => {
                let quantile = |&(quantile, value)| Line {
                    suffix: "",
                    label: Some(("quantile", quantile)),
                    value,
                };
                let ends = [plain("_sum", *sum), plain("_count", *count as f64)];
                quantiles.iter().map(quantile).chain(ends).collect()
            }
            Value::Histogram(histogram) => {
                let count = histogram.count as f64;
                let bounds = histogram.buckets.iter().map(|&(bound, count)| (bound, count as f64));
                let bucket = |(bound, count)| Line {
                    suffix: "_bucket",
                    label: Some(("le", bound)),
                    value: count,
                };
                let buckets = bounds.chain([(f64::INFINITY, count)]).map(bucket);
                buckets.chain([plain("_sum", histogram.sum), plain("_count", count)]).collect()
            }
        }
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
        }
    }

    /// What the names of the family's samples end in.
    fn suffixes(self) -> &'static [&'static str] {
        match self {
            Kind::Counter | Kind::Gauge => &[""],
            Kind::Histogram => &["", "_bucket", "_sum", "_count"],
            Kind::Summary => &["", "_sum", "_count"],
        }
    }
}

/// A name that the format allows: bytes it does not allow become `_`, as the underscore escaping of
/// Prometheus' own libraries has it. Guests may create metrics whose names begin with a digit.
pub(super) fn metric_name(name: &str) -> String {
    let allowed = |(index, character): (usize, char)| match character {
        'a'..='z' | 'A'..='Z' | '_' | ':' => character,
        '0'..='9' if index > 0 => character,
        _ => '_',
    };
    name.chars().enumerate().map(allowed).collect()
}

/// Writes the labels of a line, `extra` last.
fn write_labels<'s>(
    text: &mut String,
    sample: &'s Sample,
    extra: Option<(&'static str, Cow<'s, str>)>,
) {
    let labels = sample.labels.iter().map(|(name, value)| (*name, Cow::from(value)));
    let mut opening = '{';
    for (name, value) in labels.chain(extra) {
        text.push(opening);
        opening = ',';
        text.push_str(name);
        text.push_str("=\"");
        write_escaped(text, &value, true);
        text.push('"');
    }
    if opening == ',' {
        text.push('}');
    }
}

fn write_escaped(text: &mut String, value: &str, quotes: bool) {
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '"' if quotes => text.push_str("\\\""),
            _ => text.push(character),
        }
    }
}

#[cfg(test)]
mod tests;
