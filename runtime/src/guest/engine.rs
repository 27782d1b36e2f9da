//! wasmtime's configuration: one engine per shard with its own pooling allocator, so that shards share no lock, and
//! one for the compiler with the same settings, so that what it makes loads on each.

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig,
    WasmBacktraceDetails,
};

/// Address space that a linear memory reserves. With all 4 GiB and the guard behind it, no access needs a bounds check.
const MEMORY_RESERVATION_BYTES: u64 = 4 << 30;
/// Linear memories of the whole process at most. Of two things the kernel has not enough for more. Address space: each takes
/// 4 GiB of it, a shard's pool wants its memories in one piece, and the program lies in the midst of the 128 TiB, with some
/// 85 below it and 42 above. And mappings, 65,530 by default (vm.max_map_count): a slot takes two for its stack, an instance
/// up to four more.
pub const MEMORIES_MAX: usize = 10_000;
/// Stack that wasm code may use. Recursion beyond it traps.
const WASM_STACK_BYTES: usize = 512 * 1024;
/// Stack of the fiber a call runs on: wasm's share and what host calls, nested ones too, need on top.
const FIBER_STACK_BYTES: usize = 2 * 1024 * 1024;
/// Elements of a table at most; Go's and Rust's have one for each function whose address is taken.
pub const TABLE_ELEMENTS_MAX: usize = 100_000;
/// Memory of a slot that is kept and zeroed rather than given back to the kernel when its instance goes.
pub const KEEP_RESIDENT_BYTES: usize = 1024 * 1024;
/// Metadata of one instance at most.
const INSTANCE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Memory guard behind each linear memory, wasmtime's default.
const GUARD_BYTES: u64 = 32 * 1024 * 1024;
/// Frames of a trap's trace in the log.
const BACKTRACE_FRAMES_MAX: usize = 20;

/// What the pooling allocator sets aside for one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolSize {
    /// Instances that may live at once, over all functions.
    pub instances: u32,
    /// The largest linear memory that any function may have, in bytes.
    pub memory_bytes_max: usize,
    /// Tables that one module may define.
    pub tables_per_module: u32,
    /// Linear memories that one module may define.
    pub memories_per_module: u32,
}

/// Whether the kernel says which pages a guest has written (Linux 6.7). Without that, all of the memory that stays with a
/// slot is zeroed for the next instance, written or not.
pub fn finds_written_pages() -> bool {
    PoolingAllocationConfig::is_pagemap_scan_available()
}

/// The engine for the compiler. It never makes an instance.
pub fn compiler() -> wasmtime::Result<Engine> {
    Engine::new(&config())
}

/// The engine of one shard.
pub fn shard(size: PoolSize) -> wasmtime::Result<Engine> {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_core_instances(size.instances)
        .total_memories(size.instances * size.memories_per_module)
        .total_tables(size.instances * size.tables_per_module)
        // A function that calls a function of its own holds two.
        .total_stacks(size.instances)
        .max_memory_size(size.memory_bytes_max)
        .max_memories_per_module(size.memories_per_module)
        .max_tables_per_module(size.tables_per_module)
        .table_elements(TABLE_ELEMENTS_MAX)
        .max_core_instance_size(INSTANCE_BYTES_MAX)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(KEEP_RESIDENT_BYTES)
        .pagemap_scan(Enabled::Auto);
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

/// All that decides what compiled code looks like is here: the compiler's engine and the shards' must agree.
fn config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK_BYTES)
        .async_stack_size(FIBER_STACK_BYTES)
        .memory_reservation(MEMORY_RESERVATION_BYTES)
        .memory_guard_size(GUARD_BYTES)
        .cranelift_opt_level(OptLevel::Speed)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .wasm_backtrace_max_frames(std::num::NonZeroUsize::new(BACKTRACE_FRAMES_MAX));
    config
}

#[cfg(test)]
mod tests {
    use super::{Engine, MEMORIES_MAX, PoolSize, shard};

    #[test]
    fn the_largest_pools_can_be_had() {
        for shards in [1, 2, 3, 8] {
            let size = PoolSize {
                instances: u32::try_from(MEMORIES_MAX / shards).unwrap(),
                memory_bytes_max: 128 << 20,
                tables_per_module: 1,
                memories_per_module: 1,
            };
            let pools: Result<Vec<Engine>, _> = (0..shards).map(|_| shard(size)).collect();
            assert!(pools.is_ok(), "{shards} shards: {:?}", pools.err());
        }
    }
}
