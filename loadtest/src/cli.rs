//! The command line: one subcommand per scenario, `compare` when none is given, and hidden
//! ones that loadtest starts itself with.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::diff;
use crate::machine::{Stage, StageOptions};
use crate::peers::{conventional, epoll, hyper, plain};
use crate::plot;
use crate::process;
use crate::report::Report;
use crate::scenarios::{Scenario, compare};

#[derive(Parser)]
#[command(version, about, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    compare: compare::Options,
    #[command(flatten)]
    stage: StageOptions,
    /// Also write every sample to this file.
    #[arg(long, value_name = "FILE", global = true)]
    json: Option<PathBuf>,
    /// Also draw what there is to draw, as SVG files in this folder.
    #[arg(long, value_name = "DIR", global = true)]
    plot: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Scenario(Scenario),
    /// Two runs of a scenario, of two builds: what differs, and whether chance explains it.
    Diff(diff::Options),
    #[command(hide = true)]
    ServeHyper(hyper::Options),
    #[command(hide = true)]
    ServeEpoll(epoll::Options),
    #[command(hide = true)]
    ServeConventional(conventional::Options),
    #[command(hide = true)]
    ServePlain(plain::Options),
    #[command(hide = true)]
    Launch(process::LaunchOptions),
}

pub fn run() -> Result<ExitCode> {
    let cli = Cli::parse();
    let scenario = match cli.command {
        None => Scenario::Compare(cli.compare),
        Some(Command::Scenario(scenario)) => scenario,
        Some(Command::Diff(options)) => return diff::run(&options),
        Some(Command::ServeHyper(options)) => return hyper::serve(&options),
        Some(Command::ServeEpoll(options)) => return epoll::serve(&options),
        Some(Command::ServeConventional(options)) => return conventional::serve(&options),
        Some(Command::ServePlain(options)) => return plain::serve(&options),
        Some(Command::Launch(options)) => return process::launch(&options),
    };
    let stage = Stage::prepare(&cli.stage, scenario.needs_airside())?;
    let report = scenario.run(&stage)?;
    show(&stage, &report);
    if let Some(path) = cli.json {
        let text = serde_json::to_string_pretty(&report.to_json(&stage))?;
        std::fs::write(&path, text + "\n").with_context(|| format!("write {}", path.display()))?;
    }
    if let Some(folder) = cli.plot {
        for path in plot::write_all(&folder, report.scenario, &report.plots)? {
            println!("drawn: {}", path.display());
        }
    }
    Ok(if report.all_met() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn show(stage: &Stage, report: &Report) {
    println!("\n{stage}\n\n{report}");
}
