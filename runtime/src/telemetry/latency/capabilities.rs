//! The latency page by capability: what answers host calls, each with its back end if it has one.

use super::Format;
use crate::telemetry::record::OperationRecord;
use crate::telemetry::{BackendStatus, Collected};

/// What the page shows, before it has a format.
pub(super) struct CapabilityPage<'c> {
    pub(super) collected: &'c Collected,
    pub(super) blocks: Vec<Block<'c>>,
}

/// One capability.
pub(super) struct Block<'c> {
    pub(super) capability: &'static str,
    /// None: it is answered within the process.
    pub(super) backend: Option<&'c BackendStatus>,
    /// All calls, then each operation's that were made.
    pub(super) total: OperationRecord,
    pub(super) operations: Vec<(&'static str, OperationRecord)>,
}

/// The whole page, of all host calls since the start up to the last collection: capabilities that were called and those
/// with a back end.
pub fn render(collected: &Collected, backends: &[BackendStatus], format: Format) -> String {
    let page = CapabilityPage::read(collected, backends);
    match format {
        Format::Text => super::text::render_capabilities(&page),
        Format::Json => super::json::render_capabilities(&page),
    }
}

impl<'c> CapabilityPage<'c> {
    fn read(collected: &'c Collected, backends: &'c [BackendStatus]) -> CapabilityPage<'c> {
        let block = |capability: &'static str| Block {
            capability,
            backend: backends.iter().find(|backend| backend.capability == capability),
            total: collected.capability(capability),
            operations: collected
                .operations_of(capability)
                .filter(|(_, record)| record.calls().count() > 0)
                .collect(),
        };
        let blocks = collected.capabilities().into_iter().map(block);
        let shown = |block: &Block<'_>| block.backend.is_some() || !block.operations.is_empty();
        CapabilityPage { collected, blocks: blocks.filter(shown).collect() }
    }
}
