//! Prometheus' protobuf format: messages of `io.prometheus.client`, each behind its length. The only format that carries
//! native histograms.
//!
//! Source: <https://github.com/prometheus/client_model/blob/v0.6.1/io/prometheus/client/metrics.proto>; fields that are
//! never filled in here are left out.

use super::native::{SCHEMA, ZERO_THRESHOLD};
use super::{Family, HistogramValue, Kind, Sample, Value};
use prost::Message;

#[derive(Clone, PartialEq, Message)]
struct MetricFamily {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    help: String,
    #[prost(enumeration = "MetricType", optional, tag = "3")]
    metric_type: Option<i32>,
    #[prost(message, repeated, tag = "4")]
    metric: Vec<Metric>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
enum MetricType {
    Counter = 0,
    Gauge = 1,
    Summary = 2,
    Histogram = 4,
}

#[derive(Clone, PartialEq, Message)]
struct Metric {
    #[prost(message, repeated, tag = "1")]
    label: Vec<LabelPair>,
    #[prost(message, optional, tag = "2")]
    gauge: Option<Number>,
    #[prost(message, optional, tag = "3")]
    counter: Option<Number>,
    #[prost(message, optional, tag = "4")]
    summary: Option<Summary>,
    #[prost(message, optional, tag = "7")]
    histogram: Option<Histogram>,
}

#[derive(Clone, PartialEq, Message)]
struct LabelPair {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

/// `Gauge` and `Counter`, which have the same form.
#[derive(Clone, PartialEq, Message)]
struct Number {
    #[prost(double, optional, tag = "1")]
    value: Option<f64>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(uint64, optional, tag = "1")]
    sample_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    sample_sum: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    quantile: Vec<Quantile>,
}

#[derive(Clone, PartialEq, Message)]
struct Quantile {
    #[prost(double, optional, tag = "1")]
    quantile: Option<f64>,
    #[prost(double, optional, tag = "2")]
    value: Option<f64>,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(uint64, optional, tag = "1")]
    sample_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    sample_sum: Option<f64>,
    #[prost(message, repeated, tag = "3")]
    bucket: Vec<Bucket>,
    #[prost(sint32, optional, tag = "5")]
    schema: Option<i32>,
    #[prost(double, optional, tag = "6")]
    zero_threshold: Option<f64>,
    #[prost(uint64, optional, tag = "7")]
    zero_count: Option<u64>,
    #[prost(message, repeated, tag = "12")]
    positive_span: Vec<BucketSpan>,
    // The schema's syntax, proto2, does not pack.
    #[prost(sint64, repeated, packed = "false", tag = "13")]
    positive_delta: Vec<i64>,
}

#[derive(Clone, PartialEq, Message)]
struct Bucket {
    #[prost(uint64, optional, tag = "1")]
    cumulative_count: Option<u64>,
    #[prost(double, optional, tag = "2")]
    upper_bound: Option<f64>,
}

#[derive(Clone, PartialEq, Message)]
struct BucketSpan {
    #[prost(sint32, optional, tag = "1")]
    offset: Option<i32>,
    #[prost(uint32, optional, tag = "2")]
    length: Option<u32>,
}

pub(super) fn write(families: &[Family]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        let metric_type = match family.kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
            Kind::Histogram => MetricType::Histogram,
            Kind::Summary => MetricType::Summary,
        };
        let message = MetricFamily {
            name: family.name.clone(),
            help: family.help.to_owned(),
            metric_type: Some(metric_type.into()),
            metric: family.samples.iter().map(|sample| metric(family.kind, sample)).collect(),
        };
        bytes.extend(message.encode_length_delimited_to_vec());
    }
    bytes
}

fn metric(kind: Kind, sample: &Sample) -> Metric {
    let label = |(name, value): &(&'static str, String)| LabelPair {
        name: (*name).to_owned(),
        value: value.clone(),
    };
    let mut metric =
        Metric { label: sample.labels.iter().map(label).collect(), ..Metric::default() };
    match &sample.value {
        Value::Number(value) => {
            let number = Some(Number { value: Some(*value) });
            match kind {
                Kind::Counter => metric.counter = number,
                _ => metric.gauge = number,
            }
        }
        Value::Summary { count, sum, quantiles } => {
            let quantile =
                |&(quantile, value)| Quantile { quantile: Some(quantile), value: Some(value) };
            metric.summary = Some(Summary {
                sample_count: Some(*count),
                sample_sum: Some(*sum),
                quantile: quantiles.iter().map(quantile).collect(),
            });
        }
        Value::Histogram(value) => metric.histogram = Some(histogram(value)),
    }
    metric
}

fn histogram(value: &HistogramValue) -> Histogram {
    let bounds = value.buckets.iter().copied().chain([(f64::INFINITY, value.count)]);
    let bucket =
        |(bound, count)| Bucket { cumulative_count: Some(count), upper_bound: Some(bound) };
    let span = |&(offset, length)| BucketSpan { offset: Some(offset), length: Some(length) };
    Histogram {
        sample_count: Some(value.count),
        sample_sum: Some(value.sum),
        bucket: bounds.map(bucket).collect(),
        schema: Some(SCHEMA),
        zero_threshold: Some(ZERO_THRESHOLD),
        zero_count: Some(value.native.zero_count),
        positive_span: value.native.spans.iter().map(span).collect(),
        positive_delta: value.native.deltas.clone(),
    }
}
