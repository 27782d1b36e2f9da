//! Runs oha, which sends an exact number of requests and reports every status, and reads its
//! JSON.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::machine::{self, Stage};
use crate::process::{DeathSignal, Process};

#[derive(Debug, PartialEq)]
pub struct Outcome {
    /// Answers with a status below 400.
    pub answered: u64,
    /// All other statuses, and requests that got no answer.
    pub errors: u64,
    pub seconds: f64,
}

/// Known only by what it takes to read its report: versions before 1.5 print JSON for `-j`, later
/// ones for `--output-format json`.
pub struct Oha {
    format: &'static [&'static str],
}

impl Oha {
    /// `None` when oha is not on the PATH.
    pub fn find() -> Result<Option<Oha>> {
        if !machine::has_tool("oha") {
            return Ok(None);
        }
        let help = Command::new("oha").arg("--help").output().context("start oha")?;
        let new = String::from_utf8_lossy(&help.stdout).contains("--output-format");
        let format: &[&str] = if new { &["--output-format", "json"] } else { &["--json"] };
        Ok(Some(Oha { format }))
    }

    pub fn run(&self, stage: &Stage, url: &str, connections: u32, count: u64) -> Result<Outcome> {
        let mut command = Command::new("oha");
        command
            .args(["--no-tui", "-n", &count.to_string(), "-c", &connections.to_string()])
            .args(self.format)
            .arg(url);
        let (stdout, stderr) = (Stdio::piped(), Stdio::piped());
        let process = Process::start(&command, stage.load_cpu, DeathSignal::Kill, stdout, stderr)?;
        let (status, stdout, stderr) = process.finish()?;
        ensure!(status.success(), "oha failed: {}{}", stdout.trim(), stderr.trim());
        parse(&stdout).with_context(|| format!("oha printed something unexpected:\n{stdout}"))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonReport {
    summary: Summary,
    status_code_distribution: BTreeMap<u16, u64>,
    error_distribution: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Summary {
    /// Seconds.
    total: f64,
}

fn parse(report: &str) -> Result<Outcome> {
    let report: JsonReport = serde_json::from_str(report)?;
    let statuses = &report.status_code_distribution;
    let bad: u64 = statuses.range(400..).map(|(_, count)| count).sum();
    Ok(Outcome {
        answered: statuses.values().sum::<u64>() - bad,
        errors: bad + report.error_distribution.values().sum::<u64>(),
        seconds: report.summary.total,
    })
}

#[cfg(test)]
mod tests {
    use super::{Outcome, parse};

    #[test]
    fn reports() {
        let report = r#"{
            "summary": {"successRate": 1.0, "total": 2.5, "requestsPerSec": 400.0},
            "latencyPercentiles": {"p50": 0.001},
            "statusCodeDistribution": {"200": 990, "503": 4, "504": 3},
            "errorDistribution": {"connection closed before message completed": 2, "timeout": 1}
        }"#;
        assert_eq!(parse(report).unwrap(), Outcome { answered: 990, errors: 10, seconds: 2.5 });
        assert!(parse("{}").is_err());
    }
}
