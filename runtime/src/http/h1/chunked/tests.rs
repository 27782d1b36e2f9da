//! Chunked bodies, whole and in every split in two.

use bytes::BytesMut;

use super::{ChunkedDecoder, Decoded, EXTENSION_BYTES_MAX, TRAILER_BYTES_MAX};
use crate::http::Reject;

const BODY_BYTES_MAX: u64 = 64;

fn decode(pieces: &[&[u8]]) -> Result<(Decoded, Vec<u8>), Reject> {
    let mut decoder = ChunkedDecoder::new();
    let mut body = BytesMut::new();
    let mut total = Decoded { consumed: 0, done: false };
    for piece in pieces {
        let decoded = decoder.decode(piece, &mut body, BODY_BYTES_MAX)?;
        assert!(decoded.done || decoded.consumed == piece.len());
        total = Decoded { consumed: total.consumed + decoded.consumed, ..decoded };
    }
    Ok((total, body.to_vec()))
}

fn decode_in_any_split(input: &[u8]) -> Result<(Decoded, Vec<u8>), Reject> {
    let at_once = decode(&[input]);
    for at in 0..=input.len() {
        let (first, second) = input.split_at(at);
        assert_eq!(decode(&[first, second]), at_once, "{at} of {}", input.escape_ascii());
    }
    let one_by_one: Vec<&[u8]> = input.chunks(1).collect();
    assert_eq!(decode(&one_by_one), at_once, "{}", input.escape_ascii());
    at_once
}

#[test]
fn well_formed_bodies() {
    for (input, body) in [
        ("0\r\n\r\n", ""),
        ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5\r\nhello\r\n1\r\n!\r\n000\r\n\r\n", "hello!"),
        ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("0000000000000001\r\n!\r\n0\r\n\r\n", "!"),
        ("2\r\n\r\n\r\n0\r\n\r\n", "\r\n"),
        ("1;a\r\n!\r\n0;a\r\n\r\n", "!"),
        ("1;a=b;c=d\r\n!\r\n0\r\n\r\n", "!"),
        ("1 ;\ta = b ; c\r\n!\r\n0\r\n\r\n", "!"),
        ("1;a=\"b;c\\\" é\t\\\\\"\r\n!\r\n0\r\n\r\n", "!"),
        ("1;a=\"\" ;b\r\n!\r\n0\r\n\r\n", "!"),
        ("0\r\nX: a\r\n\r\n", ""),
        ("0\r\nX:\r\nY: a b\té\r\n\r\n", ""),
        ("0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: b\r\n\r\n", ""),
    ] {
        let pipelined = format!("{input}GET / HTTP/1.1\r\n");
        for buffer in [input, &pipelined] {
            let expected =
                (Decoded { consumed: input.len(), done: true }, body.as_bytes().to_vec());
            assert_eq!(decode_in_any_split(buffer.as_bytes()), Ok(expected), "{buffer:?}");
        }
        for len in 0..input.len() {
            let cut = decode(&[&input.as_bytes()[..len]]);
            assert!(cut.is_ok_and(|(decoded, _)| !decoded.done), "{len} of {input:?}");
        }
    }
}

