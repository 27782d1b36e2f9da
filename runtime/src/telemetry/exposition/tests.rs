//! Families and what the text formats make of them; the formats as a whole are read back by other parsers in the
//! integration tests.

use super::{Exposition, Kind, metric_name};

fn exposition() -> Exposition {
    let mut exposition = Exposition::default();
    let calls = exposition.family("calls_total", Kind::Counter, "Calls\nso \\ \"far\"").unwrap();
    calls.number(&[("path", "a\\b\"c\nd"), ("method", "GET")], 3.0);
    calls.number(&[], f64::INFINITY);
    assert!(exposition.family("empty", Kind::Gauge, "Nothing").is_some());
    exposition.family("visits", Kind::Counter, "Visits").unwrap().number(&[], 1e-5);
    let size = exposition.family("size_bytes", Kind::Summary, "Size").unwrap();
    size.summary(&[], (4, 42.5), vec![(0.5, 10.0), (1.0, f64::NAN)]);
    exposition
}

#[test]
fn text_announces_each_family_once_and_only_with_samples() {
    let expected = "# HELP calls_total Calls\\nso \\\\ \"far\"\n# TYPE calls_total counter\n\
         calls_total{path=\"a\\\\b\\\"c\\nd\",method=\"GET\"} 3\ncalls_total +Inf\n\
         # HELP visits Visits\n# TYPE visits counter\nvisits 1e-05\n\
         # HELP size_bytes Size\n# TYPE size_bytes summary\nsize_bytes{quantile=\"0.5\"} 10\n\
         size_bytes{quantile=\"1\"} NaN\nsize_bytes_sum 42.5\nsize_bytes_count 4\n";
    assert_eq!(exposition().into_text(), expected);
}

#[test]
fn open_metrics_has_totals_units_and_an_end() {
    let expected = "# TYPE calls counter\n# HELP calls Calls\\nso \\\\ \\\"far\\\"\n\
         calls_total{path=\"a\\\\b\\\"c\\nd\",method=\"GET\"} 3\ncalls_total +Inf\n\
         # TYPE visits unknown\n# HELP visits Visits\nvisits 1e-05\n\
         # TYPE size_bytes summary\n# UNIT size_bytes bytes\n# HELP size_bytes Size\n\
         size_bytes{quantile=\"0.5\"} 10\nsize_bytes{quantile=\"1.0\"} NaN\n\
         size_bytes_sum 42.5\nsize_bytes_count 4\n# EOF\n";
    assert_eq!(exposition().into_open_metrics(), expected);
}

#[test]
fn a_counter_whose_name_would_be_taken_is_of_unknown_type() {
    let mut exposition = Exposition::default();
    exposition.family("hits", Kind::Gauge, "").unwrap().number(&[], 1.0);
    exposition.family("hits_total", Kind::Counter, "").unwrap().number(&[], 2.0);
    let text = exposition.into_open_metrics();
    assert!(text.contains("# TYPE hits_total unknown\n") && text.contains("\nhits_total 2\n"));
}

#[test]
fn a_taken_name_is_refused() {
    let mut exposition = Exposition::default();
    let mut check = |name, kind, free| {
        assert_eq!(exposition.family(name, kind, "").is_some(), free, "{name}");
    };
    check("latency", Kind::Histogram, true);
    check("latency", Kind::Counter, false);
    check("latency_count", Kind::Counter, false);
    check("latency_bucket", Kind::Gauge, false);
    check("size", Kind::Summary, true);
    check("size_bucket", Kind::Counter, true);
    check("free_sum", Kind::Counter, true);
    check("free", Kind::Summary, false);
}

#[test]
fn names_are_made_valid() {
    let check = |name, expected| assert_eq!(metric_name(name), expected);
    check("plain_name:x9", "plain_name:x9");
    check("9lives", "_lives");
    check("a-b c", "a_b_c");
    check("", "");
}
