//! Runs oha, which sends an exact number of requests, in a closed loop or at a rate, and reports
//! every status, and reads its JSON.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

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
    /// `None` when nothing was answered.
    pub latency: Option<Latency>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Latency {
    pub p50_us: f64,
    pub p99_us: f64,
}

/// An open loop: requests are due at a rate, whatever became of those before, and each one's
/// latency begins when it was due.
#[derive(Clone, Copy, Debug)]
pub struct OpenLoop {
    pub connections: u32,
    pub requests_per_s: u64,
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

    /// Sends `count` requests as fast as they are answered.
    pub fn run(&self, stage: &Stage, url: &str, connections: u32, count: u64) -> Result<Outcome> {
        self.finish(stage, url, connections, count, &[])
    }

    /// Sends what is due within the time, and waits for every answer.
    pub fn run_open(
        &self,
        stage: &Stage,
        url: &str,
        load: OpenLoop,
        time: Duration,
    ) -> Result<Outcome> {
        let rate = load.requests_per_s;
        let count = rate * time.as_secs().max(1);
        let options = ["-q", &rate.to_string(), "--latency-correction"];
        self.finish(stage, url, load.connections, count, &options)
    }

    fn finish(
        &self,
        stage: &Stage,
        url: &str,
        connections: u32,
        count: u64,
        options: &[&str],
    ) -> Result<Outcome> {
        let mut command = Command::new("oha");
        command
            .args(["--no-tui", "-n", &count.to_string(), "-c", &connections.to_string()])
            .args(options)
            .args(self.format)
            .arg(url);
        let (stdout, stderr) = (Stdio::piped(), Stdio::piped());
        let process =
            Process::start(&command, &[stage.load_cpu], DeathSignal::Kill, stdout, stderr)?;
        let (status, stdout, stderr) = process.finish()?;
        ensure!(status.success(), "oha failed: {}{}", stdout.trim(), stderr.trim());
        parse(&stdout).with_context(|| format!("oha printed something unexpected:\n{stdout}"))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonReport {
    summary: Summary,
    latency_percentiles: Percentiles,
    status_code_distribution: BTreeMap<u16, u64>,
    error_distribution: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Summary {
    /// Seconds.
    total: f64,
}

/// Seconds; `None` when nothing was answered.
#[derive(Deserialize)]
struct Percentiles {
    p50: Option<f64>,
    p99: Option<f64>,
}

impl Percentiles {
    fn latency(&self) -> Option<Latency> {
        Some(Latency { p50_us: self.p50? * 1e6, p99_us: self.p99? * 1e6 })
    }
}

fn parse(report: &str) -> Result<Outcome> {
    let report: JsonReport = serde_json::from_str(report)?;
    let statuses = &report.status_code_distribution;
    let bad: u64 = statuses.range(400..).map(|(_, count)| count).sum();
    Ok(Outcome {
        answered: statuses.values().sum::<u64>() - bad,
        errors: bad + report.error_distribution.values().sum::<u64>(),
        seconds: report.summary.total,
        latency: report.latency_percentiles.latency(),
    })
}

#[cfg(test)]
mod tests {
    use super::{Latency, Outcome, parse};

    #[track_caller]
    fn check(percentiles: &str, statuses: &str, errors: &str, want: Outcome) {
        let report = format!(
            r#"{{"summary": {{"successRate": 1.0, "total": 2.5, "requestsPerSec": 400.0}},
                "latencyPercentiles": {percentiles},
                "statusCodeDistribution": {statuses}, "errorDistribution": {errors}}}"#
        );
        assert_eq!(parse(&report).unwrap(), want);
    }

    #[test]
    fn reports() {
        let latency = Some(Latency { p50_us: 1000.0, p99_us: 250.0 });
        check(
            r#"{"p50": 0.001, "p95": 0.1, "p99": 0.00025}"#,
            r#"{"200": 990, "503": 4, "504": 3}"#,
            r#"{"connection closed before message completed": 2, "timeout": 1}"#,
            Outcome { answered: 990, errors: 10, seconds: 2.5, latency },
        );
        check(
            r#"{"p50": null, "p99": null}"#,
            "{}",
            r#"{"Connection refused": 7}"#,
            Outcome { answered: 0, errors: 7, seconds: 2.5, latency: None },
        );
        assert!(parse("{}").is_err());
    }
}
