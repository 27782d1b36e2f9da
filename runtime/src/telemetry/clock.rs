//! The clocks. [`now_ns`] is the only clock read on the request path; every length of time that the
//! telemetry records is a difference of two of its values.

use rustix::time::{ClockId, Timespec, clock_gettime};
use std::time::SystemTime;

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

/// One moment on both clocks: the wall clock says when, the monotonic one measures from there.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The date, as the system knows it; it may jump.
    pub wall: SystemTime,
    /// The same moment in the nanoseconds of [`now_ns`].
    pub monotonic_ns: u64,
}

impl Moment {
    /// Reads both clocks.
    pub fn now() -> Moment {
        Moment { wall: wall_now(), monotonic_ns: now_ns() }
    }
}

/// Nanoseconds of `CLOCK_MONOTONIC`, which counts from some fixed moment before the process began.
///
/// A call costs about 20 ns: the kernel's vDSO answers it without a system call.
#[inline]
pub fn now_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::Monotonic))
}

/// CPU time that all threads of the process have used so far, in nanoseconds.
pub fn process_cpu_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::ProcessCPUTime))
}

/// The date. For log lines and page headers; lengths of time come from [`now_ns`].
pub fn wall_now() -> SystemTime {
    SystemTime::now()
}

/// Neither clock read here is ever negative, so the casts lose nothing.
#[inline]
fn nanoseconds(time: Timespec) -> u64 {
    time.tv_sec as u64 * NANOSECONDS_PER_SECOND + time.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::{Moment, now_ns, process_cpu_ns};

    #[test]
    fn clocks_move_forward() {
        let first = Moment::now();
        let cpu = process_cpu_ns();
        let mut work = 1_u64;
        while now_ns() - first.monotonic_ns < 1_000_000 {
            work = std::hint::black_box(work.wrapping_mul(3));
        }
        assert!(process_cpu_ns() > cpu);
        assert!(Moment::now().monotonic_ns > first.monotonic_ns);
    }
}
