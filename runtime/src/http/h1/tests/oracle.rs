//! hyper's server as the oracle: any split of valid pipelined requests gives the requests that hyper gives.

use std::cell::RefCell;
use std::convert::Infallible;

use bytes::{Bytes, BytesMut};
use futures_util::future::join;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::{Request, Response};
use proptest::prelude::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use super::LIMITS;
use crate::http::{ChunkedDecoder, Framing, Parsed, parse_head};

/// A request as both servers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    method: String,
    path: String,
    query: Option<String>,
    body: Vec<u8>,
    keep_alive: bool,
}

/// Reads a stream as a connection does, until it ends or a request closes it.
fn read_ours(pieces: &[&[u8]]) -> Vec<Seen> {
    let mut buffer = Vec::new();
    let mut pieces = pieces.iter();
    let mut seen: Vec<Seen> = Vec::new();
    while seen.last().is_none_or(|request| request.keep_alive) {
        let head = match parse_head(&buffer, &LIMITS).unwrap() {
            Parsed::Complete(head) => head,
            Parsed::Partial => match pieces.next() {
                Some(piece) => {
                    buffer.extend_from_slice(piece);
                    continue;
                }
                None => break,
            },
        };
        let text = |span: crate::http::Span| String::from_utf8(span.of(&buffer).to_vec()).unwrap();
        let mut request = Seen {
            method: text(head.method_name),
            path: text(head.path),
            query: head.query.map(text),
            body: Vec::new(),
            keep_alive: head.keep_alive,
        };
        buffer.drain(..head.len);
        request.body = read_body(head.framing, &mut buffer, &mut pieces);
        seen.push(request);
    }
    seen
}

fn read_body(
    framing: Framing,
    buffer: &mut Vec<u8>,
    pieces: &mut std::slice::Iter<'_, &[u8]>,
) -> Vec<u8> {
    let mut next_piece = |buffer: &mut Vec<u8>| match pieces.next() {
        Some(piece) => buffer.extend_from_slice(piece),
        None => panic!("the stream ends in a body"),
    };
    match framing {
        Framing::Empty => Vec::new(),
        Framing::Length(length) => {
            while (buffer.len() as u64) < length {
                next_piece(buffer);
            }
            buffer.drain(..length as usize).collect()
        }
        Framing::Chunked => {
            let mut decoder = ChunkedDecoder::new();
            let mut body = BytesMut::new();
            loop {
                let decoded = decoder.decode(buffer, &mut body, LIMITS.body_bytes_max).unwrap();
                buffer.drain(..decoded.consumed);
                if decoded.done {
                    return body.to_vec();
                }
                next_piece(buffer);
            }
        }
    }
}

/// What hyper's server makes of the stream. Whether it keeps the connection shows in its responses.
fn read_hyper(pieces: &[&[u8]]) -> Vec<Seen> {
    let requests = RefCell::new(Vec::new());
    let service = hyper::service::service_fn(async |request| {
        let seen = see(request).await;
        requests.borrow_mut().push(seen);
        Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
    });
    let (client, server) = tokio::io::duplex(64 * 1024);
    let connection = hyper::server::conn::http1::Builder::new()
        .half_close(true)
        .serve_connection(hyper_util::rt::TokioIo::new(server), service);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    // hyper's own result is of no interest: it may not be able to write once the client has ended.
    let (_, responses) = runtime.block_on(join(connection, exchange(client, pieces)));
    let mut requests = requests.into_inner();
    for (request, keep_alive) in requests.iter_mut().zip(kept_alive(&responses)) {
        request.keep_alive = keep_alive;
    }
    requests
}

/// Sends the pieces one by one and returns the responses.
async fn exchange(mut client: DuplexStream, pieces: &[&[u8]]) -> Vec<u8> {
    for piece in pieces {
        // Fails once hyper has closed, which it may before the last piece.
        if client.write_all(piece).await.is_err() {
            break;
        }
        tokio::task::yield_now().await;
    }
    client.shutdown().await.unwrap();
    let mut responses = Vec::new();
    client.read_to_end(&mut responses).await.unwrap();
    responses
}

async fn see(request: Request<Incoming>) -> Seen {
    let (parts, body) = request.into_parts();
    Seen {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        body: body.collect().await.unwrap().to_bytes().to_vec(),
        keep_alive: false,
    }
}

/// For each final response, whether the connection stays open after it.
fn kept_alive(mut responses: &[u8]) -> Vec<bool> {
    let mut kept = Vec::new();
    while !responses.is_empty() {
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut response = httparse::Response::new(&mut headers);
        let len = response.parse(responses).unwrap().unwrap();
        responses = &responses[len..];
        if response.code != Some(100) {
            let connection = response.headers.iter().find(|header| header.name == "connection");
            kept.push(match connection.map(|header| header.value) {
                Some(value) => value == b"keep-alive",
                None => response.version == Some(1),
            });
        }
    }
    kept
}

fn target() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "(/[a-z0-9._~!$&'()*+,;=:@%-]{0,6}){1,4}".prop_map(escape),
        2 => "/[a-z]{0,4}\\?[a-z0-9=&/?%:-]{0,9}".prop_map(escape),
        1 => "http://[a-z]{1,8}(:[0-9]{1,4})?(/[a-z]{0,4}){0,2}(\\?[a-z=]{0,5})?",
    ]
}

