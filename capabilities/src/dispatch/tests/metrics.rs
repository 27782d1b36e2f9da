//! Every row of the metrics capability, in protobuf and JSON.

use prost::Message;

use super::Guest;
use crate::metrics::{CollectedMetrics, MetricsRecord};
use crate::payload::messages::{MetricsCounter, MetricsGauge, MetricsHistogram};

fn counter(name: &str) -> Vec<u8> {
    MetricsCounter { name: name.to_owned() }.encode_to_vec()
}

fn gauge(name: &str, action: &str) -> Vec<u8> {
    MetricsGauge { name: name.to_owned(), action: action.to_owned() }.encode_to_vec()
}

fn histogram(name: &str, value: f64) -> Vec<u8> {
    MetricsHistogram { name: name.to_owned(), value }.encode_to_vec()
}

#[test]
fn metrics_answer_as_tarmac_does() {
    let mut guest = Guest::new();
    let mut check = |operation: &str, payload: &[u8], error: &str| {
        let shown = String::from_utf8_lossy(payload).into_owned();
        assert_eq!(guest.call("metrics", operation, payload), error, "{operation} {shown}");
        assert_eq!(guest.response, b"", "{operation} {shown}");
    };
    let (invalid, in_use) = ("invalid metric name", "metric name in use");

    check("counter", &counter("c"), "");
    check("counter", br#"{"name":"c"}"#, "");
    check("counter", br#"{"NAME":"c","other":[1,{}]}"#, "");
    check("gauge", &gauge("g", "inc"), "");
    check("gauge", &gauge("g", "dec"), "");
    check("gauge", br#"{"name":"g","action":"dec"}"#, "");
    check("histogram", &histogram("h", 1.5), "");
    check("histogram", br#"{"name":"h","value":2}"#, "");
    check("histogram", br#"{"name":"h"}"#, "");

    for operation in ["counter", "gauge", "histogram"] {
        check(operation, b"", invalid);
        check(operation, &counter("a b"), invalid);
        check(operation, &counter("9a"), invalid);
        check(operation, &counter("a\u{e9}"), invalid);
        check(operation, b"{}", invalid);
        check(operation, b"null", invalid);
        check(operation, br#"{"name":"a-b"}"#, invalid);
        // An unknown field in protobuf, so a message without a name.
        check(operation, b"xx", invalid);
        check(operation, b"{", "unable to parse input JSON - unexpected end of JSON input");
        check(
            operation,
            b"\x0a\x01\xff",
            "unable to parse input JSON - invalid character '\\x01' looking for beginning of value",
        );
        check(
            operation,
            b"zz",
            "unable to parse input JSON - invalid character 'z' looking for beginning of value",
        );
    }
    check(
        "counter",
        br#"{"name":1}"#,
        "unable to parse input JSON - \
         json: cannot unmarshal number into Go struct field MetricsCounter.name of type string",
    );

    check("gauge", &gauge("g", "up"), "invalid action");
    check("gauge", &gauge("g", ""), "invalid action");
    check("gauge", &gauge("c", "Inc"), "invalid action");
    check("gauge", br#"{"name":"g","action":"up"}"#, "invalid action");
    check("gauge", &gauge("a b", "up"), invalid);

    check("counter", &counter("g"), in_use);
    check("counter", &counter("h"), in_use);
    check("counter", &counter("go_goroutines"), in_use);
    check("gauge", &gauge("c", "inc"), in_use);
    check("gauge", br#"{"name":"h","action":"inc"}"#, in_use);
    check("histogram", &histogram("c", 1.0), in_use);
    check("histogram", br#"{"name":"g","value":1}"#, in_use);

    let mut collected = CollectedMetrics::default();
    collected.merge(&mut guest.capabilities.metrics.swap(MetricsRecord::default()), 0);
    let shown: Vec<String> =
        collected.iter(0).map(|sample| format!("{} {:?}", sample.name, sample.value)).collect();
    assert_eq!(shown[..2], ["c Counter(3)", "g Gauge(-1)"]);
    assert!(
        shown[2].starts_with("h Summary") && shown[2].ends_with("sum: 3.5, count: 3 }"),
        "{}",
        shown[2]
    );
}
