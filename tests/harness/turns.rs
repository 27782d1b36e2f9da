//! Tests run side by side, but one that measures time runs alone.

use std::cell::Cell;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A test's place among the running ones: as long as it lives, no test that measures runs, or no other at all.
///
/// Counted per thread, because a test may start several servers and may have asked to be alone before.
#[derive(Debug)]
pub struct Turn(());

#[derive(Debug)]
struct State {
    running: usize,
    alone: bool,
}

static STATE: Mutex<State> = Mutex::new(State { running: 0, alone: false });
static CHANGED: Condvar = Condvar::new();

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// Waits until every other test has stopped its servers, and keeps them from starting new ones.
pub fn alone() -> Turn {
    assert_eq!(HELD.get(), 0, "a test asks to be alone before it starts a server");
    let mut state = wait_while(|state| state.alone || state.running > 0);
    state.running += 1;
    state.alone = true;
    HELD.set(1);
    Turn(())
}

/// Waits until no measuring test runs.
pub(super) fn among_others() -> Turn {
    if HELD.get() == 0 {
        wait_while(|state| state.alone).running += 1;
    }
    HELD.set(HELD.get() + 1);
    Turn(())
}

impl Drop for Turn {
    fn drop(&mut self) {
        HELD.set(HELD.get() - 1);
        if HELD.get() == 0 {
            let mut state = lock();
            state.running -= 1;
            state.alone = false;
            CHANGED.notify_all();
        }
    }
}

fn wait_while(condition: impl Fn(&State) -> bool) -> MutexGuard<'static, State> {
    CHANGED.wait_while(lock(), |state| condition(state)).unwrap_or_else(PoisonError::into_inner)
}

/// A failed test's panic leaves the counts right: its turns are dropped.
fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}
