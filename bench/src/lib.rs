//! What the benchmarks share: requests, guests, a store, and a shard whose calls can be timed.
//!
//! Each file below `benches` measures one stage of the request path, beside a library that does the same where there is
//! one. `tests/allocations` counts what a request takes from the heap.

pub mod client;
pub mod guests;
pub mod kv;
pub mod operations;
pub mod reactor;
pub mod requests;
pub mod shard;

/// The server's own, for each benchmark to take, so that a stage that allocates costs there what it costs in the server.
pub use mimalloc::MiMalloc as Allocator;
