//! Limits hold whether or not the head is whole, and to the byte.

use super::{LIMITS, parse_in_any_split};
use crate::http::{HEADERS_MAX, Limits, Parsed, parse_head};

/// `expected` is a status, or 0 for a head that is understood, or 1 for one that needs more bytes.
fn check(input: &str, limits: &Limits, expected: u16) {
    let status = match parse_in_any_split(input.as_bytes(), limits) {
        Ok(Parsed::Complete(_)) => 0,
        Ok(Parsed::Partial) => 1,
        Err(reject) => reject.status.code(),
    };
    let shown = &input[..input.len().min(60)];
    assert_eq!(status, expected, "{} bytes: {shown:?}", input.len());
}

fn get(target: &str, fields: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

#[test]
fn request_target() {
    let target = |len: usize| format!("/{}", "a".repeat(len - 1));
    check(&get(&target(LIMITS.target_bytes_max), ""), &LIMITS, 0);
    check(&get(&target(LIMITS.target_bytes_max + 1), ""), &LIMITS, 414);
    check(&format!("GET {}", target(LIMITS.target_bytes_max)), &LIMITS, 1);
    check(&format!("GET {}", target(LIMITS.target_bytes_max + 1)), &LIMITS, 414);
    let head_decides = Limits { target_bytes_max: usize::MAX, ..LIMITS };
    check(&format!("GET {}", target(LIMITS.head_bytes_max - 5)), &head_decides, 1);
    check(&format!("GET {}", target(LIMITS.head_bytes_max - 4)), &head_decides, 414);
}

#[test]
fn method() {
    check(&format!("{} / HTTP/1.0\r\n\r\n", "A".repeat(32)), &LIMITS, 0);
    check(&"A".repeat(32), &LIMITS, 1);
    check(&"A".repeat(33), &LIMITS, 501);
}

#[test]
fn header_block() {
    let fields = |len: usize| format!("X: {}\r\n", "a".repeat(len - "X: \r\n".len()));
    let rest = get("/", "").len();
    check(&get("/", &fields(LIMITS.head_bytes_max - rest)), &LIMITS, 0);
    check(&get("/", &fields(LIMITS.head_bytes_max - rest + 1)), &LIMITS, 431);
    let endless = get("/", &fields(LIMITS.head_bytes_max));
    check(&endless[..LIMITS.head_bytes_max - 1], &LIMITS, 1);
    check(&endless[..LIMITS.head_bytes_max], &LIMITS, 431);
}

#[test]
fn header_count() {
    let fields = |count: usize| "X: a\r\n".repeat(count);
    for headers_max in [1, 2, 15, 16, 17, 64, HEADERS_MAX, HEADERS_MAX + 1, usize::MAX] {
        let limits = Limits { headers_max, ..LIMITS };
        let most = headers_max.min(HEADERS_MAX);
        check(&get("/", &fields(most - 1)), &limits, 0);
        check(&get("/", &fields(most)), &limits, 431);
    }
    check("GET / HTTP/1.0\r\n\r\n", &Limits { headers_max: 0, ..LIMITS }, 0);
    check("GET / HTTP/1.0\r\nX: a\r\n\r\n", &Limits { headers_max: 0, ..LIMITS }, 431);
}

#[test]
fn body() {
    let post = |length: u64| get("/", &format!("Content-Length: {length}\r\n"));
    check(&post(LIMITS.body_bytes_max), &LIMITS, 0);
    check(&post(LIMITS.body_bytes_max + 1), &LIMITS, 413);
    check(&post(u64::MAX), &Limits { body_bytes_max: u64::MAX, ..LIMITS }, 0);
    check(&post(1), &Limits { body_bytes_max: 0, ..LIMITS }, 413);
    check(&post(0), &Limits { body_bytes_max: 0, ..LIMITS }, 0);
}

#[test]
fn an_empty_buffer_is_partial() {
    assert_eq!(parse_head(b"", &LIMITS), Ok(Parsed::Partial));
}
