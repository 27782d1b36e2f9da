//! wasmtime with a shard's settings and nothing around it: one instance, no pool, no limits, no clock, no telemetry.

use airside::guest::engine::{self, PoolSize};
use bench::guests;
use bytes::Bytes;
use wasmtime::{Caller, Linker, Memory, Module, Store, TypedFunc};

const OPERATION: &str = airside::guest::HANDLER;
const POOL: PoolSize = PoolSize {
    instances: 1,
    memory_bytes_max: 1 << 20,
    tables_per_module: 1,
    memories_per_module: 1,
};
/// No epoch comes, for nothing makes any.
const EPOCHS: u64 = 1;

/// A guest that may be called.
pub(crate) struct Bare {
    store: Store<Call>,
    call: TypedFunc<(i32, i32), i32>,
}

#[derive(Default)]
struct Call {
    memory: Option<Memory>,
    payload: Bytes,
    answer: Vec<u8>,
}

impl Bare {
    /// Compiles the guest, the text of a module, and starts it.
    pub(crate) async fn new(wat: &str) -> wasmtime::Result<Bare> {
        let engine = engine::shard(POOL)?;
        let module = Module::new(&engine, guests::compile(wat).expect("the guest is well-formed"))?;
        let mut linker = Linker::new(&engine);
        linker.func_wrap("wapc", "__guest_request", request)?;
        linker.func_wrap("wapc", "__guest_response", answer)?;
        let mut store = Store::new(&engine, Call::default());
        store.set_epoch_deadline(EPOCHS);
        let instance = linker.instantiate_async(&mut store, &module).await?;
        let call = instance.get_typed_func(&mut store, "__guest_call")?;
        store.data_mut().memory = instance.get_memory(&mut store, "memory");
        Ok(Bare { store, call })
    }

    /// Calls the guest and gives its answer.
    pub(crate) async fn call(&mut self, payload: Bytes) -> wasmtime::Result<&[u8]> {
        let lengths = (OPERATION.len() as i32, payload.len() as i32);
        self.store.data_mut().payload = payload;
        self.call.call_async(&mut self.store, lengths).await?;
        Ok(&self.store.data().answer)
    }
}

fn request(mut caller: Caller<'_, Call>, operation: i32, payload: i32) -> wasmtime::Result<()> {
    let memory = memory(&caller)?;
    let (bytes, call) = memory.data_and_store_mut(&mut caller);
    bytes[operation as usize..][..OPERATION.len()].copy_from_slice(OPERATION.as_bytes());
    bytes[payload as usize..][..call.payload.len()].copy_from_slice(&call.payload);
    Ok(())
}

fn answer(mut caller: Caller<'_, Call>, pointer: i32, length: i32) -> wasmtime::Result<()> {
    let memory = memory(&caller)?;
    let (bytes, call) = memory.data_and_store_mut(&mut caller);
    call.answer.clear();
    call.answer.extend_from_slice(&bytes[pointer as usize..][..length as usize]);
    Ok(())
}

fn memory(caller: &Caller<'_, Call>) -> wasmtime::Result<Memory> {
    caller.data().memory.ok_or_else(|| wasmtime::Error::msg("the guest exports no memory"))
}
