//! Chunked bodies (RFC 9112, 7.1), taken apart byte by byte but for the data, which is copied in runs.
//!
//! Extensions and trailer fields are checked against their grammar and dropped. Both are bounded: a body of few bytes
//! must not keep a connection busy for ever.

mod extension;

use bytes::BytesMut;

use self::extension::Extension;
use super::fields::BODY_TOO_LARGE;
use super::syntax::{is_field_value, is_token};
use crate::http::{Reject, Status};

/// Of all chunks of one body together.
const EXTENSION_BYTES_MAX: u32 = 8 * 1024;
const TRAILER_BYTES_MAX: u32 = 8 * 1024;
/// As many as a u64 has, so that a size cannot overflow.
const SIZE_DIGITS_MAX: u8 = 16;

/// Where one chunked body stands. Made anew for each body; of no use after an error.
#[derive(Debug)]
pub struct ChunkedDecoder {
    state: State,
    /// Of the size line being read, then of the data not yet copied.
    chunk_left: u64,
    size_digits: u8,
    body_bytes: u64,
    extension_bytes: u32,
    trailer_bytes: u32,
}

/// What one call of [`ChunkedDecoder::decode`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decoded {
    /// Bytes of the input that belong to the body's encoding: all of it, unless the body is over.
    pub consumed: usize,
    /// The body is over; what follows is the next request.
    pub done: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Size,
    /// White space after the size, which only an extension may follow.
    SizeSpace,
    Extension(Extension),
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLf,
    EndLf,
    Done,
}

impl ChunkedDecoder {
    pub fn new() -> ChunkedDecoder {
        ChunkedDecoder {
            state: State::Size,
            chunk_left: 0,
            size_digits: 0,
            body_bytes: 0,
            extension_bytes: 0,
            trailer_bytes: 0,
        }
    }

    /// Appends the data in `input` to `body`. A chunk that would take the body over `body_bytes_max` is refused with
    /// 413 when its size is read.
    pub fn decode(
        &mut self,
        input: &[u8],
        body: &mut BytesMut,
        body_bytes_max: u64,
    ) -> Result<Decoded, Reject> {
        let mut at = 0;
        while at < input.len() && self.state != State::Done {
            if self.state == State::Data {
                at += self.copy_data(&input[at..], body);
            } else {
                self.state = self.next_state(input[at], body_bytes_max)?;
                at += 1;
            }
        }
        Ok(Decoded { consumed: at, done: self.state == State::Done })
    }

    fn copy_data(&mut self, input: &[u8], body: &mut BytesMut) -> usize {
        let len =
            usize::try_from(self.chunk_left).map_or(input.len(), |left| left.min(input.len()));
        body.extend_from_slice(&input[..len]);
        self.chunk_left -= len as u64;
        if self.chunk_left == 0 {
            self.state = State::DataCr;
        }
        len
    }

    fn next_state(&mut self, byte: u8, body_bytes_max: u64) -> Result<State, Reject> {
        match self.state {
            State::Size | State::SizeSpace | State::Extension(_) => self.next_in_size_line(byte),
            State::SizeLf if byte == b'\n' => self.start_chunk(body_bytes_max),
            State::DataCr if byte == b'\r' => Ok(State::DataLf),
            State::DataLf if byte == b'\n' => Ok(State::Size),
            State::TrailerStart
            | State::TrailerName
            | State::TrailerValue
            | State::TrailerLf
            | State::EndLf => self.next_in_trailers(byte),
            State::SizeLf | State::Data | State::DataCr | State::DataLf | State::Done => {
                Err(INVALID_CHUNK)
            }
        }
    }

    fn next_in_size_line(&mut self, byte: u8) -> Result<State, Reject> {
        if self.state == State::Size {
            if let Some(digit) = char::from(byte).to_digit(16) {
                return self.push_size_digit(digit);
            }
            if self.size_digits == 0 {
                return Err(INVALID_CHUNK);
            }
        }
        let line_may_end = match self.state {
            State::Extension(extension) => extension.may_end(),
            _ => self.state == State::Size,
        };
        if byte == b'\r' && line_may_end {
            return Ok(State::SizeLf);
        }
        count(&mut self.extension_bytes, EXTENSION_BYTES_MAX, EXTENSIONS_TOO_LARGE)?;
        match (self.state, byte) {
            (State::Extension(extension), byte) => {
                extension.next(byte).map(State::Extension).ok_or(INVALID_CHUNK)
            }
            (_, b';') => Ok(State::Extension(Extension::Start)),
            (_, b' ' | b'\t') => Ok(State::SizeSpace),
            _ => Err(INVALID_CHUNK),
        }
    }

    fn push_size_digit(&mut self, digit: u32) -> Result<State, Reject> {
        if self.size_digits == SIZE_DIGITS_MAX {
            return Err(Reject::bad_request("chunk size too long"));
        }
        self.size_digits += 1;
        self.chunk_left = self.chunk_left << 4 | u64::from(digit);
        Ok(State::Size)
    }

    fn start_chunk(&mut self, body_bytes_max: u64) -> Result<State, Reject> {
        self.size_digits = 0;
        if self.chunk_left == 0 {
            return Ok(State::TrailerStart);
        }
        self.body_bytes = self.body_bytes.saturating_add(self.chunk_left);
        if self.body_bytes > body_bytes_max {
            return Err(BODY_TOO_LARGE);
        }
        Ok(State::Data)
    }

    fn next_in_trailers(&mut self, byte: u8) -> Result<State, Reject> {
        count(&mut self.trailer_bytes, TRAILER_BYTES_MAX, TRAILERS_TOO_LARGE)?;
        match (self.state, byte) {
            (State::TrailerStart, b'\r') => Ok(State::EndLf),
            (State::TrailerStart | State::TrailerName, byte) if is_token(byte) => {
                Ok(State::TrailerName)
            }
            (State::TrailerName, b':') => Ok(State::TrailerValue),
            (State::TrailerValue, b'\r') => Ok(State::TrailerLf),
            (State::TrailerValue, byte) if is_field_value(byte) => Ok(State::TrailerValue),
            (State::TrailerLf, b'\n') => Ok(State::TrailerStart),
            (State::EndLf, b'\n') => Ok(State::Done),
            _ => Err(Reject::bad_request("invalid trailer field")),
        }
    }
}

impl Default for ChunkedDecoder {
    fn default() -> Self {
        ChunkedDecoder::new()
    }
}

const INVALID_CHUNK: Reject = Reject::bad_request("invalid chunk");
const EXTENSIONS_TOO_LARGE: Reject = Reject::bad_request("chunk extensions too large");
const TRAILERS_TOO_LARGE: Reject =
    Reject::new(Status::HEADER_FIELDS_TOO_LARGE, "trailer fields too large");

fn count(bytes: &mut u32, bytes_max: u32, reject: Reject) -> Result<(), Reject> {
    *bytes += 1;
    if *bytes > bytes_max { Err(reject) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
