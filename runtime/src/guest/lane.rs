//! The slow lane: guests that outlived their first turn share a small part of a core with requests that want it, and
//! have all of it while nobody else does.
//!
//! Without it each turn of a busy guest is time that every other request of the shard waits.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

/// What a turn is meant to last: one of the ticker's fine ticks.
pub(super) const TURN: Duration = super::epoch::FINE_TICK;
/// Time between two turns while other requests are served, so that long guests have about a tenth of the core.
const PAUSE: Duration = Duration::from_millis(2);
/// No pause is longer: a call with a hundred long turns must still fit into its time limit (30 s unless it is set) when
/// a few such guests share the lane.
const PAUSE_MAX: Duration = Duration::from_millis(40);

/// One per shard.
#[derive(Debug, Default)]
pub(super) struct SlowLane {
    /// Invocations for requests that the shard has begun outside the lane.
    begun: Cell<u64>,
    /// `begun` when the last turn was given.
    begun_at_turn: Cell<u64>,
    /// When the last turn is given that was asked for.
    last: Cell<Option<Instant>>,
    /// The same of those whose turns were too long: these wait for each other too, and nobody for them.
    last_long: Cell<Option<Instant>>,
}

impl SlowLane {
    /// Counts a request's invocation that is not of the lane: others want the core.
    pub(super) fn begun(&self) {
        self.begun.set(self.begun.get() + 1);
    }

    #[cfg(test)]
    pub(super) fn begun_so_far(&self) -> u64 {
        self.begun.get()
    }

    /// Waits for a turn, after one of length `used`. Turns are given one pause apart.
    pub(super) async fn turn(&self, used: Duration) {
        if self.begun_at_turn.replace(self.begun.get()) == self.begun.get() {
            // Nothing was begun since the last turn. Let the reactor look for news, and go on.
            tokio::task::yield_now().await;
            return;
        }
        let pause = pause_after(used);
        if pause > PAUSE {
            tokio::time::sleep_until(reserve(&self.last_long, pause)).await;
        }
        tokio::time::sleep_until(reserve(&self.last, PAUSE)).await;
    }
}

/// A point of time that is a pause away from now and from the last one reserved.
fn reserve(last: &Cell<Option<Instant>>, pause: Duration) -> Instant {
    let earliest = Instant::now() + pause;
    let at = last.get().map_or(earliest, |last| earliest.max(last + pause));
    last.set(Some(at));
    at
}

/// A turn is longer than `TURN` when no epoch interrupts the guest: an instruction that fills a mebibyte of new memory takes
/// half a millisecond. What a turn adds to the waits of others grows with its length and with the chance to meet it, so
/// with the square; the pause grows likewise, and what is added per second stays the same.
fn pause_after(used: Duration) -> Duration {
    let turns = used.as_secs_f64() / TURN.as_secs_f64();
    PAUSE.mul_f64((turns * turns).clamp(1.0, PAUSE_MAX.div_duration_f64(PAUSE)))
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn pauses_grow_with_the_square_of_the_turn() {
        let check = |used_us: u64, expected_us: u64| {
            let pause = pause_after(Duration::from_micros(used_us));
            assert_eq!(pause.as_micros(), u128::from(expected_us), "{used_us} us");
        };
        check(0, 2_000);
        check(250, 2_000);
        check(500, 8_000);
        check(1_000, 32_000);
        check(5_000, 40_000);
        check(60_000_000, 40_000);
    }

    #[test]
    fn only_a_core_that_others_want_is_paused_on() {
        let check = |begun: bool| {
            let runtime = Builder::new_current_thread().enable_time().build().unwrap();
            runtime.block_on(async {
                let lane = SlowLane::default();
                if begun {
                    lane.begun();
                }
                let used = Duration::from_secs(60);
                let turn = std::pin::pin!(lane.turn(used));
                let given_at_once = tokio::time::timeout(PAUSE_MAX / 2, turn).await.is_ok();
                assert_eq!(given_at_once, !begun);
            });
        };
        check(false);
        check(true);
    }

    #[test]
    fn turns_are_apart_and_long_ones_keep_short_ones_not_waiting() {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let lane = SlowLane::default();
            let began = Instant::now();
            let turn = async |used| {
                lane.begun();
                lane.turn(used).await;
                began.elapsed()
            };
            let (long, short) = (Duration::from_secs(60), Duration::ZERO);
            let (a, b, c, d, e) =
                tokio::join!(turn(long), turn(long), turn(short), turn(short), turn(short));
            assert!(a >= PAUSE_MAX && b >= 2 * PAUSE_MAX, "{a:?} {b:?}");
            assert!(c >= PAUSE && d >= 2 * PAUSE && e >= 3 * PAUSE, "{c:?} {d:?} {e:?}");
            assert!(e < a, "{e:?} {a:?}");
        });
    }
}
