//! Waiting for what another process does: asked again and again, with an end.

use std::thread;
use std::time::{Duration, Instant};

/// Long enough for a busy machine; a test that waits this long fails.
pub const WAIT: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(2);

/// Asks `attempt` until it gives something.
///
/// # Panics
/// When it gives nothing before the deadline: `what` says what was waited for.
#[track_caller]
pub fn poll_until<T>(what: &str, deadline: Duration, mut attempt: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + deadline;
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(Instant::now() < end, "waited {deadline:?} for {what}");
        thread::sleep(PAUSE);
    }
}
