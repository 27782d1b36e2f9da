//! A response's head into the connection's buffer, the cached `Date` line included. Beside it are the two ways that need no
//! code of one's own: `write!`, and a `HeaderMap` of the `http` crate that is filled and then written out.

use std::hint::black_box;
use std::io::Write as _;

use airside::http::{DateCache, Encoder, ResponseHead, Status, Version};
use airside::telemetry::clock;
use criterion::{BenchmarkId, Criterion};
use http::{HeaderMap, HeaderName, HeaderValue, header};

const SERVER: &str = "airside";
const OK: ResponseHead<'_> = ResponseHead {
    status: Status::OK,
    content_type: Some("text/plain; charset=utf-8"),
    content_length: Some(13),
    chunked: false,
    extra: &[],
    keep_alive: true,
    version: Version::Http11,
};

pub(crate) fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    let encoder = Encoder::new(SERVER);
    let not_found = ResponseHead { status: Status::NOT_FOUND, keep_alive: false, ..OK };
    let moved = ResponseHead {
        status: Status::PERMANENT_REDIRECT,
        extra: &[("Location", "/users/42?verbose=1")],
        ..OK
    };
    for (name, head) in [("200", OK), ("404, close", not_found), ("308, Location", moved)] {
        let (mut date, mut output) = (DateCache::new(), Vec::new());
        let now_ns = clock::now_ns();
        group.bench_function(BenchmarkId::new("airside", name), |bencher| {
            bencher.iter(|| {
                output.clear();
                encoder.head(&mut output, date.line(black_box(now_ns)), black_box(&head));
                output.len()
            });
        });
        let mut formatted = Vec::new();
        group.bench_function(BenchmarkId::new("write!", name), |bencher| {
            bencher.iter(|| {
                formatted.clear();
                format(&mut formatted, date.line(black_box(now_ns)), black_box(&head));
                formatted.len()
            });
        });
        assert_eq!(formatted, output, "{name}");
        let mut mapped = Vec::new();
        let date_value = HeaderValue::from_bytes(&date.line(now_ns)["Date: ".len()..][..29]);
        let date_value = date_value.expect("a date is a value");
        group.bench_function(BenchmarkId::new("HeaderMap", name), |bencher| {
            bencher.iter(|| {
                mapped.clear();
                map(&mut mapped, black_box(&date_value), black_box(&head));
                mapped.len()
            });
        });
        // The names are in lower case there.
        assert!(mapped.eq_ignore_ascii_case(&output), "{name}");
    }
    group.finish();
}

fn format(output: &mut Vec<u8>, date_line: &[u8], head: &ResponseHead<'_>) {
    let (code, reason) = (head.status.code(), head.status.reason());
    let mut written = write!(output, "HTTP/1.1 {code} {reason}\r\nServer: {SERVER}\r\n");
    output.extend_from_slice(date_line);
    if let Some(content_type) = head.content_type {
        written = written.and_then(|()| write!(output, "Content-Type: {content_type}\r\n"));
    }
    if let Some(length) = head.content_length {
        written = written.and_then(|()| write!(output, "Content-Length: {length}\r\n"));
    }
    if !head.keep_alive {
        written = written.and_then(|()| write!(output, "Connection: close\r\n"));
    }
    for (name, value) in head.extra {
        written = written.and_then(|()| write!(output, "{name}: {value}\r\n"));
    }
    written.and_then(|()| write!(output, "\r\n")).expect("a Vec has room");
}

fn map(output: &mut Vec<u8>, date: &HeaderValue, head: &ResponseHead<'_>) {
    let mut fields = HeaderMap::new();
    fields.insert(header::SERVER, HeaderValue::from_static(SERVER));
    fields.insert(header::DATE, date.clone());
    if let Some(content_type) = head.content_type {
        fields.insert(header::CONTENT_TYPE, value(content_type));
    }
    if let Some(length) = head.content_length {
        fields.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    if !head.keep_alive {
        fields.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    for (name, text) in head.extra {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("it is a name");
        fields.insert(name, value(text));
    }
    let status = http::StatusCode::from_u16(head.status.code()).expect("it is a status");
    output.extend_from_slice(b"HTTP/1.1 ");
    output.extend_from_slice(status.as_str().as_bytes());
    output.push(b' ');
    output.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    output.extend_from_slice(b"\r\n");
    for (name, value) in &fields {
        output.extend_from_slice(name.as_str().as_bytes());
        output.extend_from_slice(b": ");
        output.extend_from_slice(value.as_bytes());
        output.extend_from_slice(b"\r\n");
    }
    output.extend_from_slice(b"\r\n");
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("it is a value")
}
