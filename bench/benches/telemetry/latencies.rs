//! Latencies that are spread as those of a server under load are, and histograms of the `hdrhistogram` crate for them.

use airside::telemetry::bins::{SIGNIFICANT_DIGITS, VALUE_MAX_NS};
use airside::telemetry::{HostTimes, RequestTimes};
use hdrhistogram::Histogram;

/// A power of two, so that going round costs next to nothing.
pub(crate) const VALUES: usize = 4096;

/// From 4 us to 8 ms in nanoseconds, each octave half as frequent as the one before.
pub(crate) fn latencies() -> [u64; VALUES] {
    let mut state = 1_u64;
    std::array::from_fn(|_| {
        // Knuth's MMIX generator, whose high bits are the random ones.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let octave = (state >> 48 | 1 << 10).trailing_zeros();
        (4_000 + (state >> 20) % 4_000) << octave
    })
}

/// A request of this length that made no host call.
pub(crate) fn request_of(total_ns: u64) -> RequestTimes {
    RequestTimes {
        total_ns,
        queue_ns: total_ns >> 7,
        guest_ns: Some(total_ns >> 2),
        write_ns: Some(total_ns >> 1),
        host: HostTimes::default(),
    }
}

/// With the bins that ours have.
pub(crate) fn hdrhistogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, VALUE_MAX_NS, SIGNIFICANT_DIGITS).expect("valid bounds")
}
