//! The back ends as the control thread sees them: whether they are up, and what the shards counted of them.

use std::sync::Arc;

use airside_capabilities::backend::{Backend, BackendCounts, BackendError};
use futures_util::future::{pending, select_all};

use crate::telemetry::{BackendStatus, Capability};

/// A back end and the capability that stands on it.
#[derive(Debug, Clone)]
pub struct Dependency {
    pub capability: Capability,
    pub backend: Arc<Backend>,
}

/// All back ends, with the last counts of each shard.
#[derive(Debug)]
pub struct BackendWatch {
    dependencies: Vec<Dependency>,
    shards: Vec<Vec<BackendCounts>>,
}

impl BackendWatch {
    /// Nothing is counted yet.
    pub fn new(dependencies: Vec<Dependency>, shards: usize) -> BackendWatch {
        let none = vec![BackendCounts::default(); dependencies.len()];
        BackendWatch { dependencies, shards: vec![none; shards] }
    }

    /// Takes a shard's counts, all since the start and in the order of the dependencies.
    pub(super) fn count(&mut self, shard: usize, counts: Vec<BackendCounts>) {
        self.shards[shard] = counts;
    }

    /// Those that are down, each with the reason.
    pub(super) fn failing(&self) -> impl Iterator<Item = BackendError> {
        self.dependencies.iter().filter_map(|dependency| dependency.backend.health().err())
    }

    pub(super) fn statuses(&self) -> Vec<BackendStatus> {
        let status = |(index, dependency): (usize, &Dependency)| BackendStatus {
            capability: dependency.capability,
            name: dependency.backend.name(),
            target: Arc::clone(dependency.backend.target()),
            up: dependency.backend.is_up(),
            counts: self.shards.iter().filter_map(|shard| shard.get(index)).copied().sum(),
        };
        self.dependencies.iter().enumerate().map(status).collect()
    }

    /// Waits until one is given up that was never reached.
    pub(super) fn given_up(&self) -> impl Future<Output = BackendError> + use<> {
        let backends: Vec<_> =
            self.dependencies.iter().map(|dependency| Arc::clone(&dependency.backend)).collect();
        async move {
            if backends.is_empty() {
                return pending().await;
            }
            let waits = backends.iter().map(|backend| Box::pin(backend.given_up()));
            select_all(waits).await.0
        }
    }
}
