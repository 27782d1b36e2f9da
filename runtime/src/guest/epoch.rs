//! The thread `airside-epoch`: it advances the epoch of every shard's engine while guests run, so that a guest
//! that never returns to the host still yields its core and ends at its deadline.
//!
//! A shard pays two relaxed stores and one exchange per invocation. With no guest running the thread sleeps for
//! good: a ticking thread would cost 2 % of an idle core.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use crossbeam::utils::CachePadded;
use wasmtime::Engine;

use crate::cpus::slice;

/// Time between two epochs while every guest returns soon: the longest that a guest's first turn may take is two.
const TICK: Duration = Duration::from_millis(4);
/// Time between two epochs while some guest has outlived its first turn: its turns are short, because every
/// request of the shard waits for one.
pub(super) const FINE_TICK: Duration = Duration::from_micros(250);
/// How much later than asked the kernel may wake the ticker to wake others with it: 50 us by default, a fifth of a fine tick.
const TIMER_SLACK_NS: Option<NonZeroU64> = NonZeroU64::new(1_000);
/// Ticks without a running guest after which the thread goes to sleep.
const QUIET_TICKS_MAX: u32 = 32;

/// What a shard tells the ticker.
#[derive(Debug, Default)]
struct ShardActivity {
    /// A guest is running.
    running: AtomicBool,
    /// Guests that outlived their first turn.
    long: AtomicU32,
}

#[derive(Debug)]
struct Shared {
    shards: Box<[CachePadded<ShardActivity>]>,
    asleep: CachePadded<AtomicBool>,
    ended: AtomicBool,
}

/// The ticker thread; it ends when this is dropped.
#[derive(Debug)]
pub struct EpochTicker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// One shard's side of the ticker. Stays on the shard's thread.
#[derive(Debug)]
pub struct EpochHandle {
    shared: Arc<Shared>,
    shard: usize,
    ticker: Thread,
    running: std::cell::Cell<u32>,
}

/// While it lives, a guest counts as running.
#[derive(Debug)]
pub struct Running<'a>(&'a EpochHandle);

impl EpochTicker {
    /// Starts the thread for these engines, one per shard.
    pub fn start(engines: Vec<Engine>) -> std::io::Result<EpochTicker> {
        let shards = engines.iter().map(|_| CachePadded::default()).collect();
        let shared = Arc::new(Shared {
            shards,
            asleep: CachePadded::new(AtomicBool::new(false)),
            ended: AtomicBool::new(false),
        });
        let for_thread = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name(String::from("airside-epoch"))
            .spawn(move || for_thread.tick(&engines))?;
        Ok(EpochTicker { shared, thread: Some(thread) })
    }

    /// The handle of one shard.
    pub fn handle(&self, shard: usize) -> Option<EpochHandle> {
        let ticker = self.thread.as_ref()?.thread().clone();
        let shared = Arc::clone(&self.shared);
        Some(EpochHandle { shared, shard, ticker, running: std::cell::Cell::new(0) })
    }
}

impl Drop for EpochTicker {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

impl EpochHandle {
    /// Says that a guest starts to run; wakes the ticker when it sleeps.
    pub fn run(&self) -> Running<'_> {
        let before = self.running.get();
        self.running.set(before + 1);
        if before == 0 {
            // The exchange orders this store before the load of `asleep`; the ticker does the same the other way
            // round, so one of the two sees the other.
            self.activity().running.swap(true, Ordering::SeqCst);
            if self.shared.asleep.load(Ordering::SeqCst) {
                self.ticker.unpark();
            }
        }
        Running(self)
    }

    /// Counts a guest that outlived its first turn, or is expected to, until `settled`.
    pub fn outlived(&self) {
        if self.activity().long.fetch_add(1, Ordering::Relaxed) == 0 {
            // It would notice only after the long tick that it is in.
            self.ticker.unpark();
        }
    }

    /// That guest has ended.
    pub fn settled(&self) {
        self.activity().long.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether some guest of the shard has outlived its first turn, or is expected to.
    pub fn any_long(&self) -> bool {
        self.activity().long.load(Ordering::Relaxed) > 0
    }

    fn activity(&self) -> &ShardActivity {
        &self.shared.shards[self.shard]
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let left = self.0.running.get() - 1;
        self.0.running.set(left);
        if left == 0 {
            self.0.activity().running.store(false, Ordering::Relaxed);
        }
    }
}

impl Shared {
    fn tick(&self, engines: &[Engine]) {
        // An older kernel refuses; the ticks come late then, and nothing else changes.
        let _ = slice::shorten();
        let _ = rustix::thread::set_current_timer_slack(TIMER_SLACK_NS);
        let mut quiet = 0;
        while !self.ended.load(Ordering::Relaxed) {
            if self.any(|shard| shard.running.load(Ordering::Relaxed)) {
                quiet = 0;
            } else {
                quiet += 1;
            }
            if quiet > QUIET_TICKS_MAX {
                self.sleep();
                quiet = 0;
                continue;
            }
            let fine = self.any(|shard| shard.long.load(Ordering::Relaxed) > 0);
            // Parking instead of sleeping lets the drop of the ticker end it at once.
            thread::park_timeout(if fine { FINE_TICK } else { TICK });
            engines.iter().for_each(Engine::increment_epoch);
        }
    }

    fn sleep(&self) {
        self.asleep.store(true, Ordering::SeqCst);
        let idle = !self.any(|shard| shard.running.load(Ordering::SeqCst));
        // Once, not until a guest is seen: the guest that woke us may have ended, and staying asleep would make
        // each of a slow client's requests pay for a wake-up.
        if idle && !self.ended.load(Ordering::SeqCst) {
            thread::park();
        }
        self.asleep.store(false, Ordering::SeqCst);
    }

    fn any(&self, test: impl Fn(&ShardActivity) -> bool) -> bool {
        self.shards.iter().any(|shard| test(shard))
    }
}
