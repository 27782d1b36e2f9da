//! Child processes that are pinned to their cores and cannot outlive loadtest.
//!
//! Between fork and exec only unsafe code could pin the child and tie it to its parent, so each
//! child starts as `loadtest launch`, does both in safe code, and then becomes the real program:
//! same process id, no process in between.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal};
use rustix::thread::CpuSet;

use crate::proc;

/// How long a child that got SIGTERM may live on.
const TERM_TIME_MAX: Duration = Duration::from_secs(2);

/// What the kernel sends the child when loadtest dies without having ended it.
#[derive(Clone, Copy, clap::ValueEnum)]
pub enum DeathSignal {
    Kill,
    /// For a program that has children of its own to end.
    Term,
}

impl From<DeathSignal> for Signal {
    fn from(signal: DeathSignal) -> Signal {
        match signal {
            DeathSignal::Kill => Signal::KILL,
            DeathSignal::Term => Signal::TERM,
        }
    }
}

#[derive(clap::Args)]
pub struct LaunchOptions {
    #[arg(long, value_delimiter = ',')]
    cpus: Vec<usize>,
    #[arg(long)]
    death_signal: DeathSignal,
    /// Process id of the loadtest that started us.
    #[arg(long)]
    parent: i32,
    #[arg(last = true, required = true)]
    program: Vec<OsString>,
}

/// `loadtest launch`: returns only when the program could not be started.
pub fn launch(options: &LaunchOptions) -> Result<ExitCode> {
    rustix::process::set_parent_process_death_signal(Some(options.death_signal.into()))?;
    // The parent may have died before the line above took effect: then no signal would come.
    let parent = Pid::as_raw(rustix::process::getppid());
    ensure!(parent == options.parent, "the loadtest that started this is gone");
    pin_current_thread(&options.cpus)?;
    let (program, arguments) = options.program.split_first().context("no program to launch")?;
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("start {}", program.to_string_lossy()))
}

/// Moves the calling thread, and with it all that it will start, to these cores.
pub fn pin_current_thread(cpus: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    cpus.iter().for_each(|&cpu| set.set(cpu));
    rustix::thread::sched_setaffinity(None, &set).with_context(|| format!("pin to CPUs {cpus:?}"))
}

/// A program that has ended.
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
    /// User and system, from its start to its end.
    pub cpu_time: Duration,
}

/// A running child that leads its own process group; dropping it ends the whole group.
pub struct Process {
    child: Child,
    death_signal: DeathSignal,
}

impl Process {
    /// Starts `command` (program, arguments and environment are taken from it) on `cpus`.
    /// Call this on the main thread: the death signal comes when the *thread* that started the
    /// child ends.
    pub fn start(
        command: &Command,
        cpus: &[usize],
        death_signal: DeathSignal,
        stdout: Stdio,
        stderr: Stdio,
    ) -> Result<Process> {
        let signal = match death_signal {
            DeathSignal::Kill => "kill",
            DeathSignal::Term => "term",
        };
        let cpus = cpus.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let mut launcher = Command::new("/proc/self/exe");
        launcher
            .args(["launch", "--cpus", &cpus, "--death-signal", signal])
            .args(["--parent", &std::process::id().to_string(), "--"])
            .arg(command.get_program())
            .args(command.get_args())
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => launcher.env(name, value),
                None => launcher.env_remove(name),
            };
        }
        let child = launcher
            .spawn()
            .with_context(|| format!("start {}", command.get_program().to_string_lossy()))?;
        Ok(Process { child, death_signal })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until the launcher has become the program, and gives the moment of the last look that still found the
    /// launcher: at most one pause before it.
    pub fn wait_for_exec(&mut self, pause: Duration) -> Result<Instant> {
        let launcher = std::fs::read_link("/proc/self/exe")?;
        let child = format!("/proc/{}/exe", self.id());
        loop {
            let looked = Instant::now();
            // Of a child that has ended, which is found out below, the link cannot be read.
            if std::fs::read_link(&child).is_ok_and(|program| program != launcher) {
                return Ok(looked);
            }
            if let Some(status) = self.ended()? {
                bail!("it ended with {status} before it was started");
            }
            std::thread::sleep(pause);
        }
    }

    /// The exit status, if the child has ended.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for the end. Only for programs that print less than a pipe holds (64 KiB) to standard
    /// error.
    pub fn finish(mut self) -> Result<Finished> {
        let read = |pipe: Option<&mut dyn std::io::Read>| -> Result<String> {
            let mut bytes = Vec::new();
            if let Some(pipe) = pipe {
                pipe.read_to_end(&mut bytes)?;
            }
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        let stdout = read(self.child.stdout.as_mut().map(|pipe| pipe as _))?;
        let stderr = read(self.child.stderr.as_mut().map(|pipe| pipe as _))?;
        // The kernel keeps the figures of a process that has ended until its parent asks.
        let cpu_time = proc::cpu_time(self.child.id())?;
        Ok(Finished { status: self.child.wait()?, stdout, stderr, cpu_time })
    }

    /// kill -9 of the child and all that it started, and waits until it is gone.
    pub fn kill(&mut self) {
        // Errors mean that it is gone already, which is what is wanted.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = rustix::process::kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

/// Gives a child that must end children of its own the time to do so.
impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.death_signal, DeathSignal::Term) && matches!(self.ended(), Ok(None)) {
            let _ = rustix::process::kill_process(Pid::from_child(&self.child), Signal::TERM);
            let deadline = Instant::now() + TERM_TIME_MAX;
            while matches!(self.ended(), Ok(None)) && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        self.kill();
    }
}
