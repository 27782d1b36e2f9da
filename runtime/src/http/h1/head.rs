//! A request's head, in the order of its bytes: request line, then header fields.

use super::{fields, request_line};
use crate::http::{Head, Limits, Parsed, Reject, Status};

/// Parses the head at the buffer's start. Empty lines before it are skipped (RFC 9112, 2.2) and count to its length.
///
/// Call it again with more bytes after [`Parsed::Partial`]: the head is read again from its start, at most
/// `head_bytes_max` bytes. The outcome does not depend on how the bytes arrived. A limit is enforced as soon as it is
/// passed, so a buffer of `head_bytes_max` bytes never needs to grow for a head.
pub fn parse_head(buffer: &[u8], limits: &Limits) -> Result<Parsed, Reject> {
    let window = &buffer[..buffer.len().min(limits.head_bytes_max)];
    let full = window.len() == limits.head_bytes_max;

    let Some(line) = request_line::parse(window, limits.target_bytes_max)? else {
        return partial(full, Status::URI_TOO_LONG, "request line too long");
    };
    let Some(fields) = fields::parse(window, line.end, line.version, limits)? else {
        return partial(full, Status::HEADER_FIELDS_TOO_LARGE, "header block too large");
    };
    Ok(Parsed::Complete(Head {
        method: line.method,
        method_name: line.method_name,
        path: line.target.path,
        query: line.target.query,
        version: line.version,
        framing: fields.framing,
        keep_alive: fields.keep_alive,
        expect_continue: fields.expect_continue,
        len: fields.end,
    }))
}

fn partial(full: bool, status: Status, reason: &'static str) -> Result<Parsed, Reject> {
    if full { Err(Reject::new(status, reason)) } else { Ok(Parsed::Partial) }
}
