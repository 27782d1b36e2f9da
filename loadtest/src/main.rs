//! `cargo run --release -p loadtest`: what airside costs beside its peers, and what it stands.
//!
//! - `loadtest` or `loadtest compare`: airside and its peers answer the same body in turn.
//! - `loadtest builds A B`: two builds of airside, and whether chance explains what differs.
//! - `loadtest sweep`: an open loop at rising rates, airside beside nginx, with airside's own histogram beside the client's.
//! - `loadtest functions`: functions that do something beside the trivial one.
//! - `loadtest shards`: two shards of one process beside two processes.
//! - `loadtest scrape`: what clients feel of scrapes ten times a second.
//! - `loadtest calls`: host calls on real stores, databases and servers beside plain servers that make the same calls.
//! - `loadtest faults`: a healthy function beside an endless loop, a trap, endless growth.
//! - `loadtest outages`: back ends that are killed, frozen, reset and slow under load.
//! - `loadtest start`: from exec to the first answer, the demo and a thousand functions, and the memory of those.
//! - `loadtest spread`: a few long connections on two shards, and how evenly they are spread, beside nginx.
//! - `loadtest soak`: ten million requests; errors, memory, and whether the counts agree.
//! - `loadtest kill`: kill -9 under a load of sets; is every answered set there again?
//!
//! Every server runs on one core and every load on another, one table comes out, then the bars:
//! what this project promises, what was measured, met or not. The exit code is 0 when all are
//! met, 1 when one is missed, 2 when nothing could be measured. `--json FILE` keeps every sample, `--plot DIR` draws, and
//! `loadtest diff A.json B.json` says what of two runs differs, and whether chance explains it.
//! The head of each file in `scenarios/` says how to read its table.

mod callers;
mod calls;
mod cli;
mod client;
mod diff;
mod guests;
mod kv_messages;
mod latency_page;
mod machine;
mod measure;
mod oha;
mod open_loop;
mod peers;
mod plot;
mod proc;
mod process;
mod report;
mod rounds;
mod rows;
mod scenarios;
mod significance;
mod spectrum;
mod table;
mod versions;
mod wrk;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run().unwrap_or_else(|error| {
        eprintln!("loadtest: {error:#}");
        ExitCode::from(2)
    })
}
