//! The page by capability as text: a block for each.

use super::{Table, latency_cells, latency_columns, once, window};
use crate::telemetry::BackendStatus;
use crate::telemetry::latency::capabilities::{Block, CapabilityPage};
use crate::telemetry::record::OperationRecord;
use airside_capabilities::backend::FailureKind;
use std::fmt::Write;

pub(in crate::telemetry::latency) fn render(page: &CapabilityPage<'_>) -> String {
    let mut text = window(page.collected);
    text.push_str("host calls  failed ones included\n");
    for block in &page.blocks {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "\n{}", title(block));
        if let Some(backend) = block.backend {
            let _ = writeln!(text, "{}", counts(backend));
        }
        calls(page, block).write(&mut text);
    }
    text
}

fn title(block: &Block<'_>) -> String {
    let capability = block.capability;
    let Some(BackendStatus { name, target, up, .. }) = block.backend else {
        return capability.to_owned();
    };
    let state = match up {
        Some(true) => ", up",
        Some(false) => ", down",
        None => "",
    };
    format!("{capability}: {name} at {target}{state}")
}

fn counts(backend: &BackendStatus) -> String {
    let counts = &backend.counts;
    let failures =
        FailureKind::ALL.map(|kind| format!("{} {}", kind.label(), counts.failures[kind as usize]));
    let (connections, reconnects) = (counts.connections, counts.reconnects);
    let failures = failures.join(", ");
    format!("connections {connections}, reconnects {reconnects}; failures: {failures}")
}

fn calls(page: &CapabilityPage<'_>, block: &Block<'_>) -> Table {
    let columns: Vec<_> = once("errors").chain(latency_columns()).collect();
    let mut table = Table::new(&["operation"], &columns);
    let all = once(("(all)", &block.total));
    let each = block.operations.iter().map(|(name, record)| (*name, record));
    for (name, record) in all.chain(each) {
        table.rows.extend(row(page, name, record));
    }
    table
}

fn row(page: &CapabilityPage<'_>, name: &str, record: &OperationRecord) -> Option<Vec<String>> {
    let bins = record.calls().get()?;
    let mut row = vec![name.to_owned(), record.errors().to_string()];
    row.extend(latency_cells(page.collected, bins));
    Some(row)
}
