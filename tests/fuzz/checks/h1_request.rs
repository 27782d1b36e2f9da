//! What must hold for any bytes a client may send. Run by the fuzz target and by the unit tests of the codec.

use bytes::BytesMut;

use crate::http::{
    ChunkedDecoder, Framing, Head, Limits, Method, Parsed, Reject, Version, parse_head,
};

/// Small, so that a short input passes each of them.
const LIMITS: Limits =
    Limits { head_bytes_max: 512, target_bytes_max: 64, headers_max: 20, body_bytes_max: 128 };

/// The first byte of `input` chooses the split, the rest is what the client sends.
pub(crate) fn check(input: &[u8]) {
    let Some((seed, stream)) = input.split_first() else { return };
    let at_once = read(std::iter::once(stream));
    let one_by_one = read(stream.chunks(1));
    assert_eq!(one_by_one, at_once, "one by one: {}", stream.escape_ascii());
    let in_pieces = read(Pieces { rest: stream, state: u32::from(*seed) });
    assert_eq!(in_pieces, at_once, "seed {seed}: {}", stream.escape_ascii());
}

/// What became of a stream: independent of how its bytes arrived.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    requests: Vec<Request>,
    /// The stream ended with a request refused, or after one that closes the connection.
    reject: Option<Reject>,
    /// Bytes of the head that is not whole, or after the last request.
    left: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
struct Request {
    head: Head,
    head_bytes: Vec<u8>,
    body: BytesMut,
}

/// Where the connection stands.
enum Stage {
    Head,
    Length(u64),
    Chunked(ChunkedDecoder),
    Closed,
}

/// Reads requests as a connection does.
fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Outcome {
    let mut outcome = Outcome::default();
    let mut stage = Stage::Head;
    for piece in pieces {
        outcome.left.extend_from_slice(piece);
        loop {
            match step(&mut stage, &mut outcome) {
                Ok(true) => {}
                Ok(false) => break,
                Err(reject) => {
                    outcome.left.clear();
                    outcome.reject = Some(reject);
                    return outcome;
                }
            }
        }
    }
    outcome
}

/// True when there may be more to do before the next piece.
fn step(stage: &mut Stage, outcome: &mut Outcome) -> Result<bool, Reject> {
    match stage {
        Stage::Closed => Ok(false),
        Stage::Head => {
            let Parsed::Complete(head) = parse_head(&outcome.left, &LIMITS)? else {
                assert!(outcome.left.len() < LIMITS.head_bytes_max, "a buffer that grows for ever");
                return Ok(false);
            };
            check_head(&head, &outcome.left);
            let rest = outcome.left.split_off(head.len);
            let head_bytes = std::mem::replace(&mut outcome.left, rest);
            outcome.requests.push(Request { head, head_bytes, body: BytesMut::new() });
            *stage = match head.framing {
                Framing::Empty => after_request(outcome),
                Framing::Length(length) => Stage::Length(length),
                Framing::Chunked => Stage::Chunked(ChunkedDecoder::new()),
            };
            Ok(true)
        }
        Stage::Length(left) => {
            let len = outcome.left.len().min(*left as usize);
            *left -= len as u64;
            let done = *left == 0;
            let Outcome { requests, left: input, .. } = outcome;
            last_body(requests).extend(input.drain(..len));
            if done {
                *stage = after_request(outcome);
            }
            Ok(done)
        }
        Stage::Chunked(decoder) => {
            let body = last_body(&mut outcome.requests);
            let decoded = decoder.decode(&outcome.left, body, LIMITS.body_bytes_max)?;
            assert!(body.len() as u64 <= LIMITS.body_bytes_max);
            assert!(decoded.consumed <= outcome.left.len());
            assert!(decoded.done || decoded.consumed == outcome.left.len());
            outcome.left.drain(..decoded.consumed);
            if decoded.done {
                *stage = after_request(outcome);
            }
            Ok(decoded.done)
        }
    }
}

fn last_body(requests: &mut [Request]) -> &mut BytesMut {
    &mut requests.last_mut().expect("a body follows a head").body
}

fn after_request(outcome: &Outcome) -> Stage {
    match outcome.requests.last() {
        Some(request) if request.head.keep_alive => Stage::Head,
        _ => Stage::Closed,
    }
}

