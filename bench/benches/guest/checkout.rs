//! An instance taken out of a pool and given back, without a call, when one is idle: nobody waits.
//!
//! The shard's pool is not public. What it costs, with the limits, clock reads and telemetry around a call, is what
//! `guest/airside` takes longer than `guest/wasmtime`. Here are the ways to build one, with a box in place of an instance:
//! a count and a list of one thread, as the pool has them, and those that need neither a permit type nor a queue of one's
//! own.

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::sync::Mutex;

use bench::reactor;
use criterion::Criterion;
use tokio::sync::Semaphore;

/// Idle ones; as many may be taken at once.
const INSTANCES: usize = 8;

#[expect(clippy::vec_box, reason = "as in the pool, taking one moves a pointer")]
fn idle() -> Vec<Box<u64>> {
    (0..INSTANCES as u64).map(Box::new).collect()
}

pub(crate) fn checkout(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("checkout");
    let (free, list) = (Cell::new(INSTANCES), RefCell::new(idle()));
    group.bench_function("count and list", |bencher| {
        bencher.iter(|| {
            let left = black_box(&free).get().checked_sub(1).expect("one is free");
            free.set(left);
            let taken = black_box(list.borrow_mut().pop().expect("one is idle"));
            list.borrow_mut().push(taken);
            free.set(free.get() + 1);
        });
    });

    let semaphore = Semaphore::new(INSTANCES);
    group.bench_function("semaphore and list", |bencher| {
        bencher.iter(|| {
            let permit = semaphore.try_acquire().expect("one is free");
            let taken = black_box(list.borrow_mut().pop().expect("one is idle"));
            list.borrow_mut().push(taken);
            drop(permit);
        });
    });
    let reactor = reactor::build().expect("a reactor");
    group.bench_function("semaphore and list, awaited", |bencher| {
        bencher.iter_custom(|calls| {
            reactor::time(&reactor, calls, async || {
                let permit = semaphore.acquire().await.expect("it is never closed");
                let taken = black_box(list.borrow_mut().pop().expect("one is idle"));
                list.borrow_mut().push(taken);
                drop(permit);
            })
        });
    });

    // Of a pool that threads share.
    let shared = Mutex::new(idle());
    let lock = || shared.lock().expect("no thread panics");
    group.bench_function("mutex and list", |bencher| {
        bencher.iter(|| {
            let taken = black_box(lock().pop().expect("one is idle"));
            lock().push(taken);
        });
    });
    group.finish();
}
