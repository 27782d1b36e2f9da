//! The `Date` line, made once a second: formatting it costs more than the rest of a response's head.

use std::io::Write as _;
use std::time::{Duration, SystemTime};

const LINE_BYTES: usize = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n".len();
const SECOND_NS: u64 = 1_000_000_000;

/// The current `Date` line of one shard.
#[derive(Debug)]
pub struct DateCache {
    line: [u8; LINE_BYTES],
    /// On the caller's monotonic clock.
    stale_at_ns: u64,
}

impl DateCache {
    pub fn new() -> DateCache {
        DateCache { line: [b' '; LINE_BYTES], stale_at_ns: 0 }
    }

    /// `Date: <IMF-fixdate>\r\n` (RFC 9110, 6.6.1). `now_ns` is the shard's monotonic clock; the system's clock is
    /// read only when the second has passed. A step of that clock shows after one second at most.
    #[allow(clippy::disallowed_methods, reason = "the Date line is what the wall clock is for")]
    pub fn line(&mut self, now_ns: u64) -> &[u8] {
        if now_ns >= self.stale_at_ns {
            self.refresh(now_ns, SystemTime::now());
        }
        &self.line
    }

    #[cold]
    fn refresh(&mut self, now_ns: u64, wall: SystemTime) {
        let since_epoch = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let second_left_ns = SECOND_NS - u64::from(since_epoch.subsec_nanos());
        self.stale_at_ns = now_ns.saturating_add(second_left_ns);
        let date = httpdate::HttpDate::from(SystemTime::UNIX_EPOCH + since_epoch);
        let written = write!(self.line.as_mut_slice(), "Date: {date}\r\n");
        debug_assert!(written.is_ok(), "an IMF-fixdate has a fixed length");
    }
}

impl Default for DateCache {
    fn default() -> Self {
        DateCache::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_at(cache: &mut DateCache, now_ns: u64, wall: Duration) -> &str {
        if now_ns >= cache.stale_at_ns {
            cache.refresh(now_ns, SystemTime::UNIX_EPOCH + wall);
        }
        std::str::from_utf8(&cache.line).unwrap()
    }

    #[test]
    fn formats_an_imf_fixdate() {
        let mut cache = DateCache::new();
        let wall = Duration::from_secs(784_111_777);
        assert_eq!(line_at(&mut cache, 5, wall), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    }

    #[test]
    fn changes_when_the_wall_clock_second_passes() {
        let mut cache = DateCache::new();
        let wall = Duration::from_millis(784_111_777_900);
        line_at(&mut cache, 0, wall);
        let before = line_at(&mut cache, 99_999_999, Duration::MAX / 4).to_owned();
        assert!(before.contains("08:49:37"), "{before}");
        let after = line_at(&mut cache, 100_000_000, wall + Duration::from_millis(100));
        assert!(after.contains("08:49:38"), "{after}");
    }

    #[test]
    fn reads_the_system_clock() {
        let line = String::from_utf8(DateCache::new().line(0).to_vec()).unwrap();
        let date = line.trim_start_matches("Date: ").trim_end();
        let shown = httpdate::parse_http_date(date).unwrap();
        assert!(SystemTime::now().duration_since(shown).unwrap() < Duration::from_secs(60));
    }
}
