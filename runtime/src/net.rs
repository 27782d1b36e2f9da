//! Sockets: one listener per shard on one address, which shard serves what they accept, and the streams.

pub mod balance;
pub mod listener;
pub mod stream;
pub mod tcp;
