//! The stage on which everything runs: which core serves, which one makes the load, and the
//! airside binary.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use rustix::thread::CpuSet;
use serde_json::{Value, json};

use crate::process;

#[derive(clap::Args)]
pub struct StageOptions {
    /// CPU of every server [default: the first that this process may use].
    #[arg(long, value_name = "N", global = true)]
    server_cpu: Option<usize>,
    /// CPU of every load generator [default: the next one, on another physical core if possible].
    #[arg(long, value_name = "N", global = true)]
    load_cpu: Option<usize>,
    /// The airside binary [default: the one beside loadtest, built first if cargo started us].
    #[arg(long, value_name = "FILE", global = true)]
    airside: Option<PathBuf>,
}

#[derive(Clone)]
pub struct Stage {
    pub server_cpu: usize,
    pub load_cpu: usize,
    /// All CPUs that this process was given.
    allowed: Vec<usize>,
    airside: Option<PathBuf>,
    /// The two CPUs are hardware threads of one core, so load and server slow each other down.
    shared_core: bool,
}

impl Stage {
    /// Chooses the cores, builds airside when a scenario `needs_airside`, then moves loadtest
    /// itself to the load's core so that it never takes time from a server.
    pub fn prepare(options: &StageOptions, needs_airside: bool) -> Result<Stage> {
        let allowed = rustix::thread::sched_getaffinity(None)?;
        let allowed: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu)).collect();
        let (server_cpu, load_cpu) = choose_cpus(options, &allowed, siblings)?;
        let airside =
            needs_airside.then(|| find_airside(options.airside.as_deref())).transpose()?;
        process::pin_current_thread(&[load_cpu])?;
        let shared_core = siblings(server_cpu).contains(&load_cpu);
        Ok(Stage { server_cpu, load_cpu, allowed, airside, shared_core })
    }

    /// The CPUs of a server with so many threads: the server's, then others, the load's only when no other is left.
    pub fn server_cpus(&self, count: usize) -> Result<Vec<usize>> {
        let others = self.allowed.iter().copied();
        let others = others.filter(|cpu| ![self.server_cpu, self.load_cpu].contains(cpu));
        let all = [self.server_cpu].into_iter().chain(others).chain([self.load_cpu]);
        let cpus: Vec<usize> = all.take(count).collect();
        ensure!(cpus.len() == count, "{count} CPUs are not to be had here");
        Ok(cpus)
    }

    /// The same with another build of airside.
    pub fn with_airside(&self, binary: &Path) -> Result<Stage> {
        let airside = Some(find_airside(Some(binary))?);
        Ok(Stage { airside, ..self.clone() })
    }

    pub fn airside(&self) -> Result<&Path> {
        self.airside.as_deref().context("this scenario was not given an airside binary")
    }

    pub fn to_json(&self) -> Value {
        json!({
            "cpu_model": cpu_model(),
            "kernel": kernel(),
            "server_cpu": self.server_cpu,
            "load_cpu": self.load_cpu,
            "shared_core": self.shared_core,
            "optimised_build": !cfg!(debug_assertions),
        })
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stage { server_cpu, load_cpu, .. } = self;
        write!(f, "{}, Linux {}: ", cpu_model(), kernel())?;
        write!(f, "servers on CPU {server_cpu}, load on CPU {load_cpu}")?;
        if self.shared_core {
            write!(f, "\nWARNING: both CPUs are threads of one core, figures suffer")?;
        }
        if cfg!(debug_assertions) {
            write!(f, "\nWARNING: not a release build, the figures mean nothing")?;
        }
        Ok(())
    }
}

fn choose_cpus(
    options: &StageOptions,
    allowed: &[usize],
    siblings: impl Fn(usize) -> Vec<usize>,
) -> Result<(usize, usize)> {
    ensure!(
        allowed.len() >= 2,
        "only one CPU is allowed here: server and load would measure each other; \
         two are needed (see `nproc`, `taskset -p $$`)"
    );
    for cpu in [options.server_cpu, options.load_cpu].into_iter().flatten() {
        ensure!(allowed.contains(&cpu), "CPU {cpu} is not among those allowed here: {allowed:?}");
    }
    let server = match options.server_cpu {
        Some(cpu) => cpu,
        None => *allowed
            .iter()
            .find(|&&cpu| Some(cpu) != options.load_cpu)
            .context("no CPU left for the server")?,
    };
    let others: Vec<usize> = allowed.iter().copied().filter(|&cpu| cpu != server).collect();
    let shared = siblings(server);
    let load = options
        .load_cpu
        .or_else(|| others.iter().copied().find(|cpu| !shared.contains(cpu)))
        .unwrap_or(others[0]);
    ensure!(server != load, "server and load need a CPU each, both are {server}");
    Ok((server, load))
}

