//! The scenarios. One is a file in `scenarios/` with `Options` and `run`, and a line in each
//! place below.

pub mod compare;

use anyhow::Result;

use crate::machine::Stage;
use crate::peers::Peer;
use crate::report::Report;

#[derive(clap::Subcommand)]
pub enum Scenario {
    /// airside beside nginx and hyper: what a request costs.
    Compare(compare::Options),
}

impl Scenario {
    pub fn needs_airside(&self) -> bool {
        match self {
            Scenario::Compare(options) => options.peers.contains(&Peer::Airside),
        }
    }

    pub fn run(&self, stage: &Stage) -> Result<Report> {
        match self {
            Scenario::Compare(options) => compare::run(stage, options),
        }
    }
}
