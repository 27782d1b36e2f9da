//! HdrHistogram's exchange format, V2, compressed and in base64, straight from our bins, which are those of the format.
//!
//! `hdrhistogram` writes the same by way of an array of all bins and of buffers for the longest text that could come of it:
//! three quarters of a MiB to clear for some hundred bytes, for each series, on a core that a shard may be waiting for. It
//! is the oracle of the tests.

use crate::telemetry::bins::{Bins, SIGNIFICANT_DIGITS, VALUE_MAX_NS};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compress, Compression, FlushCompress, Status};

const COOKIE: u32 = 0x1c84_9313;
const COMPRESSED_COOKIE: u32 = 0x1c84_9314;
/// The least value above 0 that is told apart.
const VALUE_MIN: u64 = 1;
/// What the format calls it, and nobody uses: values are shifted by no bins, and multiplied by nothing.
const NORMALIZING_OFFSET: u32 = 0;
const CONVERSION_RATIO: f64 = 1.0;
/// What zlib puts around data that it cannot make smaller, and more.
const COMPRESSED_MORE: usize = 64;

/// Writes one histogram after the other; what that needs of memory is kept from one to the next.
pub(super) struct Exchange {
    compress: Compress,
    counts: Vec<u8>,
    encoded: Vec<u8>,
    compressed: Vec<u8>,
}

impl Default for Exchange {
    fn default() -> Exchange {
        Exchange {
            // Better compression takes a few bytes less and several times as long.
            compress: Compress::new(Compression::fast(), true),
            counts: Vec::new(),
            encoded: Vec::new(),
            compressed: Vec::new(),
        }
    }
}

impl Exchange {
    pub(super) fn base64(&mut self, bins: &Bins) -> String {
        self.encode(bins);
        self.compress();
        STANDARD.encode(&self.compressed)
    }

    /// The format without compression: a head, then the counts.
    fn encode(&mut self, bins: &Bins) {
        self.counts.clear();
        let mut next = 0;
        for (bin, count) in bins.filled() {
            match bin - next {
                0 => {}
                1 => put_count(&mut self.counts, 0),
                empty => put_count(&mut self.counts, -(empty as i64)),
            }
            put_count(&mut self.counts, count as i64);
            next = bin + 1;
        }
        self.encoded.clear();
        let mut put = |bytes: &[u8]| self.encoded.extend_from_slice(bytes);
        put(&COOKIE.to_be_bytes());
        put(&(self.counts.len() as u32).to_be_bytes());
        put(&NORMALIZING_OFFSET.to_be_bytes());
        put(&u32::from(SIGNIFICANT_DIGITS).to_be_bytes());
        put(&VALUE_MIN.to_be_bytes());
        put(&VALUE_MAX_NS.to_be_bytes());
        put(&CONVERSION_RATIO.to_be_bytes());
        put(&self.counts);
    }

    fn compress(&mut self) {
        self.compressed.clear();
        self.compressed.extend_from_slice(&COMPRESSED_COOKIE.to_be_bytes());
        self.compressed.extend_from_slice(&[0; 4]);
        let head = self.compressed.len();
        self.compress.reset();
        loop {
            let taken = self.compress.total_in() as usize;
            self.compressed.reserve(self.encoded.len() - taken + COMPRESSED_MORE);
            let status = self
                .compress
                .compress_vec(&self.encoded[taken..], &mut self.compressed, FlushCompress::Finish)
                .expect("only a compressor that was given a dictionary wants another");
            if status == Status::StreamEnd {
                break;
            }
        }
        let length = (self.compressed.len() - head) as u32;
        self.compressed[head - 4..head].copy_from_slice(&length.to_be_bytes());
    }
}

/// A count, or less than 0 for so many empty bins: the sign in the lowest bit, then 7 bits a byte, lowest first. The format
/// has 9 bytes at most, of which the last has 8 bits; counts here have 56 at most.
fn put_count(bytes: &mut Vec<u8>, count: i64) {
    let mut rest = ((count << 1) ^ (count >> 63)) as u64;
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use super::Exchange;
    use crate::telemetry::bins::Bins;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
    use proptest::prelude::{any, prop};
    use proptest::{prop_assert_eq, proptest};

    fn read(base64: &str) -> Histogram<u64> {
        let bytes = STANDARD.decode(base64).unwrap();
        Deserializer::new().deserialize(&mut &bytes[..]).unwrap()
    }

    proptest! {
        #[test]
        fn the_crate_writes_and_reads_the_same(
            values in prop::collection::vec(proptest::prop_oneof![4 => 0_u64..50_000, 1 => any::<u64>()], 1..300)
        ) {
            let mut bins = Bins::default();
            values.iter().for_each(|&value| bins.record(value));
            let histogram = bins.to_histogram();
            let mut theirs = Vec::new();
            V2Serializer::new().serialize(&histogram, &mut theirs).unwrap();
            let mut exchange = Exchange::default();
            // Something else before, which must leave nothing behind.
            exchange.base64(&Bins::default());
            prop_assert_eq!(read(&exchange.base64(&bins)), histogram);
            prop_assert_eq!(&exchange.encoded, &theirs);
        }
    }

    #[test]
    fn nothing_is_a_histogram_too() {
        assert_eq!(read(&Exchange::default().base64(&Bins::default())).len(), 0);
    }
}
