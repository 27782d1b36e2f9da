//! The system's allocator, which counts what a thread takes from it and remembers where.

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};

/// What was taken from the heap. Memory that grows counts as taken anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Taken {
    pub(crate) times: u64,
    pub(crate) bytes: u64,
}

/// One time that something was taken.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) bytes: usize,
    /// Not resolved until it is shown: a guest's stack has no room for that.
    pub(crate) calls: Backtrace,
}

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Counting;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Off,
    Count,
    Trace,
}

// The first two are constant and need no destructor, so that reading them takes nothing.
thread_local! {
    static MODE: Cell<Mode> = const { Cell::new(Mode::Off) };
    static TAKEN: Cell<Taken> = const { Cell::new(Taken { times: 0, bytes: 0 }) };
    static SITES: RefCell<Vec<Site>> = const { RefCell::new(Vec::new()) };
}

#[expect(unsafe_code, reason = "no allocator is safe to be; this one passes everything on")]
// SAFETY: memory comes from the system's allocator and goes back to it, with the same layout.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller promises what the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller promises that `memory` came from `alloc`, so from there.
        unsafe { System.dealloc(memory, layout) }
    }
}

fn note(bytes: usize) {
    let mode = MODE.get();
    if mode == Mode::Off {
        return;
    }
    let taken = TAKEN.get();
    TAKEN.set(Taken { times: taken.times + 1, bytes: taken.bytes + bytes as u64 });
    if mode == Mode::Trace {
        // What remembering takes does not count.
        MODE.set(Mode::Off);
        let site = Site { bytes, calls: Backtrace::force_capture() };
        SITES.with_borrow_mut(|sites| sites.push(site));
        MODE.set(Mode::Trace);
    }
}

/// What this thread takes while `run` runs.
pub(crate) async fn count(run: impl Future<Output = ()>) -> Taken {
    TAKEN.set(Taken::default());
    MODE.set(Mode::Count);
    run.await;
    MODE.set(Mode::Off);
    TAKEN.get()
}

/// Where this thread takes something while `run` runs.
pub(crate) async fn trace(run: impl Future<Output = ()>) -> Vec<Site> {
    MODE.set(Mode::Trace);
    run.await;
    MODE.set(Mode::Off);
    SITES.take()
}