/// The CPUs that are hardware threads of the same core as `cpu`; empty when unknown.
fn siblings(cpu: usize) -> Vec<usize> {
    let path = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
    std::fs::read_to_string(path).map(|list| parse_cpu_list(list.trim())).unwrap_or_default()
}

/// The kernel's list form, `0-3,8`; parts that are not of that form are left out.
fn parse_cpu_list(list: &str) -> Vec<usize> {
    let range = |part: &str| -> Option<std::ops::RangeInclusive<usize>> {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    list.split(',').filter_map(range).flatten().collect()
}

/// The given binary, or the one in loadtest's own folder, which cargo brings up to date first:
/// `cargo run -p loadtest` alone would build and measure an old one, or none.
fn find_airside(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = given {
        ensure!(path.is_file(), "{} is not a file", path.display());
        return Ok(path.to_owned());
    }
    let own = std::env::current_exe()?;
    let folder = own.parent().context("loadtest's own folder")?;
    if let Some(cargo) = std::env::var_os("CARGO") {
        let profile = folder.file_name().and_then(|name| name.to_str()).unwrap_or("release");
        let profile = if profile == "debug" { "dev" } else { profile };
        eprintln!("building airside (profile {profile})");
        let manifest = std::env::var("CARGO_MANIFEST_DIR")? + "/Cargo.toml";
        let status = Command::new(cargo)
            .args(["build", "--profile", profile, "--package", "airside"])
            .args(["--manifest-path", &manifest])
            .status()
            .context("start cargo")?;
        ensure!(status.success(), "airside does not build");
    }
    let airside = folder.join("airside");
    if !airside.is_file() {
        bail!(
            "no airside at {}: run `cargo build --release -p airside`, or give --airside FILE",
            airside.display()
        );
    }
    Ok(airside)
}

/// Fails with how to `install` it when `tool` is not on the PATH.
pub fn require_tool(tool: &str, install: &str) -> Result<()> {
    ensure!(has_tool(tool), "{tool} is not on the PATH: run `{install}`");
    Ok(())
}

pub fn has_tool(tool: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}

fn cpu_model() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map_or_else(|| "unknown CPU".to_owned(), |(_, name)| name.trim().to_owned())
}

fn kernel() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{StageOptions, choose_cpus, parse_cpu_list};

    #[track_caller]
    fn check(server: Option<usize>, load: Option<usize>, allowed: &[usize], want: (usize, usize)) {
        let options = StageOptions { server_cpu: server, load_cpu: load, airside: None };
        // CPUs 0 and 1, 2 and 3, ... are threads of one core.
        let siblings = |cpu: usize| vec![cpu & !1, cpu | 1];
        assert_eq!(choose_cpus(&options, allowed, siblings).unwrap(), want);
    }

    #[test]
    fn load_gets_another_physical_core() {
        check(None, None, &[0, 1, 2, 3], (0, 2));
        check(None, None, &[0, 1], (0, 1));
        check(None, None, &[5, 7], (5, 7));
        check(Some(2), None, &[0, 1, 2, 3], (2, 0));
        check(None, Some(0), &[0, 1, 2], (1, 0));
        check(Some(1), Some(0), &[0, 1], (1, 0));
    }

    #[test]
    fn impossible_choices_are_refused() {
        for (server, load, allowed) in
            [(None, None, &[0][..]), (Some(9), None, &[0, 1][..]), (Some(1), Some(1), &[0, 1][..])]
        {
            let options = StageOptions { server_cpu: server, load_cpu: load, airside: None };
            assert!(choose_cpus(&options, allowed, |_| Vec::new()).is_err());
        }
    }

    #[test]
    fn cpu_lists() {
        assert_eq!(parse_cpu_list("0-2,8"), [0, 1, 2, 8]);
        assert_eq!(parse_cpu_list("4"), [4]);
        assert!(parse_cpu_list("").is_empty());
    }
}
