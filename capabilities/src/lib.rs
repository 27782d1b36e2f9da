//! What a guest may ask for of its host: key-value, SQL, HTTP, logger, metrics, other functions.
//!
//! Knows nothing of WebAssembly, listeners, routes or configuration keys. The embedding runtime
//! makes one [`Capabilities`] per shard, names the host call ([`Capabilities::resolve`]) and runs
//! it ([`Capabilities::call`]). What one shard owns needs no locks; what the process shares
//! (stores, metric names) is `Send + Sync`, and reading it takes none.

pub mod backend;
pub mod boxed;
pub mod dispatch;
pub mod dns;
pub mod error;
pub mod functions;
pub mod http_client;
pub mod kv;
pub mod logger;
pub mod metrics;
pub mod payload;
pub mod secret;
pub mod sql;
pub mod timer;
pub mod tls;

pub use dispatch::{CallFunction, Caller, Capabilities, HostCall, Operation};
pub use error::CallError;
