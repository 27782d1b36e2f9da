//! A server's process: started by its script, asked until it is ready, stopped, killed, frozen, started again.

use std::fs::{self, File, Permissions};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;

use super::{Certificates, script};
use crate::harness::{WAIT, keeper, poll_until, process};

/// Cassandra takes five seconds on an idle machine and many times that on a busy one.
const READY_WAIT: Duration = Duration::from_secs(120);
/// A port may be taken between being found free and being used; three in a row are no accident.
const ATTEMPTS: usize = 3;

/// A running server, or one that was stopped and can be started again on the same port and data.
#[derive(Debug)]
pub struct Daemon {
    launch: Launch,
    folder: TempDir,
    /// None while it is stopped.
    child: Mutex<Option<Child>>,
}

/// How a server is started and when it is ready.
pub(super) struct Launch {
    /// In `tests/services`. It is given the first port, the folder and the arguments, and becomes the server.
    pub(super) script: &'static str,
    pub(super) port: u16,
    pub(super) arguments: Vec<String>,
    pub(super) tls: bool,
    /// What has it stop in an orderly way.
    pub(super) stop: Signal,
    /// Asked once the port is open.
    pub(super) ready: Box<dyn Fn(&Path) -> bool + Send + Sync>,
}

impl Launch {
    /// Without TLS, stopped by SIGTERM, ready when the port is open.
    pub(super) fn new(script: &'static str, port: u16) -> Launch {
        let ready = Box::new(|_: &Path| true);
        Launch { script, port, arguments: Vec::new(), tls: false, stop: Signal::TERM, ready }
    }

    pub(super) fn arguments(mut self, arguments: impl IntoIterator<Item = impl ToString>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.to_string()));
        self
    }

    pub(super) fn tls(mut self, tls: bool) -> Self {
        self.tls = tls;
        self
    }

    pub(super) fn stopped_by(mut self, signal: Signal) -> Self {
        self.stop = signal;
        self
    }

    /// `ready` is given the server's folder.
    pub(super) fn ready(mut self, ready: impl Fn(&Path) -> bool + Send + Sync + 'static) -> Self {
        self.ready = Box::new(ready);
        self
    }
}

impl Daemon {
    /// Starts what `launch` describes, which is asked again with other ports if one turns out to be taken.
    #[track_caller]
    pub(super) fn start(launch: impl Fn() -> Launch) -> Daemon {
        for _ in 0..ATTEMPTS {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let daemon = Daemon { launch: launch(), folder, child: Mutex::new(None) };
            match daemon.try_start() {
                Ok(()) => return daemon,
                Err(log) if port_is_taken(&log) => {}
                Err(log) => panic!("{} did not start:\n{log}", daemon.launch.script),
            }
        }
        panic!("ports are taken as fast as they are found");
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port()).into()
    }

    /// The port on which it listens.
    pub fn port(&self) -> u16 {
        self.launch.port
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// All it has written to its outputs.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.folder().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Has it stop as an operator does, and waits until it is gone.
    #[track_caller]
    pub fn stop(&self) {
        let mut child = self.lock();
        let running = child.as_mut().expect("it runs");
        kill_process(pid(running.id()), self.launch.stop).expect("it runs");
        poll_until("the end of a server", WAIT, || running.try_wait().expect("our own child"));
        end(&mut child);
    }

    /// Kills it and whatever it has started.
    pub fn kill(&self) {
        end(&mut self.lock());
    }

    /// Starts it again after a stop or kill and waits until it is ready. Redis, which keeps all in memory, is empty then.
    #[track_caller]
    pub fn restart(&self) {
        self.kill();
        if let Err(log) = self.try_start() {
            panic!("{} did not start again:\n{log}", self.launch.script);
        }
    }

    /// Stops its clock: its connections stay, new ones are taken by the kernel, and nothing is answered.
    pub fn freeze(&self) {
        self.signal_all(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal_all(Signal::CONT);
    }

    fn signal_all(&self, signal: Signal) {
        let child = self.lock();
        let first = child.as_ref().expect("it runs").id();
        // The first one before the others are looked for: when it stands still it starts no more of them.
        kill_process(pid(first), signal).expect("it runs");
        for id in process::family(first) {
            // One that has ended meanwhile needs no signal.
            let _ = kill_process(pid(id), signal);
        }
    }

    /// On failure gives the log.
    fn try_start(&self) -> Result<(), String> {
        let mut child = self.command().spawn().expect("bash is there");
        keeper::keep(child.id(), self.folder());
        let ended = poll_until(self.launch.script, READY_WAIT, || {
            match child.try_wait().expect("our own child") {
                Some(status) => Some(Some(status)),
                None => self.is_ready().then_some(None),
            }
        });
        *self.lock() = Some(child);
        match ended {
            None => Ok(()),
            Some(status) => Err(format!("{status}\n{}", self.log())),
        }
    }

    fn command(&self) -> Command {
        let log = File::options().append(true).create(true).open(self.folder().join("log"));
        let log = log.expect("the folder can be written");
        let mut command = Command::new(script(self.launch.script));
        command
            .arg(self.launch.port.to_string())
            .arg(self.folder())
            .args(&self.launch.arguments)
            .current_dir(self.folder())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle on a file"))
            .stderr(log)
            // A group of its own, so that it is killed with what it starts and not by Ctrl-C, which is the tests' affair.
            .process_group(0);
        if self.launch.tls {
            command.env("TLS_CERTIFICATES", Certificates::shared().folder());
        }
        command
    }

    fn is_ready(&self) -> bool {
        TcpStream::connect(self.address()).is_ok() && (self.launch.ready)(self.folder())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

impl std::fmt::Debug for Launch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on port {}", self.script, self.port)
    }
}

/// Lets every user look into a folder; temporary ones are their owner's alone.
pub(super) fn open_to_all(folder: &Path) {
    fs::set_permissions(folder, Permissions::from_mode(0o755)).expect("it is ours");
}

/// Kills a process with its group and waits for it. A frozen one too.
fn end(child: &mut Option<Child>) {
    if let Some(mut child) = child.take() {
        // It may have ended; what it started may be left.
        let _ = kill_process_group(pid(child.id()), Signal::KILL);
        let _ = child.wait();
    }
}

fn pid(id: u32) -> Pid {
    i32::try_from(id).ok().and_then(Pid::from_raw).expect("process ids are small")
}

/// As Redis, PostgreSQL, MariaDB, NATS, nginx, Cassandra and Prometheus put it.
fn port_is_taken(log: &str) -> bool {
    let log = log.to_ascii_lowercase();
    log.contains("in use") || log.contains("failed to bind")
}
