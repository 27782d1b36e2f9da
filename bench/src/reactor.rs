//! A shard's tokio runtime, and how asynchronous calls are timed on it.

use std::time::Duration;

use airside::telemetry::clock;
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

/// Built as a shard builds its own.
pub fn build() -> std::io::Result<LocalRuntime> {
    Builder::new_current_thread().enable_io().enable_time().build_local(LocalOptions::default())
}

/// How long so many calls take, one after the other in one task: entering the runtime is not part of a call.
pub fn time(reactor: &LocalRuntime, calls: u64, mut call: impl AsyncFnMut()) -> Duration {
    reactor.block_on(async {
        let started_ns = clock::now_ns();
        for _ in 0..calls {
            call().await;
        }
        Duration::from_nanos(clock::now_ns() - started_ns)
    })
}