/// An accepted head has one reading only, here found without the parser.
fn check_head(head: &Head, buffer: &[u8]) {
    assert!(head.len <= buffer.len() && head.len <= LIMITS.head_bytes_max);
    let block = &buffer[..head.len];
    assert_eq!(parse_head(block, &LIMITS), Ok(Parsed::Complete(*head)));

    let text = block.strip_suffix(b"\r\n\r\n").expect("a head ends with an empty line");
    let lines: Vec<&[u8]> = split_lines(text);
    for line in &lines {
        assert!(!line.iter().any(|byte| matches!(byte, b'\r' | b'\n' | b'\0')));
    }
    let first = lines.iter().position(|line| !line.is_empty()).expect("a request line");
    check_request_line(head, buffer, lines[first]);
    let fields: Vec<(Vec<u8>, &[u8])> = lines[first + 1..].iter().map(|line| field(line)).collect();
    assert!(fields.len() <= LIMITS.headers_max);
    check_framing(head, &fields);
}

fn split_lines(text: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(2).position(|pair| pair == b"\r\n") {
        lines.push(&rest[..at]);
        rest = &rest[at + 2..];
    }
    lines.push(rest);
    lines
}

fn check_request_line(head: &Head, buffer: &[u8], line: &[u8]) {
    let parts: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [method, target, version] = parts[..] else { panic!("not three parts") };
    assert_eq!(method, head.method_name.of(buffer));
    assert!(!method.is_empty() && method.iter().all(|byte| is_token(*byte)));
    assert_eq!(head.method, Method::from_name(method));
    assert!(target.len() <= LIMITS.target_bytes_max);
    assert!(target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#'));
    let expected: &[u8] = match head.version {
        Version::Http10 => b"HTTP/1.0",
        Version::Http11 => b"HTTP/1.1",
    };
    assert_eq!(version, expected);

    let path = head.path.of(buffer);
    match head.method {
        Method::Connect => assert_eq!(path, target),
        Method::Options if path == b"*" => assert_eq!(target, b"*"),
        _ => assert!(path.starts_with(b"/") && !path.contains(&b'?')),
    }
    let query: Option<&[u8]> =
        target.iter().position(|byte| *byte == b'?').map(|at| &target[at + 1..]);
    assert_eq!(head.query.map(|span| span.of(buffer)), query);
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// The name in lower case, and the value.
fn field(line: &[u8]) -> (Vec<u8>, &[u8]) {
    let colon = line.iter().position(|byte| *byte == b':').expect("a field has a colon");
    let (name, value) = line.split_at(colon);
    assert!(!name.is_empty() && name.iter().all(|byte| is_token(*byte)));
    (name.to_ascii_lowercase(), value[1..].trim_ascii())
}

fn check_framing(head: &Head, fields: &[(Vec<u8>, &[u8])]) {
    let values = |wanted: &[u8]| -> Vec<&[u8]> {
        let named = fields.iter().filter(|(name, _)| name == wanted);
        named.map(|(_, value)| *value).collect()
    };
    let hosts = values(b"host").len();
    assert!(hosts == 1 || (hosts == 0 && head.version == Version::Http10));

    let lengths = values(b"content-length");
    let codings = values(b"transfer-encoding");
    match head.framing {
        Framing::Chunked => {
            assert!(lengths.is_empty() && head.version == Version::Http11);
            assert!(codings.len() == 1 && codings[0].eq_ignore_ascii_case(b"chunked"));
        }
        Framing::Length(length) => {
            assert!(codings.is_empty() && lengths.len() == 1);
            assert!(length > 0 && length <= LIMITS.body_bytes_max);
            let sent = std::str::from_utf8(lengths[0]).expect("digits");
            assert_eq!(sent.parse(), Ok(length));
        }
        Framing::Empty => {
            assert!(codings.is_empty() && lengths.len() <= 1);
            assert!(lengths.iter().all(|length| length.iter().all(|digit| *digit == b'0')));
            assert!(!head.expect_continue);
        }
    }
}

/// Cuts a stream into pieces of 1 to 64 bytes, the same for the same seed.
struct Pieces<'a> {
    rest: &'a [u8],
    state: u32,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        // The constants of the generator in ISO C's example of rand().
        self.state = self.state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        let len = (self.state >> 16) as usize % 64 + 1;
        let (piece, rest) = self.rest.split_at(len.min(self.rest.len()));
        self.rest = rest;
        Some(piece)
    }
}
