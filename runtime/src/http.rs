//! HTTP/1.1 and HTTP/1.0 as bytes: read a request's head and body, write a response's head.
//!
//! Pure functions over buffers. Nothing here knows of sockets, routes or functions, and nothing is allocated for a
//! request without a body. Whatever RFC 9110 or RFC 9112 lets two servers read in two ways is refused.

mod accept;
mod date;
mod h1;
mod sniff;
mod status;

pub use accept::{Offer, accept_field, negotiate};
pub use date::DateCache;
pub use h1::{
    CONTINUE, ChunkedDecoder, Decoded, Encoder, HEADERS_MAX, LAST_CHUNK, ResponseHead, parse_head,
    put_chunk,
};
pub use sniff::sniff_content_type;
pub use status::Status;

/// What a request may use before it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Request line and header block together; over it 431, or 414 while the request line is not over.
    pub head_bytes_max: usize,
    /// The request target; over it 414.
    pub target_bytes_max: usize,
    /// Header fields; over it 431. Counts as [`HEADERS_MAX`] when greater.
    pub headers_max: usize,
    /// The body after its chunks are taken apart; over it 413.
    pub body_bytes_max: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    Http10,
    Http11,
}

/// The methods that routes and framing tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Options,
    Patch,
    Connect,
    Trace,
    /// Any other token; its name is in [`Head::method_name`].
    Other,
}

impl Method {
    /// Methods are case-sensitive (RFC 9110, 9.1): `get` is [`Method::Other`].
    pub fn from_name(name: &[u8]) -> Method {
        match name {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            b"POST" => Method::Post,
            b"PUT" => Method::Put,
            b"DELETE" => Method::Delete,
            b"OPTIONS" => Method::Options,
            b"PATCH" => Method::Patch,
            b"CONNECT" => Method::Connect,
            b"TRACE" => Method::Trace,
            _ => Method::Other,
        }
    }

    /// The name on the wire, none for [`Method::Other`].
    pub fn as_str(self) -> Option<&'static str> {
        Some(match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Delete => "DELETE",
            Method::Options => "OPTIONS",
            Method::Patch => "PATCH",
            Method::Connect => "CONNECT",
            Method::Trace => "TRACE",
            Method::Other => return None,
        })
    }
}

/// How a request's body is delimited (RFC 9112, 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// No body: neither field, or `Content-Length: 0`.
    Empty,
    /// That many bytes, at least one and at most [`Limits::body_bytes_max`].
    Length(u64),
    /// Chunks, for [`ChunkedDecoder`].
    Chunked,
}

/// A range of the buffer that a head was parsed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    start: usize,
    end: usize,
}

impl Span {
    fn new(start: usize, end: usize) -> Span {
        debug_assert!(start <= end);
        Span { start, end }
    }

    /// The bytes, out of the buffer that was parsed; it must still begin with that head.
    pub fn of(self, buffer: &[u8]) -> &[u8] {
        &buffer[self.start..self.end]
    }
}

/// What the server needs of a head, as offsets into the buffer, so that it outlives borrows and awaits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub method: Method,
    pub method_name: Span,
    /// The path as sent, percent-escapes not decoded: it starts with `/`, but is `*` for `OPTIONS *` and `host:port`
    /// for `CONNECT`.
    pub path: Span,
    /// What follows the first `?`, without it; may be empty.
    pub query: Option<Span>,
    pub version: Version,
    pub framing: Framing,
    /// The client lets the connection live on after this request.
    pub keep_alive: bool,
    /// The client waits for [`CONTINUE`] before it sends the body; never set without a body.
    pub expect_continue: bool,
    /// Bytes from the buffer's start to the body, at most [`Limits::head_bytes_max`].
    pub len: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// More bytes are needed. Happens only while the buffer holds less than [`Limits::head_bytes_max`].
    Partial,
    Complete(Head),
}

/// Why a request is refused. The connection must be closed after the response: where the next request would start is
/// not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{status}: {reason}")]
pub struct Reject {
    pub status: Status,
    /// One line that may be shown to the client.
    pub reason: &'static str,
}

impl Reject {
    const fn new(status: Status, reason: &'static str) -> Reject {
        Reject { status, reason }
    }

    const fn bad_request(reason: &'static str) -> Reject {
        Reject::new(Status::BAD_REQUEST, reason)
    }
}
