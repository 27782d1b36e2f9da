//! Sockets: one listener per shard on one address, and the streams that they accept.

pub mod listener;
pub mod stream;
