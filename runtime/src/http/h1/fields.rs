//! The header fields: httparse finds them, one pass reads those that say where the request ends.
//!
//! A field that could move the request's end for one reader and not for another (RFC 9112, 11.2) refuses the request.

use httparse::Header;

use super::authority::Authority;
use crate::http::{Framing, Limits, Reject, Status, Version};

/// The most fields a request can have, whatever the limits say.
pub const HEADERS_MAX: usize = 256;
/// Clients other than browsers send fewer. Clearing room for more costs as much as parsing them.
const HEADERS_FEW: usize = 16;

pub(super) struct Fields {
    pub(super) framing: Framing,
    pub(super) keep_alive: bool,
    pub(super) expect_continue: bool,
    /// Where the body starts.
    pub(super) end: usize,
}

/// Reads the fields from `start`, right after the request line's CRLF. `None` when the block is not over.
pub(super) fn parse(
    window: &[u8],
    start: usize,
    version: Version,
    limits: &Limits,
) -> Result<Option<Fields>, Reject> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_FEW];
    let few = &mut headers[..limits.headers_max.min(HEADERS_FEW)];
    match httparse::parse_headers(&window[start..], few) {
        Err(httparse::Error::TooManyHeaders) if limits.headers_max > HEADERS_FEW => {
            parse_many(window, start, version, limits)
        }
        parsed => finish(window, start, version, limits, parsed),
    }
}

/// Apart, so that the common case does not carry its stack frame.
#[cold]
#[inline(never)]
fn parse_many(
    window: &[u8],
    start: usize,
    version: Version,
    limits: &Limits,
) -> Result<Option<Fields>, Reject> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let many = &mut headers[..limits.headers_max.min(HEADERS_MAX)];
    let parsed = httparse::parse_headers(&window[start..], many);
    finish(window, start, version, limits, parsed)
}

