//! What the benchmarks share: requests, guests, a store, and a shard whose calls can be timed.
//!
//! Each file in `benches` measures one stage of the request path, beside a library that does the same
//! where there is one.

pub mod guests;
pub mod kv;
pub mod reactor;
pub mod requests;
pub mod shard;

/// The server's own allocator, so that a stage that allocates costs here what it costs there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
