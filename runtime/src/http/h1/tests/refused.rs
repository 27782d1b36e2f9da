//! Heads that must be refused: each row is something that another reader may take differently.

use super::{LIMITS, parse_in_any_split};

fn check(status: u16, rows: &[&str]) {
    for input in rows {
        check_bytes(status, input.as_bytes());
    }
}

fn check_bytes(status: u16, input: &[u8]) {
    let shown = input.escape_ascii().to_string();
    match parse_in_any_split(input, &LIMITS) {
        Err(reject) => assert_eq!(reject.status.code(), status, "{shown}: {reject}"),
        other => panic!("{shown} gave {other:?}"),
    }
}

fn with_fields(fields: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n")
}

fn check_fields(status: u16, rows: &[&str]) {
    for fields in rows {
        check(status, &[&with_fields(fields)]);
    }
}

#[test]
fn request_lines() {
    check(
        400,
        &[
            "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
            " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\rHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n",
            "GET /\r\n\r\n",
            "GET / \r\nHost: a\r\n\r\n",
            "GET HTTP/1.1\r\nHost: a\r\n\r\n",
            "/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "G(T / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET: / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GÉT / HTTP/1.1\r\nHost: a\r\n\r\n",
            "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "\0GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0",
        ],
    );
}

#[test]
fn versions() {
    check(
        505,
        &[
            "GET / HTTP/0.9\r\n\r\n",
            "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
            "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
            "GET / HTTP/9.9\r\nHost: a\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        ],
    );
    check(
        400,
        &[
            "GET / http/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.10\r\nHost: a\r\n\r\n",
            "GET / HTTP/01.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1,1\r\nHost: a\r\n\r\n",
            "GET / HTTP/-1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/ 1.1\r\nHost: a\r\n\r\n",
            "GET / HTTPS/1.1\r\nHost: a\r\n\r\n",
            "GET / XHTTP/1.1\r\nHost: a\r\n\r\n",
        ],
    );
}

#[test]
fn targets() {
    check(
        400,
        &[
            "GET a HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET ?a HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a/#b HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /\u{7f} HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a\u{1}b HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
            "OPTIONS ** HTTP/1.1\r\nHost: a\r\n\r\n",
            "OPTIONS *?a HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
            "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n",
            "CONNECT * HTTP/1.1\r\nHost: a\r\n\r\n",
            "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n",
            "CONNECT a: HTTP/1.1\r\nHost: a\r\n\r\n",
            "CONNECT :443 HTTP/1.1\r\nHost: a\r\n\r\n",
            "CONNECT a:443/b HTTP/1.1\r\nHost: a\r\n\r\n",
            "CONNECT a:65536 HTTP/1.1\r\nHost: a\r\n\r\n",
            "CONNECT http://a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://?a HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http:/a HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http:a HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://b@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://b:c@a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a:b/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://[::1/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET //a HTTP/1.1\r\n\r\n",
        ],
    );
}

#[test]
fn hosts() {
    check(
        400,
        &[
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nX: a\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n",
            "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.0\r\nHost: a b\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nHost: b/c\r\n\r\n",
        ],
    );
    for host in [
        "",
        " ",
        ":80",
        "a b",
        "a, b",
        "a/b",
        "a?b",
        "a#b",
        "b@a",
        "http://a",
        "a:b",
        "a:80:80",
        "a:-1",
        "a:+80",
        "a:65536",
        "a:8 0",
        "%4",
        "%zz",
        "[]",
        "[::1",
        "::1",
        "[::1]x",
        "[::1]:b",
        "[::g]",
        "[v1.a]",
        "[::1%25eth0]",
        "a\\b",
        "a\"b",
        "<a>",
        "a\tb",
        "é",
    ] {
        check(400, &[&format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")]);
    }
}

#[test]
fn field_syntax() {
    check_fields(
        400,
        &[
            "X : a",
            "X\t: a",
            " X: a",
            "\tX: a",
            "X: a\r\n b",
            "X: a\r\n\tb",
            "X: a\r\n : b",
            "X",
            "X a",
            ": a",
            "X@: a",
            "X(: a",
            "Xé: a",
            "X\0: a",
            "X: a\0b",
            "X: a\u{1}b",
            "X: a\u{7f}b",
            "X: a\rb",
            "X: a\r\r\nY: b",
            "X: a\nY: b",
            "X: a\n\r\nY: b",
            "X:\nY: b",
            "X: a\r\n\nGET /smuggled HTTP/1.1",
            "Content-Length: 5\nX: b",
            "Content-Length : 5",
            "Transfer-Encoding : chunked",
            "Transfer-Encoding\u{b}: chunked",
            "Transfer-Encoding: \u{b}chunked",
            "X: a\rTransfer-Encoding: chunked",
        ],
    );
    check(
        400,
        &[
            "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\n",
            "GET / HTTP/1.1\r\nHost: a\n\n",
            "GET / HTTP/1.0\r\n\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\rX: b\r\n\r\n",
        ],
    );
}

#[test]
fn transfer_encodings() {
    check_fields(
        400,
        &[
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Content-Length: 0\r\nTransfer-Encoding: chunked",
            "Content-Length: 5\r\nTransfer-Encoding: gzip",
            "Transfer-Encoding:",
            "Transfer-Encoding: ,",
            "Transfer-Encoding: chunked,",
            "Transfer-Encoding: ,chunked",
            "Transfer-Encoding: gzip",
            "Transfer-Encoding: identity",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding: chunkedx",
            "Transfer-Encoding: chunk",
            "Transfer-Encoding: \"chunked\"",
            "Transfer-Encoding: 'chunked'",
            "Transfer-Encoding: chunked;q=1",
            "Transfer-Encoding: chunked gzip",
            "Transfer-Encoding: gzip chunked",
            "Transfer-Encoding: chunked, gzip",
            "Transfer-Encoding: chunked, identity",
            "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding:",
            "Transfer-Encoding: gzip, chunked, chunked",
            "Transfer-Encoding: chunked, gzip, chunked",
        ],
    );
    check_fields(
        501,
        &[
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: identity, chunked",
            "Transfer-Encoding: a;b=c , chunked",
            "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
        ],
    );
    check(
        400,
        &[
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.0\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n",
        ],
    );
}

#[test]
fn content_lengths() {
    check_fields(
        400,
        &[
            "Content-Length:",
            "Content-Length: +5",
            "Content-Length: -5",
            "Content-Length: 5, 5",
            "Content-Length: 5,5",
            "Content-Length: 5, 6",
            "Content-Length: 5,",
            "Content-Length: 5 5",
            "Content-Length: 0x5",
            "Content-Length: 5a",
            "Content-Length: 5.0",
            "Content-Length: 1e1",
            "Content-Length: 1_0",
            "Content-Length: \"5\"",
            "Content-Length: ٥",
            "Content-Length: 18446744073709551616",
            "Content-Length: 99999999999999999999999",
            "Content-Length: 5\r\nContent-Length: 5",
            "Content-Length: 5\r\ncontent-length: 6",
            "Content-Length: 0\r\nContent-Length: 0",
            "Content-Length: 5\r\nContent-Length:",
        ],
    );
    check_fields(413, &["Content-Length: 1001", "Content-Length: 18446744073709551615"]);
}

#[test]
fn expectations() {
    check_fields(
        417,
        &[
            "Expect: 200-ok",
            "Expect: 100-continue, other",
            "Expect: other, 100-continue",
            "Expect: 100-continue\r\nExpect: other",
            "Content-Length: 5\r\nExpect: 100-continue;a=b",
        ],
    );
}

#[test]
fn bytes_that_are_no_text() {
    check_bytes(400, b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n");
    check_bytes(400, b"GET / HTTP/1.1\r\nHost: \xff\r\n\r\n");
    check_bytes(400, b"GET / HTTP/1.1\r\nHost: [\xff]\r\n\r\n");
    check_bytes(400, b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \xa0chunked\r\n\r\n");
    check_bytes(400, b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\xa0\r\n\r\n");
    check_bytes(400, b"GET / HTTP/1.1\r\nHost: a\r\nX\xff: a\r\n\r\n");
}
