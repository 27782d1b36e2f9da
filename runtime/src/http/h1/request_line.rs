//! The request line (RFC 9112, 3), read strictly: one space between its parts, CRLF at its end.
//!
//! httparse reads it too, but takes a bare LF, any byte over 0x7f in the target, and gives one error for a version that
//! is unknown and one that is no version. Each function answers `None` when the bytes end too early.

use super::syntax::{is_target, is_token};
use super::target::{self, Target};
use crate::http::{Method, Reject, Span, Status, Version};

/// RFC 9112, 2.2 asks to skip at least one: old clients sent one after a body.
const EMPTY_LINES_MAX: usize = 8;
/// The longest registered method has 17 bytes (UPDATEREDIRECTREF).
const METHOD_BYTES_MAX: usize = 32;

pub(super) struct RequestLine {
    pub(super) method: Method,
    pub(super) method_name: Span,
    pub(super) target: Target,
    pub(super) version: Version,
    /// Where the header fields start.
    pub(super) end: usize,
}

pub(super) fn parse(window: &[u8], target_bytes_max: usize) -> Result<Option<RequestLine>, Reject> {
    let Some(start) = skip_empty_lines(window)? else { return Ok(None) };
    let Some(method_len) = method_len(&window[start..])? else { return Ok(None) };
    let method_name = Span::new(start, start + method_len);

    let target_start = method_name.end + 1;
    let Some(target_len) = target_len(&window[target_start..], target_bytes_max)? else {
        return Ok(None);
    };
    let target = Span::new(target_start, target_start + target_len);

    let version_start = target.end + 1;
    let Some(version) = version(&window[version_start..])? else { return Ok(None) };

    let method = Method::from_name(method_name.of(window));
    let target = target::split(window, target, method)?;
    let end = version_start + VERSION_FORM.len();
    Ok(Some(RequestLine { method, method_name, target, version, end }))
}

fn skip_empty_lines(window: &[u8]) -> Result<Option<usize>, Reject> {
    for lines in 0..=EMPTY_LINES_MAX {
        let start = 2 * lines;
        match &window[start..] {
            [] | [b'\r'] => return Ok(None),
            [b'\r', b'\n', ..] => {}
            _ => return Ok(Some(start)),
        }
    }
    Err(Reject::bad_request("too many empty lines before the request line"))
}

fn method_len(bytes: &[u8]) -> Result<Option<usize>, Reject> {
    match bytes.iter().take(METHOD_BYTES_MAX + 1).position(|byte| !is_token(*byte)) {
        Some(len) if len > 0 && bytes[len] == b' ' => Ok(Some(len)),
        Some(_) => Err(Reject::bad_request("invalid method")),
        None if bytes.len() > METHOD_BYTES_MAX => {
            Err(Reject::new(Status::NOT_IMPLEMENTED, "unknown method"))
        }
        None => Ok(None),
    }
}

fn target_len(bytes: &[u8], target_bytes_max: usize) -> Result<Option<usize>, Reject> {
    let scanned = &bytes[..bytes.len().min(target_bytes_max.saturating_add(1))];
    match scanned.iter().position(|byte| !is_target(*byte)) {
        Some(len) if len > 0 && bytes[len] == b' ' => Ok(Some(len)),
        Some(_) => Err(Reject::bad_request("invalid request target")),
        None if bytes.len() > target_bytes_max => {
            Err(Reject::new(Status::URI_TOO_LONG, "request target too long"))
        }
        None => Ok(None),
    }
}

/// `0` stands for any digit.
const VERSION_FORM: &[u8] = b"HTTP/0.0\r\n";

fn version(bytes: &[u8]) -> Result<Option<Version>, Reject> {
    match bytes.get(..VERSION_FORM.len()) {
        Some(b"HTTP/1.1\r\n") => Ok(Some(Version::Http11)),
        Some(b"HTTP/1.0\r\n") => Ok(Some(Version::Http10)),
        _ => unsupported_version(bytes),
    }
}

#[cold]
fn unsupported_version(bytes: &[u8]) -> Result<Option<Version>, Reject> {
    let fits = |(byte, form): (&u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        _ => byte == form,
    };
    if !bytes.iter().zip(VERSION_FORM).all(fits) {
        return Err(Reject::bad_request("invalid HTTP version or end of the request line"));
    }
    if bytes.len() < VERSION_FORM.len() {
        return Ok(None);
    }
    Err(Reject::new(Status::VERSION_NOT_SUPPORTED, "only HTTP/1.1 and HTTP/1.0 are spoken here"))
}
