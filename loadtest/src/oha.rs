//! Runs oha, which sends an exact number of requests, in a closed loop or at a rate, and reports
//! every status, and reads its JSON.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::machine::{self, Stage};
use crate::process::{DeathSignal, Process};
use crate::spectrum::Spectrum;

#[derive(Debug, PartialEq)]
pub struct Outcome {
    /// Answers with a status below 400.
    pub answered: u64,
    /// All other statuses, and requests that got no answer.
    pub errors: u64,
    pub seconds: f64,
    /// Empty when nothing was answered.
    pub spectrum: Spectrum,
    /// Of oha itself.
    pub cpu_time: Duration,
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
        let ended = process.finish()?;
        let (stdout, stderr) = (ended.stdout, ended.stderr);
        ensure!(ended.status.success(), "oha failed: {}{}", stdout.trim(), stderr.trim());
        let outcome = parse(&stdout)
            .with_context(|| format!("oha printed something unexpected:\n{stdout}"))?;
        Ok(Outcome { cpu_time: ended.cpu_time, ..outcome })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonReport {
    summary: Summary,
    /// Seconds by name, as `p99.9`; null when nothing was answered.
    latency_percentiles: BTreeMap<String, Option<f64>>,
    status_code_distribution: BTreeMap<u16, u64>,
    error_distribution: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct Summary {
    /// Seconds.
    total: f64,
}

/// Microseconds.
fn spectrum(percentiles: &BTreeMap<String, Option<f64>>) -> Spectrum {
    let point = |(name, seconds): (&String, &Option<f64>)| {
        let percentile = name.strip_prefix('p')?.parse().ok()?;
        Some((percentile, (*seconds)? * 1e6))
    };
    Spectrum::new(percentiles.iter().filter_map(point))
}

fn parse(report: &str) -> Result<Outcome> {
    let report: JsonReport = serde_json::from_str(report)?;
    let statuses = &report.status_code_distribution;
    let bad: u64 = statuses.range(400..).map(|(_, count)| count).sum();
    Ok(Outcome {
        answered: statuses.values().sum::<u64>() - bad,
        errors: bad + report.error_distribution.values().sum::<u64>(),
        seconds: report.summary.total,
        spectrum: spectrum(&report.latency_percentiles),
        cpu_time: Duration::ZERO,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Outcome, parse};
    use crate::spectrum::Spectrum;

    #[track_caller]
    fn check(percentiles: &str, statuses: &str, errors: &str, want: (u64, u64, Spectrum)) {
        let report = format!(
            r#"{{"summary": {{"successRate": 1.0, "total": 2.5, "requestsPerSec": 400.0}},
                "latencyPercentiles": {percentiles},
                "statusCodeDistribution": {statuses}, "errorDistribution": {errors}}}"#
        );
        let (answered, errors, spectrum) = want;
        let want = Outcome { answered, errors, seconds: 2.5, spectrum, cpu_time: Duration::ZERO };
        assert_eq!(parse(&report).unwrap(), want);
    }

    #[test]
    fn reports() {
        check(
            r#"{"p50": 0.001, "p99": 0.25, "p99.9": 0.5}"#,
            r#"{"200": 990, "503": 4, "504": 3}"#,
            r#"{"connection closed before message completed": 2, "timeout": 1}"#,
            (990, 10, Spectrum::new([(50.0, 1e3), (99.0, 250e3), (99.9, 500e3)])),
        );
        check(
            r#"{"p50": null, "p99": null}"#,
            "{}",
            r#"{"Connection refused": 7}"#,
            (0, 7, Spectrum::default()),
        );
        assert!(parse("{}").is_err());
    }
}
