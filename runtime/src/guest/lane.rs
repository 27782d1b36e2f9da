//! The slow lane: guests that outlived their first turn share a small part of a core with requests that want it, and
//! have all of it while nobody else does.
//!
//! Without it each turn of a busy guest is time that every other request of the shard waits.

use std::cell::Cell;
use std::time::Duration;

use tokio::time::Instant;

/// Time between two turns while other requests are served: with turns of a quarter of a millisecond, long guests have
/// about a tenth of the core.
const PAUSE: Duration = Duration::from_millis(2);

/// One per shard.
#[derive(Debug, Default)]
pub(super) struct SlowLane {
    /// Invocations the shard has begun.
    begun: Cell<u64>,
    /// `begun` when the last turn was given.
    begun_at_turn: Cell<u64>,
    /// When the next turn may be given.
    next: Cell<Option<Instant>>,
}

impl SlowLane {
    /// Counts an invocation: others want the core.
    pub(super) fn begun(&self) {
        self.begun.set(self.begun.get() + 1);
    }

    /// Waits for a turn. Guests that wait together are given theirs one `PAUSE` apart.
    pub(super) async fn turn(&self) {
        if self.begun_at_turn.replace(self.begun.get()) == self.begun.get() {
            // Nothing was begun since the last turn. Let the reactor look for news, and go on.
            tokio::task::yield_now().await;
            return;
        }
        let earliest = Instant::now() + PAUSE;
        let at = self.next.get().map_or(earliest, |next| earliest.max(next + PAUSE));
        self.next.set(Some(at));
        tokio::time::sleep_until(at).await;
    }
}
