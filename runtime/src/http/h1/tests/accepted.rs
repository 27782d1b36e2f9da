//! Heads that must be understood, and how.

use super::{LIMITS, parse_in_any_split, summary};
use crate::http::Parsed;

fn check(rows: &[(&str, &str)]) {
    for (input, expected) in rows {
        let followed_by_more = format!("{input}GET /next");
        for buffer in [input.as_bytes(), followed_by_more.as_bytes()] {
            match parse_in_any_split(buffer, &LIMITS) {
                Ok(Parsed::Complete(head)) => {
                    assert_eq!(summary(&head, buffer), *expected, "{input:?}");
                    assert_eq!(head.len, input.len(), "{input:?}");
                }
                other => panic!("{input:?} gave {other:?}"),
            }
        }
    }
}

#[test]
fn targets() {
    check(&[
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 empty keep"),
        ("GET /a/b%20c;d=e HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a/b%20c;d=e 1.1 empty keep"),
        ("GET //a HTTP/1.1\r\nHost: a\r\n\r\n", "GET //a 1.1 empty keep"),
        ("GET /a?b=c&d HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a?b=c&d 1.1 empty keep"),
        ("GET /a? HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a? 1.1 empty keep"),
        ("GET /a?b?c HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a?b?c 1.1 empty keep"),
        ("GET /{a}|\"<b>^`\\ HTTP/1.1\r\nHost: a\r\n\r\n", "GET /{a}|\"<b>^`\\ 1.1 empty keep"),
        ("GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n", "GET /b?c 1.1 empty keep"),
        ("GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 empty keep"),
        ("GET http://a:80?b HTTP/1.1\r\nHost: a\r\n\r\n", "GET /?b 1.1 empty keep"),
        ("GET HTTPS://[::1]:80/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 empty keep"),
        ("GET http://a/http://b HTTP/1.1\r\nHost: a\r\n\r\n", "GET /http://b 1.1 empty keep"),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * 1.1 empty keep"),
        ("OPTIONS /a HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS /a 1.1 empty keep"),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT a:443 1.1 empty keep"),
        ("CONNECT [::1]:443 HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT [::1]:443 1.1 empty keep"),
    ]);
}

#[test]
fn methods() {
    check(&[
        ("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD / 1.1 empty keep"),
        ("POST / HTTP/1.1\r\nHost: a\r\n\r\n", "POST / 1.1 empty keep"),
        ("PUT / HTTP/1.1\r\nHost: a\r\n\r\n", "PUT / 1.1 empty keep"),
        ("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", "DELETE / 1.1 empty keep"),
        ("PATCH / HTTP/1.1\r\nHost: a\r\n\r\n", "PATCH / 1.1 empty keep"),
        ("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "TRACE / 1.1 empty keep"),
        ("get / HTTP/1.1\r\nHost: a\r\n\r\n", "get / 1.1 empty keep"),
        (
            "M-SEARCH!#$%&'*+.^_`|~9 / HTTP/1.1\r\nHost: a\r\n\r\n",
            "M-SEARCH!#$%&'*+.^_`|~9 / 1.1 empty keep",
        ),
    ]);
}

#[test]
fn empty_lines_before_the_request_line() {
    let eight = "\r\n".repeat(8);
    check(&[
        ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 empty keep"),
        (&format!("{eight}GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n"), "GET /a?b 1.1 empty keep"),
    ]);
}

#[test]
fn hosts() {
    for host in [
        "a",
        "a.example",
        "A-b_c~.example:80",
        "127.0.0.1:8080",
        "a:",
        "a:65535",
        "[::1]",
        "[2001:db8::1]:443",
        "[::ffff:1.2.3.4]",
        "%41%7e.example",
        "!$&'()*+,;=",
    ] {
        check(&[(&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), "GET / 1.1 empty keep")]);
    }
    check(&[
        ("GET / HTTP/1.1\r\nhOsT:a\r\n\r\n", "GET / 1.1 empty keep"),
        ("GET / HTTP/1.1\r\nHost: \t a \t \r\n\r\n", "GET / 1.1 empty keep"),
        ("GET / HTTP/1.0\r\nHost: a\r\n\r\n", "GET / 1.0 empty close"),
        ("GET / HTTP/1.0\r\n\r\n", "GET / 1.0 empty close"),
    ]);
}

#[test]
fn keep_alive_of_both_versions() {
    check(&[
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "GET / 1.1 empty close"),
        ("GET / HTTP/1.1\r\nHost: a\r\nconnection: CLOSE\r\n\r\n", "GET / 1.1 empty close"),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, close ,y\r\n\r\n", "GET / 1.1 empty close"),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: ,\tclose\r\n\r\n", "GET / 1.1 empty close"),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: close\r\n\r\n",
            "GET / 1.1 empty close",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n",
            "GET / 1.1 empty close",
        ),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", "GET / 1.1 empty keep"),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n", "GET / 1.1 empty keep"),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: \"close\"\r\n\r\n", "GET / 1.1 empty keep"),
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection:\r\n\r\n", "GET / 1.1 empty keep"),
        ("GET / HTTP/1.1\r\nHost: a\r\nKeep-Alive: close\r\n\r\n", "GET / 1.1 empty keep"),
        ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET / 1.0 empty keep"),
        ("GET / HTTP/1.0\r\nConnection: x,Keep-Alive\r\n\r\n", "GET / 1.0 empty keep"),
        ("GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n", "GET / 1.0 empty close"),
        ("GET / HTTP/1.0\r\nConnection: x\r\n\r\n", "GET / 1.0 empty close"),
    ]);
}

#[test]
fn framings() {
    check(&[
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "POST / 1.1 empty keep"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", "POST / 1.1 5 keep"),
        ("POST / HTTP/1.1\r\nHost: a\r\nCONTENT-LENGTH:1000\r\n\r\n", "POST / 1.1 1000 keep"),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:  0007 \r\n\r\n", "POST / 1.1 7 keep"),
        ("POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\n", "POST / 1.0 5 close"),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", "GET / 1.1 5 keep"),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / 1.1 chunked keep",
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding:CHUNKED\r\n\r\n",
            "POST / 1.1 chunked keep",
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent_Length: 9\r\n\r\n", "POST / 1.1 empty keep"),
    ]);
}

#[test]
fn expectations() {
    check(&[
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
            "POST / 1.1 5 keep continue",
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nexpect:100-Continue\r\n\r\n",
            "POST / 1.1 chunked keep continue",
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect:\r\n\r\n", "POST / 1.1 5 keep"),
        ("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n", "POST / 1.1 empty keep"),
        (
            "POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
            "POST / 1.0 5 close",
        ),
        ("POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: other\r\n\r\n", "POST / 1.0 5 close"),
    ]);
}

#[test]
fn field_values() {
    check(&[
        ("GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n", "GET / 1.1 empty keep"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \r\nY: \t\r\n\r\n", "GET / 1.1 empty keep"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\tb: é\r\n\r\n", "GET / 1.1 empty keep"),
        ("GET / HTTP/1.1\r\nX-a!#$%&'*+.^_`|~9: 1\r\nHost: a\r\n\r\n", "GET / 1.1 empty keep"),
    ]);
}
