//! [`BackendStatus`]: one back end over the network at the moment in which a page is made.

use super::{Collected, OperationRecord};
use airside_capabilities::backend::BackendCounts;
use std::sync::Arc;

/// What is known of a back end, all shards together.
#[derive(Debug, Clone)]
pub struct BackendStatus {
    /// The part of a host call's label before the colon: `kvstore`.
    pub capability: &'static str,
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
    pub fn capability(&self, capability: &str) -> OperationRecord {
        let mut sum = OperationRecord::default();
        self.operations_of(capability).for_each(|(_, record)| sum.add(&record));
        sum
    }

    /// The host calls of a capability, each with its name after the colon.
    pub fn operations_of(
        &self,
        capability: &str,
    ) -> impl Iterator<Item = (&'static str, OperationRecord)> {
        let labels = self.labels().operations.iter().enumerate();
        labels.filter_map(move |(index, label)| {
            let (of, operation) = label.split_once(':').unwrap_or((label, label));
            (of == capability).then(|| (operation, self.operation(index)))
        })
    }

    /// The capabilities, in the order in which their operations are numbered first.
    pub fn capabilities(&self) -> Vec<&'static str> {
        let mut names: Vec<&'static str> = Vec::new();
        for label in self.labels().operations {
            let name = label.split_once(':').map_or(*label, |(name, _)| name);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }
}
