//! The codec as a whole: tables of heads, hyper as the oracle, and what the fuzz target checks.

mod accepted;
mod fuzzed;
mod limits;
mod oracle;
mod refused;

use crate::http::{Framing, Head, Limits, Method, Parsed, Reject, Version, parse_head};

const LIMITS: Limits =
    Limits { head_bytes_max: 4096, target_bytes_max: 1024, headers_max: 64, body_bytes_max: 1000 };

/// The outcome when the bytes come one by one, which must be the outcome when they come at once.
fn parse_in_any_split(input: &[u8], limits: &Limits) -> Result<Parsed, Reject> {
    let at_once = parse_head(input, limits);
    let one_by_one = (0..=input.len())
        .map(|len| parse_head(&input[..len], limits))
        .find(|outcome| *outcome != Ok(Parsed::Partial))
        .unwrap_or(Ok(Parsed::Partial));
    assert_eq!(one_by_one, at_once, "split changes {:?}", input.escape_ascii().to_string());
    at_once
}

/// `METHOD path[?query] version framing keep|close [continue]`.
fn summary(head: &Head, buffer: &[u8]) -> String {
    let text = |span: crate::http::Span| String::from_utf8(span.of(buffer).to_vec()).unwrap();
    if let Some(name) = head.method.as_str() {
        assert_eq!(name, text(head.method_name));
        assert_ne!(head.method, Method::Other);
    }
    let mut summary = format!("{} {}", text(head.method_name), text(head.path));
    if let Some(query) = head.query {
        summary.push('?');
        summary.push_str(&text(query));
    }
    summary.push_str(match head.version {
        Version::Http10 => " 1.0",
        Version::Http11 => " 1.1",
    });
    match head.framing {
        Framing::Empty => summary.push_str(" empty"),
        Framing::Length(length) => summary.push_str(&format!(" {length}")),
        Framing::Chunked => summary.push_str(" chunked"),
    }
    summary.push_str(if head.keep_alive { " keep" } else { " close" });
    if head.expect_continue {
        summary.push_str(" continue");
    }
    summary
}
