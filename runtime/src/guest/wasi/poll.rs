//! `poll_oneoff`: how Go, Rust and C libraries sleep. A guest that sleeps is suspended and its core serves others.

use std::time::Duration;

use wasmtime::{AsContextMut, Caller};

use super::{STDERR, STDIN, errno, put, sleep, time_ns};
use crate::guest::instance::HostState;
use crate::guest::memory;

/// Subscriptions of one call at most.
const SUBSCRIPTIONS_MAX: i32 = 1024;
/// Size of an `event` in memory.
const EVENT_BYTES: i32 = 32;
/// `eventtype`: a time, a stream that can be read, one that can be written.
const CLOCK: u8 = 0;
const FD_READ: u8 = 1;
const FD_WRITE: u8 = 2;
/// `subclockflags`: the time is a point, not a length.
const ABSTIME: u32 = 1;

/// Where a subscription's members lie. Snapshot 0 has an identifier in front of the clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    bytes: i32,
    clock_id: usize,
    timeout: usize,
    flags: usize,
}

pub(super) fn layout(snapshot_0: bool) -> Layout {
    if snapshot_0 {
        Layout { bytes: 56, clock_id: 24, timeout: 32, flags: 48 }
    } else {
        Layout { bytes: 48, clock_id: 16, timeout: 24, flags: 40 }
    }
}

/// One subscription, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Subscription {
    userdata: u64,
    kind: u8,
    /// When it is due: nothing waits for the standard streams.
    wait_ns: u64,
    errno: i32,
}

/// Waits for the earliest subscription and reports all that are due then.
pub(super) async fn poll_oneoff(
    mut caller: Caller<'_, HostState>,
    layout: Layout,
    (subscriptions_ptr, events_ptr, count, stored_ptr): (i32, i32, i32, i32),
) -> wasmtime::Result<i32> {
    if !(1..=SUBSCRIPTIONS_MAX).contains(&count) {
        return Ok(errno::INVAL);
    }
    let memory = memory::of(&mut caller)?;
    let bytes = memory::read(memory.data(&caller), subscriptions_ptr, count * layout.bytes)?;
    let subscriptions: Vec<Subscription> =
        bytes.chunks_exact(layout.bytes as usize).map(|s| parse(layout, s)).collect();
    let earliest_ns = subscriptions.iter().map(|s| s.wait_ns).min().unwrap_or(0);
    if earliest_ns > 0 {
        sleep(Duration::from_nanos(earliest_ns)).await;
        caller.data_mut().new_turn();
        caller.as_context_mut().set_epoch_deadline(1);
    }
    let mut stored = 0;
    for due in subscriptions.iter().filter(|s| s.wait_ns <= earliest_ns) {
        let mut event = [0u8; EVENT_BYTES as usize];
        event[..8].copy_from_slice(&due.userdata.to_le_bytes());
        event[8..10].copy_from_slice(&(due.errno as u16).to_le_bytes());
        event[10] = due.kind;
        put(&mut caller, events_ptr.wrapping_add(stored * EVENT_BYTES), &event)?;
        stored += 1;
    }
    put(&mut caller, stored_ptr, &stored.to_le_bytes())?;
    Ok(errno::SUCCESS)
}

fn parse(layout: Layout, bytes: &[u8]) -> Subscription {
    let u64_at = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
    let u32_at = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
    let (userdata, kind) = (u64_at(0), bytes[8]);
    let with = |wait_ns, errno| Subscription { userdata, kind, wait_ns, errno };
    match kind {
        CLOCK => {
            let Some(now_ns) = time_ns(u32_at(layout.clock_id) as i32) else {
                return with(0, errno::INVAL);
            };
            let timeout_ns = u64_at(layout.timeout);
            let absolute = u32_at(layout.flags) & ABSTIME != 0;
            with(if absolute { timeout_ns.saturating_sub(now_ns) } else { timeout_ns }, 0)
        }
        FD_READ | FD_WRITE => {
            let fd = u32_at(16) as i32;
            with(0, if (STDIN..=STDERR).contains(&fd) { errno::SUCCESS } else { errno::BADF })
        }
        _ => with(0, errno::INVAL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock subscription as a guest of snapshot preview 1 writes it.
    fn clock(userdata: u64, clock_id: u32, timeout_ns: u64, flags: u16) -> [u8; 48] {
        let mut bytes = [0; 48];
        bytes[..8].copy_from_slice(&userdata.to_le_bytes());
        bytes[16..20].copy_from_slice(&clock_id.to_le_bytes());
        bytes[24..32].copy_from_slice(&timeout_ns.to_le_bytes());
        bytes[40..42].copy_from_slice(&flags.to_le_bytes());
        bytes
    }

    #[test]
    fn subscriptions_are_read_as_the_witx_lays_them_out() {
        let check = |bytes: [u8; 48], kind, wait_ns, errno| {
            let expected = Subscription { userdata: 7, kind, wait_ns, errno };
            assert_eq!(parse(layout(false), &bytes), expected);
        };
        check(clock(7, 1, 5_000, 0), CLOCK, 5_000, 0);
        check(clock(7, 0, 1, 1), CLOCK, 0, 0);
        check(clock(7, 9, 5_000, 0), CLOCK, 0, errno::INVAL);
        let mut stream = clock(7, 1, 0, 0);
        stream[8] = FD_WRITE;
        check(stream, FD_WRITE, 0, 0);
        stream[16] = 3;
        check(stream, FD_WRITE, 0, errno::BADF);
        stream[8] = 9;
        check(stream, 9, 0, errno::INVAL);
    }

    #[test]
    fn snapshot_0_has_an_identifier_before_the_clock() {
        let mut bytes = [0; 56];
        bytes[16..24].copy_from_slice(&99u64.to_le_bytes());
        bytes[24..28].copy_from_slice(&1u32.to_le_bytes());
        bytes[32..40].copy_from_slice(&5_000u64.to_le_bytes());
        assert_eq!(parse(layout(true), &bytes).wait_ns, 5_000);
    }
}