#[test]
fn malformed_bodies() {
    for input in [
        "\r\n",
        ";a\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "5\t\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5h\r\nhello\r\n0\r\n\r\n",
        "1_0\r\n",
        "g\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\rhello\r\n0\r\n\r\n",
        "5\r\r\nhello\r\n0\r\n\r\n",
        "5\n\rhello\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello\r0\r\n\r\n",
        "5\r\nhello!\r\n0\r\n\r\n",
        "5\r\nhello\r\n\r\n0\r\n\r\n",
        "5\r\nhell\r\n0\r\n\r\n",
        "00000000000000001\r\n!\r\n0\r\n\r\n",
        "10000000000000000\r\n",
        "fffffffffffffffff\r\n",
        "5;\r\nhello\r\n0\r\n\r\n",
        "5;a=\r\nhello\r\n0\r\n\r\n",
        "5;a \r\nhello\r\n0\r\n\r\n",
        "5;a=b \t;\r\nhello\r\n0\r\n\r\n",
        "5;;\r\nhello\r\n0\r\n\r\n",
        "5;a;\r\nhello\r\n0\r\n\r\n",
        "5;=b\r\nhello\r\n0\r\n\r\n",
        "5;a b\r\nhello\r\n0\r\n\r\n",
        "5;a=b c\r\nhello\r\n0\r\n\r\n",
        "5;a=\"b\r\nhello\r\n0\r\n\r\n",
        "5;a=\"b\"c\r\nhello\r\n0\r\n\r\n",
        "5;a=\"\\\r\nhello\r\n0\r\n\r\n",
        "5;a\nhello\r\n0\r\n\r\n",
        "5;a\0\r\nhello\r\n0\r\n\r\n",
        "5;a=\"\u{1}\"\r\nhello\r\n0\r\n\r\n",
        "5;a\r\rhello\r\n0\r\n\r\n",
        "0\n\r\n",
        "0\r\n\n",
        "0\r\n\r\r\n",
        "0\r\nX\r\n\r\n",
        "0\r\nX : a\r\n\r\n",
        "0\r\n: a\r\n\r\n",
        "0\r\nX: a\n\r\n",
        "0\r\nX: a\rb\r\n\r\n",
        "0\r\nX: a\r\n b\r\n\r\n",
        "0\r\nX: a\0\r\n\r\n",
        "0\r\nGET / HTTP/1.1\r\n\r\n",
    ] {
        match decode_in_any_split(input.as_bytes()) {
            Err(reject) => assert_eq!(reject.status.code(), 400, "{input:?}: {reject}"),
            Ok(decoded) => panic!("{input:?} gave {decoded:?}"),
        }
    }
}

fn check_limit(input: &str, status: Option<u16>) {
    let shown = &input[..input.len().min(40)];
    match (decode(&[input.as_bytes()]), status) {
        (Err(reject), Some(status)) => assert_eq!(reject.status.code(), status, "{shown:?}"),
        (Ok((decoded, _)), None) => assert!(decoded.done, "{shown:?}"),
        (other, _) => panic!("{shown:?} gave {other:?}"),
    }
}

#[test]
fn limits() {
    let data = "a".repeat(BODY_BYTES_MAX as usize);
    check_limit(&format!("40\r\n{data}\r\n0\r\n\r\n"), None);
    check_limit(&format!("40\r\n{data}\r\n1\r\n"), Some(413));
    check_limit("41\r\n", Some(413));
    check_limit("ffffffffffffffff\r\n", Some(413));
    check_limit("1\r\n!\r\nffffffffffffffff\r\n", Some(413));

    let extension = |bytes: u32| format!(";{}", "a".repeat(bytes as usize - 1));
    check_limit(&format!("0{}\r\n\r\n", extension(EXTENSION_BYTES_MAX)), None);
    check_limit(&format!("0{}", extension(EXTENSION_BYTES_MAX + 1)), Some(400));
    let half = extension(EXTENSION_BYTES_MAX / 2);
    check_limit(&format!("1{half}\r\n!\r\n0{half}\r\n\r\n"), None);
    check_limit(&format!("1{half}\r\n!\r\n0{half}a\r\n\r\n"), Some(400));

    let trailer = |bytes: u32| format!("X:{}\r\n\r\n", "a".repeat(bytes as usize - 6));
    check_limit(&format!("0\r\n{}", trailer(TRAILER_BYTES_MAX)), None);
    check_limit(&format!("0\r\n{}", trailer(TRAILER_BYTES_MAX + 1)), Some(431));
    check_limit(&format!("0\r\n{}", "X:\r\n".repeat(10_000)), Some(431));
}