fn finish(
    window: &[u8],
    start: usize,
    version: Version,
    limits: &Limits,
    parsed: httparse::Result<(usize, &[Header<'_>])>,
) -> Result<Option<Fields>, Reject> {
    let (len, headers) = match parsed {
        Ok(httparse::Status::Complete(complete)) => complete,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(refuse(error)),
    };
    let end = start + len;
    let mut seen = Seen::default();
    for header in headers {
        require_end(&window[..offset_of(header, window)], b"\r\n")?;
        seen.read(header)?;
    }
    require_end(&window[..end], b"\r\n\r\n")?;
    seen.conclude(version, limits, end).map(Some)
}

#[cold]
fn refuse(error: httparse::Error) -> Reject {
    match error {
        httparse::Error::TooManyHeaders => {
            Reject::new(Status::HEADER_FIELDS_TOO_LARGE, "too many header fields")
        }
        httparse::Error::HeaderName => Reject::bad_request("invalid header field name"),
        _ => Reject::bad_request("invalid header field value or line end"),
    }
}

fn offset_of(header: &Header<'_>, window: &[u8]) -> usize {
    header.name.as_ptr().addr() - window.as_ptr().addr()
}

/// httparse ends a line at a bare LF too. A value holds neither CR nor LF, so what precedes a field is its line's end.
fn require_end(before: &[u8], line_end: &[u8]) -> Result<(), Reject> {
    if before.ends_with(line_end) {
        return Ok(());
    }
    Err(Reject::bad_request("line ends without CRLF"))
}

/// The fields that matter, as far as they were read.
#[derive(Default)]
struct Seen<'b> {
    host: Option<&'b [u8]>,
    content_length: Option<u64>,
    transfer_encoding: Option<Codings>,
    close: bool,
    keep_alive: bool,
    expectation: Option<Expectation>,
}

/// What a Transfer-Encoding names so far.
#[derive(Clone, Copy)]
enum Codings {
    Chunked,
    Unknown,
    UnknownThenChunked,
}

#[derive(Clone, Copy)]
enum Expectation {
    Continue,
    Unknown,
}

impl<'b> Seen<'b> {
    fn read(&mut self, header: &Header<'b>) -> Result<(), Reject> {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        match header.name.len() {
            4 if is("host") => self.read_host(header.value),
            6 if is("expect") => {
                self.read_expect(header.value);
                Ok(())
            }
            10 if is("connection") => {
                self.read_connection(header.value);
                Ok(())
            }
            14 if is("content-length") => self.read_content_length(header.value),
            17 if is("transfer-encoding") => self.read_transfer_encoding(header.value),
            _ => Ok(()),
        }
    }

    fn read_host(&mut self, value: &'b [u8]) -> Result<(), Reject> {
        if self.host.replace(value).is_some() {
            return Err(Reject::bad_request("more than one Host"));
        }
        Ok(())
    }

    fn read_expect(&mut self, value: &[u8]) {
        for expectation in list(value).filter(|element| !element.is_empty()) {
            let known = expectation.eq_ignore_ascii_case(b"100-continue");
            self.expectation = match self.expectation {
                None | Some(Expectation::Continue) if known => Some(Expectation::Continue),
                _ => Some(Expectation::Unknown),
            };
        }
    }

    fn read_connection(&mut self, value: &[u8]) {
        for option in list(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    /// One run of digits, once. RFC 9112, 6.3 would let equal repetitions pass, but no client sends them on purpose.
    fn read_content_length(&mut self, value: &[u8]) -> Result<(), Reject> {
        let Some(length) = parse_length(value) else {
            return Err(Reject::bad_request("invalid Content-Length"));
        };
        if self.content_length.replace(length).is_some() {
            return Err(Reject::bad_request("more than one Content-Length"));
        }
        Ok(())
    }

    /// Empty list elements are refused, although RFC 9110, 5.6.1 would skip them: readers differ on whether
    /// `chunked,` is chunked.
    fn read_transfer_encoding(&mut self, value: &[u8]) -> Result<(), Reject> {
        for coding in list(value) {
            let chunked = coding.eq_ignore_ascii_case(b"chunked");
            self.transfer_encoding = Some(match self.transfer_encoding {
                _ if coding.is_empty() => return Err(INVALID_TRANSFER_ENCODING),
                Some(Codings::Chunked | Codings::UnknownThenChunked) => {
                    return Err(INVALID_TRANSFER_ENCODING);
                }
                None if chunked => Codings::Chunked,
                Some(Codings::Unknown) if chunked => Codings::UnknownThenChunked,
                None | Some(Codings::Unknown) => Codings::Unknown,
            });
        }
        Ok(())
    }

    fn conclude(&self, version: Version, limits: &Limits, end: usize) -> Result<Fields, Reject> {
        self.check_host(version)?;
        let framing = self.framing(version, limits.body_bytes_max)?;
        let expect_continue = self.expects_continue(version)? && framing != Framing::Empty;
        // RFC 9112, 9.3: `close` wins over `keep-alive`.
        let keep_alive = !self.close && (version == Version::Http11 || self.keep_alive);
        Ok(Fields { framing, keep_alive, expect_continue, end })
    }

    fn check_host(&self, version: Version) -> Result<(), Reject> {
        match self.host {
            None if version == Version::Http11 => Err(Reject::bad_request("no Host")),
            Some(host) if Authority::parse(host).is_none() => {
                Err(Reject::bad_request("invalid Host"))
            }
            _ => Ok(()),
        }
    }

    fn framing(&self, version: Version, body_bytes_max: u64) -> Result<Framing, Reject> {
        let Some(codings) = self.transfer_encoding else {
            return match self.content_length {
                None | Some(0) => Ok(Framing::Empty),
                Some(length) if length > body_bytes_max => Err(BODY_TOO_LARGE),
                Some(length) => Ok(Framing::Length(length)),
            };
        };
        if self.content_length.is_some() {
            return Err(Reject::bad_request("both Transfer-Encoding and Content-Length"));
        }
        // RFC 9112, 6.1: the framing of such a message is faulty.
        if version == Version::Http10 {
            return Err(Reject::bad_request("Transfer-Encoding in HTTP/1.0"));
        }
        match codings {
            Codings::Chunked => Ok(Framing::Chunked),
            Codings::Unknown => Err(INVALID_TRANSFER_ENCODING),
            Codings::UnknownThenChunked => {
                Err(Reject::new(Status::NOT_IMPLEMENTED, "unknown transfer coding"))
            }
        }
    }

    /// HTTP/1.0 knows no expectations: they are ignored (RFC 9110, 10.1.1).
    fn expects_continue(&self, version: Version) -> Result<bool, Reject> {
        match self.expectation {
            Some(Expectation::Unknown) if version == Version::Http11 => {
                Err(Reject::new(Status::EXPECTATION_FAILED, "unknown expectation"))
            }
            Some(Expectation::Continue) => Ok(version == Version::Http11),
            _ => Ok(false),
        }
    }
}

const INVALID_TRANSFER_ENCODING: Reject =
    Reject::bad_request("Transfer-Encoding must end in chunked, named once");

pub(super) const BODY_TOO_LARGE: Reject =
    Reject::new(Status::CONTENT_TOO_LARGE, "request body too large");

/// The elements of a comma-separated list, without white space around them.
fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

fn parse_length(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |length, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        length.checked_mul(10)?.checked_add(digit)
    })
}
