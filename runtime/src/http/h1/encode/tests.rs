//! Heads read back with httparse.

use bytes::BytesMut;
use proptest::prelude::*;

use super::{Encoder, LAST_CHUNK, ResponseHead, put_chunk};
use crate::http::{ChunkedDecoder, Reject, Status, Version};

const DATE_LINE: &[u8] = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
const OK: ResponseHead<'static> = ResponseHead {
    status: Status::OK,
    content_type: Some("text/plain; charset=utf-8"),
    content_length: Some(5),
    chunked: false,
    extra: &[],
    keep_alive: true,
    version: Version::Http11,
};

fn encode(head: &ResponseHead<'_>) -> String {
    let mut out = Vec::new();
    Encoder::new("airside").head(&mut out, DATE_LINE, head);
    String::from_utf8(out).unwrap()
}

#[test]
fn heads() {
    const START: &str = "Server: airside\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let bare = ResponseHead { content_type: None, content_length: None, ..OK };
    for (head, status_line, rest) in [
        (OK, "200 OK", "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n"),
        (
            ResponseHead { content_length: Some(0), content_type: None, ..OK },
            "200 OK",
            "Content-Length: 0\r\n",
        ),
        (
            ResponseHead { content_length: Some(u64::MAX), content_type: None, ..OK },
            "200 OK",
            "Content-Length: 18446744073709551615\r\n",
        ),
        (ResponseHead { keep_alive: false, ..bare }, "200 OK", "Connection: close\r\n"),
        (ResponseHead { version: Version::Http10, ..bare }, "200 OK", "Connection: keep-alive\r\n"),
        (ResponseHead { version: Version::Http10, keep_alive: false, ..bare }, "200 OK", ""),
        (ResponseHead { status: Status::NO_CONTENT, ..bare }, "204 No Content", ""),
        (
            ResponseHead { status: Status::NO_CONTENT, content_type: None, ..OK },
            "204 No Content",
            "",
        ),
        (ResponseHead { status: Status::new(299).unwrap(), ..bare }, "299 ", ""),
        (
            ResponseHead { extra: &[("Allow", "GET, OPTIONS"), ("X", "")], ..bare },
            "200 OK",
            "Allow: GET, OPTIONS\r\nX: \r\n",
        ),
        (
            ResponseHead { extra: &[("Location", "/a\r\nSet-Cookie: b\0\u{7f}\té")], ..bare },
            "200 OK",
            "Location: /a  Set-Cookie: b  \té\r\n",
        ),
        (
            ResponseHead { content_type: Some("a\r\n\r\nb"), ..bare },
            "200 OK",
            "Content-Type: a    b\r\n",
        ),
    ] {
        let expected = format!("HTTP/1.1 {status_line}\r\n{START}{rest}\r\n");
        assert_eq!(encode(&head), expected);
    }
}

#[test]
fn server_name() {
    for (name, line) in [("tarmac", "Server: tarmac\r\n"), ("", ""), ("a\r\nb", "Server: a  b\r\n")]
    {
        let mut out = Vec::new();
        Encoder::new(name).head(&mut out, b"", &ResponseHead { content_type: None, ..OK });
        let expected = format!("HTTP/1.1 200 OK\r\n{line}Content-Length: 5\r\n\r\n");
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

#[test]
fn rejects_close_the_connection() {
    let mut out = Vec::new();
    let reject = Reject { status: Status::URI_TOO_LONG, reason: "too long" };
    Encoder::new("").reject(&mut out, b"", &reject);
    let expected = "HTTP/1.1 414 URI Too Long\r\nContent-Type: text/plain; charset=utf-8\r\n\
                    Content-Length: 8\r\nConnection: close\r\n\r\ntoo long";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn a_body_in_chunks_reads_back() {
    let head = ResponseHead { content_length: None, chunked: true, keep_alive: false, ..OK };
    let expected = "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    assert!(encode(&head).ends_with(expected), "{}", encode(&head));

    let (mut body, mut read) = (Vec::new(), BytesMut::new());
    put_chunk(&mut body, b"one");
    put_chunk(&mut body, &[b'x'; 300]);
    body.extend_from_slice(LAST_CHUNK);
    let decoded = ChunkedDecoder::default().decode(&body, &mut read, 1_000).unwrap();
    assert!(decoded.done && decoded.consumed == body.len());
    assert_eq!(read, format!("one{}", "x".repeat(300)));
}

#[test]
fn text_keeps_the_extra_fields() {
    let mut out = Vec::new();
    let head = ResponseHead {
        status: Status::METHOD_NOT_ALLOWED,
        extra: &[("Allow", "GET")],
        content_length: None,
        ..OK
    };
    Encoder::new("").text(&mut out, b"", &head, "no");
    let expected = "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain; charset=utf-8\r\n\
                    Content-Length: 2\r\nAllow: GET\r\n\r\nno";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

/// Such a name is a bug of ours, which a debug build stops at.
#[test]
fn a_name_that_is_no_token_is_never_written() {
    let encoded = std::panic::catch_unwind(|| {
        encode(&ResponseHead { extra: &[("X\r\nSet-Cookie", "a")], ..OK })
    });
    assert_eq!(encoded.is_err(), cfg!(debug_assertions));
    assert!(!encoded.unwrap_or_default().contains("Set-Cookie"));
}

proptest! {
    /// Whatever the values hold, a client reads the fields that were given and nothing else.
    #[test]
    fn httparse_reads_the_head_back(
        code in 200_u16..=999,
        content_type in proptest::option::of(any::<String>()),
        content_length in proptest::option::of(any::<u64>()),
        extra in proptest::collection::vec(("[A-Za-z-]{1,9}x", any::<String>()), 0..5),
        keep_alive: bool,
    ) {
        let extra: Vec<(&str, &str)> =
            extra.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let status = Status::new(code).unwrap();
        let head = ResponseHead {
            status,
            content_type: content_type.as_deref(),
            content_length,
            chunked: false,
            extra: &extra,
            keep_alive,
            version: Version::Http11,
        };
        let text = encode(&head);

        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut response = httparse::Response::new(&mut headers);
        let parsed = response.parse(text.as_bytes());
        prop_assert_eq!(parsed, Ok(httparse::Status::Complete(text.len())));
        prop_assert_eq!(response.code, Some(code));
        prop_assert_eq!(response.reason, Some(status.reason()));

        let has_length = content_length.is_some() && code != 204;
        let mut names = vec!["Server", "Date"];
        names.extend(content_type.as_ref().map(|_| "Content-Type"));
        names.extend(has_length.then_some("Content-Length"));
        names.extend((!keep_alive).then_some("Connection"));
        names.extend(extra.iter().map(|(name, _)| *name));
        let read: Vec<&str> = response.headers.iter().map(|header| header.name).collect();
        prop_assert_eq!(read, names);
        for header in response.headers.iter() {
            if header.name == "Content-Length" {
                let expected = content_length.unwrap().to_string();
                prop_assert_eq!(header.value, expected.as_bytes());
            }
        }
    }
}