/// A lone `%` is no valid target.
fn escape(target: String) -> String {
    target.replace('%', "%2f")
}

fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        "X-[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}:[ \t]{0,2}([!-~]([ -~\t]{0,30}[!-~])?)?[ \t]{0,2}",
        Just("Accept: */*".to_owned()),
        Just("Connection: upgrade-insecure".to_owned()),
        Just("Keep-Alive: timeout=5".to_owned()),
        Just("Trailer: X-Sum".to_owned()),
        Just("TE: trailers".to_owned()),
    ]
}

/// How the connection goes on. hyper lets the last of several options win, so there is one at most.
fn connection() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![
        16 => Just(None),
        2 => Just(Some("Connection: keep-alive")),
        2 => Just(Some("connection: Keep-Alive")),
        1 => Just(Some("Connection: close")),
        1 => Just(Some("CONNECTION: x, CLOSE")),
    ]
}

#[derive(Debug, Clone)]
enum Body {
    None,
    Length(Vec<u8>),
    Chunked(Vec<u8>),
}

fn body() -> impl Strategy<Value = Body> {
    prop_oneof![
        Just(Body::None),
        proptest::collection::vec(any::<u8>(), 0..80).prop_map(Body::Length),
        chunked().prop_map(Body::Chunked),
    ]
}

fn chunked() -> impl Strategy<Value = Vec<u8>> {
    const EXTENSION: &str =
        "([ \t]?;[ \t]?[a-z]{1,4}(=([a-z0-9]{1,4}|\"[ -!#-\\[\\]-~]{0,5}\"))?){0,2}";
    let chunk = (proptest::collection::vec(any::<u8>(), 1..40), 0..4_usize, EXTENSION);
    let trailers = "(X-[a-z]{1,5}: ?[!-~]{0,8}\r\n){0,3}";
    (proptest::collection::vec(chunk, 0..5), EXTENSION, trailers).prop_map(
        |(chunks, last_extension, trailers)| {
            let mut encoded = Vec::new();
            for (data, zeros, extension) in chunks {
                let size = format!("{}{:x}{extension}\r\n", "0".repeat(zeros), data.len());
                encoded.extend_from_slice(size.as_bytes());
                encoded.extend_from_slice(&data);
                encoded.extend_from_slice(b"\r\n");
            }
            encoded.extend_from_slice(format!("0{last_extension}\r\n{trailers}\r\n").as_bytes());
            encoded
        },
    )
}

prop_compose! {
    fn request()(
        empty_lines in prop_oneof![4 => Just(0), 1 => 1..3_usize],
        method in proptest::sample::select(&["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "PURGE"][..]),
        target in prop_oneof![12 => target().boxed(), 1 => Just("*".to_owned()).boxed()],
        http10 in prop_oneof![9 => Just(false), 1 => Just(true)],
        fields in proptest::collection::vec(field(), 0..20),
        host_at in any::<proptest::sample::Index>(),
        connection in connection(),
        expect in prop_oneof![5 => Just(false), 1 => Just(true)],
        body in body(),
    ) -> Vec<u8> {
        let method = if target == "*" { "OPTIONS" } else { method };
        let version = if http10 { "1.0" } else { "1.1" };
        let mut fields = fields;
        fields.extend(connection.map(str::to_owned));
        let data = match body {
            Body::None => Vec::new(),
            // HTTP/1.0 has no chunks.
            Body::Chunked(_) if http10 => Vec::new(),
            Body::Length(data) => {
                fields.push(format!("Content-Length: {}", data.len()));
                data
            }
            Body::Chunked(encoded) => {
                fields.push("Transfer-Encoding: chunked".to_owned());
                encoded
            }
        };
        if expect {
            fields.push("Expect: 100-continue".to_owned());
        }
        fields.insert(host_at.index(fields.len() + 1), "Host: a.example:80".to_owned());
        let empty_lines = "\r\n".repeat(empty_lines);
        let fields = fields.join("\r\n");
        let mut request =
            format!("{empty_lines}{method} {target} HTTP/{version}\r\n{fields}\r\n\r\n").into_bytes();
        request.extend_from_slice(&data);
        request
    }
}

prop_compose! {
    fn split_stream()(
        requests in proptest::collection::vec(request(), 1..6),
    )(
        cuts in proptest::collection::vec(0..=requests.concat().len(), 0..12),
        stream in Just(requests.concat()),
    ) -> (Vec<u8>, Vec<usize>) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        (stream, cuts)
    }
}

fn cut<'a>(stream: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let starts = std::iter::once(0).chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain(std::iter::once(stream.len()));
    starts.zip(ends).map(|(start, end)| &stream[start..end]).collect()
}

proptest! {
    #[test]
    fn the_same_requests_as_hyper((stream, cuts) in split_stream()) {
        let pieces = cut(&stream, &cuts);
        let ours = read_ours(&pieces);
        prop_assert_eq!(&ours, &read_hyper(&pieces), "{}", stream.escape_ascii());
        let one_by_one: Vec<&[u8]> = stream.chunks(1).collect();
        prop_assert_eq!(&ours, &read_ours(&one_by_one));
    }
}
