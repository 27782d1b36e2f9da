//! The servers that are compared. A peer is a file in `peers/` that starts one, and a line in
//! each `match` below.

pub mod airside;
pub mod conventional;
pub mod epoll;
pub mod hyper;
pub mod nginx;
pub mod plain;
mod wasmtime;
mod workerd;

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use tempfile::TempDir;

use crate::client;
use crate::latency_page;
use crate::machine::Stage;
use crate::proc;
use crate::process::{DeathSignal, Process};

/// What every peer answers, with this type, and headers Server, Date and Content-Length.
pub const BODY: &str = "Hello, World!";
pub const CONTENT_TYPE: &str = "text/plain; charset=utf-8";

/// The first start of airside compiles its guests.
const START_TIME_MAX: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// Lines of a server's log that go into the error when it does not start.
const LOG_LINES_SHOWN: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Peer {
    Nginx,
    /// On tokio's current_thread runtime.
    Hyper,
    /// On tokio's multi-threaded runtime.
    HyperThreads,
    /// A bare epoll loop.
    Epoll,
    /// The same guest in a pool of waPC hosts, behind hyper on many threads.
    Conventional,
    /// `wasmtime serve`, with a component.
    Wasmtime,
    /// With JavaScript.
    Workerd,
    Airside,
}

impl Peer {
    pub fn name(self) -> &'static str {
        match self {
            Peer::Nginx => "nginx",
            Peer::Hyper => "hyper",
            Peer::HyperThreads => "hyper-threads",
            Peer::Epoll => "epoll",
            Peer::Conventional => "conventional",
            Peer::Wasmtime => "wasmtime",
            Peer::Workerd => "workerd",
            Peer::Airside => "airside",
        }
    }

    /// Starts it with an answer of `BODY` and checks that it gives that answer.
    pub fn start(self, stage: &Stage) -> Result<Server> {
        let server = match self {
            Peer::Nginx => nginx::start(stage)?,
            Peer::Hyper => hyper::start(stage)?,
            Peer::HyperThreads => hyper::start_threads(stage)?,
            Peer::Epoll => epoll::start(stage)?,
            Peer::Conventional => conventional::start(stage)?,
            Peer::Wasmtime => wasmtime::start(stage)?,
            Peer::Workerd => workerd::start(stage)?,
            Peer::Airside => airside::start_hello(stage)?,
        };
        let response = client::get(server.address, &server.target)?;
        ensure!(
            response.status == 200 && response.body == BODY.as_bytes(),
            "{} answers {} {:?} and not 200 {BODY:?}",
            server.name,
            response.status,
            String::from_utf8_lossy(&response.body)
        );
        Ok(server)
    }
}

/// Servers that run, and a line for each that is not here and why.
pub struct Started {
    pub servers: Vec<(Peer, Server)>,
    pub skipped: Vec<String>,
}

/// Starts all that can be had here; only airside must be among them if it is asked for.
pub fn start_all(stage: &Stage, peers: &[Peer]) -> Result<Started> {
    let mut started = Started { servers: Vec::new(), skipped: Vec::new() };
    for &peer in peers {
        match peer.start(stage) {
            Ok(server) => started.servers.push((peer, server)),
            Err(error) if peer == Peer::Airside => return Err(error),
            Err(error) => {
                let reason = format!("skipped {}: {error:#}", peer.name());
                eprintln!("{reason}");
                started.skipped.push(reason);
            }
        }
    }
    Ok(started)
}

/// A server that runs on its cores; dropping it ends it.
pub struct Server {
    pub name: &'static str,
    pub address: SocketAddr,
    /// What a request under measurement asks for.
    pub target: String,
    process: Process,
    /// After `process`: the folder must outlive its user.
    _folder: TempDir,
    sheds: bool,
}

impl Server {
    /// Starts `command`, whose files are in `folder`, and waits until `target` is answered with
    /// 200.
    fn start(plan: Plan) -> Result<Server> {
        let log = plan.folder.path().join("server.log");
        let output = File::create(&log)?;
        let process = Process::start(
            &plan.command,
            &plan.cpus,
            plan.death_signal,
            output.try_clone()?.into(),
            output.into(),
        )?;
        let mut server = Server {
            name: plan.name,
            address: plan.address,
            target: plan.target,
            process,
            _folder: plan.folder,
            sheds: plan.sheds,
        };
        server.wait_ready().with_context(|| {
            format!("{} does not start; its last words:\n{}", server.name, last_lines(&log))
        })?;
        Ok(server)
    }

    fn wait_ready(&mut self) -> Result<()> {
        let wait = Wait { time_max: START_TIME_MAX, pause: POLL_INTERVAL };
        wait.for_answer(&mut self.process, self.address, &self.target)?;
        Ok(())
    }

    pub fn url(&self) -> String {
        self.url_of(&self.target)
    }

    pub fn url_of(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    pub fn cpu_time(&self) -> Result<Duration> {
        proc::cpu_time(self.process.id())
    }

    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Requests for `target` that the server has refused because it was full, by its own count; 0
    /// for peers that do not do that.
    pub fn shed(&self) -> Result<u64> {
        if self.sheds { Ok(latency_page::read(self.address)?.shed(&self.target)) } else { Ok(0) }
    }

    /// kill -9.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}

/// How long, and how closely, a start is watched.
pub struct Wait {
    pub time_max: Duration,
    /// Between two looks.
    pub pause: Duration,
}

impl Wait {
    /// Returns when `target` is answered with 200, with the moment at which it was.
    pub fn for_answer(
        &self,
        process: &mut Process,
        address: SocketAddr,
        target: &str,
    ) -> Result<Instant> {
        let deadline = Instant::now() + self.time_max;
        loop {
            if let Some(status) = process.ended()? {
                bail!("it ended with {status}");
            }
            match client::get(address, target) {
                Ok(response) if response.status == 200 => return Ok(Instant::now()),
                Ok(response) if Instant::now() > deadline => {
                    bail!("{target} answers {}", response.status)
                }
                Err(error) if Instant::now() > deadline => return Err(error),
                _ => std::thread::sleep(self.pause),
            }
        }
    }
}

/// How to start a server.
struct Plan {
    name: &'static str,
    command: Command,
    cpus: Vec<usize>,
    address: SocketAddr,
    target: String,
    folder: TempDir,
    death_signal: DeathSignal,
    sheds: bool,
}

/// An address on which nothing listens at this moment. Another process could take the port
/// before the server does: then the server does not start, and says so.
pub fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free port")?;
    Ok(listener.local_addr()?)
}

pub fn temporary_folder() -> Result<TempDir> {
    tempfile::Builder::new().prefix("loadtest-").tempdir().context("make a temporary folder")
}

pub fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
}
