//! The Content-Type of an answer from its first bytes.

use std::hint::black_box;

use airside::http::sniff_content_type;
use criterion::Criterion;

pub(crate) fn sniff(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sniff");
    let text = "Lorem ipsum dolor sit amet. ".repeat(150);
    let html = format!("\n  <!DOCTYPE html><html><body>{text}</body></html>");
    for (name, body, expected) in [
        ("hello", &b"Hello, world!"[..], "text/plain; charset=utf-8"),
        ("JSON", br#"{"id":42,"name":"Ada","tags":["a","b"]}"#, "text/plain; charset=utf-8"),
        ("text 4 KiB", text.as_bytes(), "text/plain; charset=utf-8"),
        ("HTML", html.as_bytes(), "text/html; charset=utf-8"),
        ("PNG", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x01\0\0\0\x01\0\x08\x06\0\0\0", "image/png"),
        ("binary", &[0x0a, 0x05, 0x02, 0x08, 0x96, 0x01], "application/octet-stream"),
    ] {
        assert_eq!(sniff_content_type(body), Some(expected), "{name}");
        group.bench_function(name, |bencher| bencher.iter(|| sniff_content_type(black_box(body))));
    }
    group.finish();
}
