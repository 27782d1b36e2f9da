//! [`BackendStatus`]: one back end over the network at the moment in which a page is made.

use super::stretch::Capability;
use super::{Collected, OperationRecord};
use airside_capabilities::backend::BackendCounts;
use std::sync::Arc;

/// What is known of a back end, all shards together.
#[derive(Debug, Clone)]
pub struct BackendStatus {
    /// What it is behind.
    pub capability: Capability,
    /// Such as `redis`.
    pub name: &'static str,
    /// Where it is, for people.
    pub target: Arc<str>,
    /// None if that cannot be said: HTTP servers are many.
    pub up: Option<bool>,
    pub counts: BackendCounts,
}

impl Collected {
    /// All host calls of a capability together.
    pub fn capability(&self, capability: Capability) -> OperationRecord {
        let mut sum = OperationRecord::default();
        for (index, label) in self.labels().operations.iter().enumerate() {
            if Capability::of_operation(label) == Some(capability) {
                sum.add(&self.operation(index));
            }
        }
        sum
    }
}
