//! The page by capability as JSON.

use super::{Latency, Window, latency, written};
use crate::telemetry::BackendStatus;
use crate::telemetry::latency::capabilities::{Block, CapabilityPage};
use crate::telemetry::record::OperationRecord;
use airside_capabilities::backend::FailureKind;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Document<'p> {
    #[serde(flatten)]
    window: Window,
    capabilities: Vec<Capability<'p>>,
}

#[derive(Serialize)]
struct Capability<'p> {
    capability: &'static str,
    backend: Option<Backend<'p>>,
    /// All operations together; none if there was no call.
    calls: Option<Calls>,
    operations: BTreeMap<&'static str, Option<Calls>>,
}

#[derive(Serialize)]
struct Backend<'p> {
    name: &'static str,
    target: &'p str,
    up: Option<bool>,
    connections: u64,
    reconnects: u64,
    failures: BTreeMap<&'static str, u64>,
}

#[derive(Serialize)]
struct Calls {
    errors: u64,
    #[serde(flatten)]
    latency: Latency,
}

pub(in crate::telemetry::latency) fn render(page: &CapabilityPage<'_>) -> String {
    let capabilities = page.blocks.iter().map(|block| capability(page, block)).collect();
    written(&Document { window: Window::of(page.collected), capabilities })
}

fn capability<'p>(page: &CapabilityPage<'_>, block: &Block<'p>) -> Capability<'p> {
    let calls = |record: &OperationRecord| {
        let latency = latency(page.collected, record.calls().get()?);
        Some(Calls { errors: record.errors(), latency })
    };
    Capability {
        capability: block.capability,
        backend: block.backend.map(backend),
        calls: calls(&block.total),
        operations: block.operations.iter().map(|(name, record)| (*name, calls(record))).collect(),
    }
}

fn backend(status: &BackendStatus) -> Backend<'_> {
    let failures =
        FailureKind::ALL.map(|kind| (kind.label(), status.counts.failures[kind as usize]));
    Backend {
        name: status.name,
        target: &status.target,
        up: status.up,
        connections: status.counts.connections,
        reconnects: status.counts.reconnects,
        failures: BTreeMap::from(failures),
    }
}
