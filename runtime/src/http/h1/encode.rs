//! Response heads, appended to the buffer that the connection writes from.

use crate::http::{Reject, Status, Version};

/// The interim response that [`crate::http::Head::expect_continue`] waits for.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What ends a body in chunks.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// More than a head without extra fields needs: one allocation at most.
const HEAD_BYTES_TYPICAL: usize = 256;

/// What a response's head says.
#[derive(Debug, Clone, Copy)]
pub struct ResponseHead<'a> {
    pub status: Status,
    pub content_type: Option<&'a str>,
    /// The body's bytes, also for HEAD, whose body the caller leaves out. None for 204 and 304.
    pub content_length: Option<u64>,
    /// The body comes in chunks, see [`put_chunk`]: its length is not known. Not for HTTP/1.0.
    pub chunked: bool,
    /// Names and values. Framing and connection fields do not belong here.
    pub extra: &'a [(&'a str, &'a str)],
    pub keep_alive: bool,
    /// Of the request: HTTP/1.0 must be told that the connection stays, HTTP/1.1 that it does not.
    pub version: Version,
}

/// Writes response heads; one per shard.
#[derive(Debug)]
pub struct Encoder {
    /// The status line of a 200 with the Server line; the latter from `server_at` serves the other statuses.
    ok_prefix: Box<[u8]>,
    server_at: usize,
}

impl Encoder {
    /// `server_name` is the value of the Server field; there is none when it is empty.
    pub fn new(server_name: &str) -> Encoder {
        let mut prefix = Vec::new();
        put_status_line(&mut prefix, Status::OK);
        let server_at = prefix.len();
        if !server_name.is_empty() {
            put_field(&mut prefix, "Server", server_name);
        }
        Encoder { ok_prefix: prefix.into_boxed_slice(), server_at }
    }

    /// Appends a whole head. `date_line` is that of [`crate::http::DateCache::line`].
    ///
    /// No field can end its line early: bytes that no field value may hold are written as spaces (RFC 9110, 5.5), and
    /// extra fields whose name is no token are left out.
    pub fn head(&self, out: &mut Vec<u8>, date_line: &[u8], head: &ResponseHead<'_>) {
        out.reserve(HEAD_BYTES_TYPICAL);
        if head.status == Status::OK {
            out.extend_from_slice(&self.ok_prefix);
        } else {
            put_status_line(out, head.status);
            out.extend_from_slice(&self.ok_prefix[self.server_at..]);
        }
        out.extend_from_slice(date_line);
        if let Some(content_type) = head.content_type {
            put_field(out, "Content-Type", content_type);
        }
        if let Some(length) = head.content_length
            && !head.status.forbids_content_length()
        {
            out.extend_from_slice(b"Content-Length: ");
            put_decimal(out, length);
            out.extend_from_slice(b"\r\n");
        }
        if head.chunked {
            out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
        }
        match (head.version, head.keep_alive) {
            (Version::Http11, false) => out.extend_from_slice(b"Connection: close\r\n"),
            (Version::Http10, true) => out.extend_from_slice(b"Connection: keep-alive\r\n"),
            (Version::Http11, true) | (Version::Http10, false) => {}
        }
        for (name, value) in head.extra {
            put_extra(out, name, value);
        }
        out.extend_from_slice(b"\r\n");
    }

    /// Appends a whole response whose body is `text`; the head's type and length are replaced by the text's.
    pub fn text(&self, out: &mut Vec<u8>, date_line: &[u8], head: &ResponseHead<'_>, text: &str) {
        let head = ResponseHead {
            content_type: Some("text/plain; charset=utf-8"),
            content_length: Some(text.len() as u64),
            ..*head
        };
        self.head(out, date_line, &head);
        out.extend_from_slice(text.as_bytes());
    }

    /// Appends the whole response to a refused request, which says that the connection ends.
    pub fn reject(&self, out: &mut Vec<u8>, date_line: &[u8], reject: &Reject) {
        let head = ResponseHead {
            status: reject.status,
            content_type: None,
            content_length: None,
            chunked: false,
            extra: &[],
            keep_alive: false,
            version: Version::Http11,
        };
        self.text(out, date_line, &head, reject.reason);
    }
}

/// Appends one chunk of a body. Bytes there must be: a chunk of none ends the body, see [`LAST_CHUNK`].
pub fn put_chunk(out: &mut Vec<u8>, bytes: &[u8]) {
    debug_assert!(!bytes.is_empty(), "this would end the body");
    out.extend_from_slice(format!("{:x}\r\n", bytes.len()).as_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

fn put_status_line(out: &mut Vec<u8>, status: Status) {
    out.extend_from_slice(b"HTTP/1.1 ");
    put_decimal(out, u64::from(status.code()));
    out.push(b' ');
    out.extend_from_slice(status.reason().as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn put_extra(out: &mut Vec<u8>, name: &str, value: &str) {
    let is_token = !name.is_empty() && name.bytes().all(super::syntax::is_token);
    debug_assert!(is_token, "{name:?} is no field name");
    debug_assert!(!is_reserved(name), "{name} is written by the encoder");
    if is_token {
        put_field(out, name, value);
    }
}

fn is_reserved(name: &str) -> bool {
    ["connection", "content-length", "date", "transfer-encoding"]
        .iter()
        .any(|reserved| name.eq_ignore_ascii_case(reserved))
}

fn put_field(out: &mut Vec<u8>, name: &str, value: &str) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    put_value(out, value.as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn put_value(out: &mut Vec<u8>, value: &[u8]) {
    // Comparisons, not the table of the parser, and no early exit: this is vectorised.
    let is_control = |byte: u8| (byte < b' ' && byte != b'\t') || byte == 0x7f;
    let start = out.len();
    out.extend_from_slice(value);
    if value.iter().fold(false, |found, byte| found | is_control(*byte)) {
        for byte in &mut out[start..] {
            if is_control(*byte) {
                *byte = b' ';
            }
        }
    }
}

fn put_decimal(out: &mut Vec<u8>, mut number: u64) {
    const DIGITS_MAX: usize = 20;
    let mut digits = [0; DIGITS_MAX];
    let mut at = DIGITS_MAX;
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests;
