//! The scenarios. One is a file in `scenarios/` with `Options` and `run`, and a line in each
//! place below.

mod builds;
mod calls;
pub mod compare;
mod echo;
mod faults;
mod fresh;
mod functions;
mod idle;
mod kill;
mod outages;
mod scrape;
mod shards;
mod soak;
mod spread;
mod start;
mod sweep;

use anyhow::Result;

use crate::machine::Stage;
use crate::peers::Peer;
use crate::report::Report;

#[derive(clap::Subcommand)]
pub enum Scenario {
    /// airside beside nginx, hyper, a bare epoll loop and the conventional design: what a request costs.
    Compare(compare::Options),
    /// Two builds of airside beside each other: what differs, and whether chance explains it.
    Builds(builds::Options),
    /// What a host call costs, beside a plain server that makes the same call.
    Calls(calls::Options),
    /// Bodies of some size, there and back, beside nginx that sends files.
    Echo(echo::Options),
    /// The memory of thousands of connections that do nothing.
    Idle(idle::Options),
    /// A fresh instance for each call beside a reused one, on one shard and on two.
    Fresh(fresh::Options),
    /// Two shards of one process beside two processes of one shard: what shards cost each other.
    Shards(shards::Options),
    /// From exec to the first answer, the demo and a thousand functions, and the memory of those.
    Start(start::Options),
    /// A few long connections on two shards: how evenly they and their requests are spread, beside nginx.
    Spread(spread::Options),
    /// Functions that do something: the store in memory, five host calls, JSON.
    Functions(functions::Options),
    /// An open loop at rising rates, to beyond what airside and nginx can do.
    Sweep(sweep::Options),
    /// A steady load while somebody reads the admin pages ten times a second.
    Scrape(scrape::Options),
    /// A healthy function beside bad ones.
    Faults(faults::Options),
    /// Back ends that fail under load: what callers and neighbours feel.
    Outages(outages::Options),
    /// Millions of requests: errors, memory, counts.
    Soak(soak::Options),
    /// kill -9 under a load of sets: is every answered set there again?
    Kill(kill::Options),
}

impl Scenario {
    pub fn needs_airside(&self) -> bool {
        match self {
            Scenario::Compare(options) => options.peers.contains(&Peer::Airside),
            Scenario::Idle(options) => options.peers.contains(&Peer::Airside),
            Scenario::Builds(_) => false,
            Scenario::Calls(_)
            | Scenario::Echo(_)
            | Scenario::Fresh(_)
            | Scenario::Shards(_)
            | Scenario::Scrape(_)
            | Scenario::Start(_)
            | Scenario::Spread(_)
            | Scenario::Functions(_)
            | Scenario::Sweep(_)
            | Scenario::Faults(_)
            | Scenario::Outages(_)
            | Scenario::Soak(_)
            | Scenario::Kill(_) => true,
        }
    }

    pub fn run(&self, stage: &Stage) -> Result<Report> {
        match self {
            Scenario::Compare(options) => compare::run(stage, options),
            Scenario::Builds(options) => builds::run(stage, options),
            Scenario::Calls(options) => calls::run(stage, options),
            Scenario::Echo(options) => echo::run(stage, options),
            Scenario::Idle(options) => idle::run(stage, options),
            Scenario::Fresh(options) => fresh::run(stage, options),
            Scenario::Shards(options) => shards::run(stage, options),
            Scenario::Scrape(options) => scrape::run(stage, options),
            Scenario::Start(options) => start::run(stage, options),
            Scenario::Spread(options) => spread::run(stage, options),
            Scenario::Functions(options) => functions::run(stage, options),
            Scenario::Sweep(options) => sweep::run(stage, options),
            Scenario::Faults(options) => faults::run(stage, options),
            Scenario::Outages(options) => outages::run(stage, options),
            Scenario::Soak(options) => soak::run(stage, options),
            Scenario::Kill(options) => kill::run(stage, options),
        }
    }
}
