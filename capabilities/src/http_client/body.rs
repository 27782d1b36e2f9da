//! The body of an answer: read whole, bounded, and unpacked if the server compressed it unasked.

use std::io::{self, Read};
use std::ops::Deref;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};

use super::failure::Broken;
use crate::backend::FailureKind;

/// Bytes that are made room for at once because the server says that so many come. It may lie.
const ANNOUNCED_MAX: usize = 1024 * 1024;
/// Bytes unpacked before other tasks of the shard have their turn.
const UNPACK_TURN: usize = 64 * 1024;

/// Bytes read. One that came in a single piece is not copied.
#[derive(Debug, Clone)]
pub(crate) enum ReadBody {
    One(Bytes),
    Many(Vec<u8>),
}

/// How much of a body is taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyLimit {
    pub(super) bytes: u64,
    /// Whether a longer body is cut without a word, or is an error.
    pub(super) cut: bool,
}

/// How a body ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Whole,
    Cut,
}

impl Default for ReadBody {
    fn default() -> Self {
        ReadBody::One(Bytes::new())
    }
}

impl Deref for ReadBody {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            ReadBody::One(bytes) => bytes,
            ReadBody::Many(bytes) => bytes,
        }
    }
}

impl ReadBody {
    /// Appends everything that comes, up to the limit. What was read stays when it fails.
    pub(super) async fn fill(
        &mut self,
        incoming: &mut Incoming,
        limit: BodyLimit,
    ) -> Result<Ended, Broken> {
        let announced = incoming.size_hint().lower();
        if announced > limit.bytes && !limit.cut {
            return Err(limit.exceeded());
        }
        let announced = usize::try_from(announced).unwrap_or(usize::MAX).min(ANNOUNCED_MAX);
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|error| Broken::in_body(&error))?;
            let Ok(mut data) = frame.into_data() else { continue };
            let left = usize::try_from(limit.bytes).unwrap_or(usize::MAX) - self.len();
            let fits = data.len() <= left;
            data.truncate(left);
            self.append(data, announced);
            match fits {
                true => {}
                false if limit.cut => return Ok(Ended::Cut),
                false => return Err(limit.exceeded()),
            }
        }
        Ok(Ended::Whole)
    }

    fn append(&mut self, data: Bytes, announced: usize) {
        match self {
            ReadBody::One(first) if first.is_empty() => *first = data,
            ReadBody::One(first) => {
                let mut all = Vec::with_capacity(announced.max(first.len() + data.len()));
                all.extend_from_slice(first);
                all.extend_from_slice(&data);
                *self = ReadBody::Many(all);
            }
            ReadBody::Many(all) => all.extend_from_slice(&data),
        }
    }

    /// The bytes that were packed with gzip, under the same limit.
    pub(super) async fn unpack(&self, limit: BodyLimit) -> Result<ReadBody, Broken> {
        let bytes_max = usize::try_from(limit.bytes).unwrap_or(usize::MAX);
        let mut unpacked = Vec::new();
        let mut decoder = MultiGzDecoder::new(&**self);
        loop {
            let turn = UNPACK_TURN.min((bytes_max - unpacked.len()).saturating_add(1));
            let taken = decoder.by_ref().take(turn as u64).read_to_end(&mut unpacked);
            if taken.map_err(|error| bad_gzip(&error))? == 0 {
                return Ok(ReadBody::Many(unpacked));
            }
            if unpacked.len() > bytes_max {
                unpacked.truncate(bytes_max);
                return if limit.cut {
                    Ok(ReadBody::Many(unpacked))
                } else {
                    Err(limit.exceeded())
                };
            }
            tokio::task::yield_now().await;
        }
    }
}

impl BodyLimit {
    fn exceeded(self) -> Broken {
        let reason = format!("it is longer than the limit of {} bytes", self.bytes);
        Broken::new(FailureKind::Refused, reason)
    }
}

fn bad_gzip(error: &io::Error) -> Broken {
    let reason = match error.kind() {
        io::ErrorKind::UnexpectedEof => String::from("unexpected EOF"),
        _ => format!("gzip: {error}"),
    };
    Broken::new(FailureKind::Refused, reason)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use bytes::Bytes;
    use flate2::write::GzEncoder;

    use super::{BodyLimit, ReadBody};

    fn unpack(packed: Vec<u8>, bytes: u64, cut: bool) -> Result<Vec<u8>, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let packed = ReadBody::One(Bytes::from(packed));
        let unpacked = runtime.block_on(packed.unpack(BodyLimit { bytes, cut }));
        unpacked.map(|body| body.to_vec()).map_err(|broken| broken.reason)
    }

    #[test]
    fn what_was_packed_is_unpacked_under_the_limit() {
        let data: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&data).unwrap();
        let packed = encoder.finish().unwrap();
        assert_eq!(unpack(packed.clone(), 200_000, false), Ok(data.clone()));
        assert_eq!(unpack(packed.clone(), 1000, true), Ok(data[..1000].to_vec()));
        let error = unpack(packed.clone(), 199_999, false).unwrap_err();
        assert_eq!(error, "it is longer than the limit of 199999 bytes");
        let half = packed[..packed.len() / 2].to_vec();
        assert_eq!(unpack(half, 200_000, false), Err(String::from("unexpected EOF")));
        assert_eq!(
            unpack(b"zz".repeat(20), 9, true),
            Err(String::from("gzip: invalid gzip header"))
        );
    }
}
