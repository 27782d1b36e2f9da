//! The server's process: started, watched, stopped; killed at the latest when it is dropped or the tests are gone.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, Signal, kill_process};

use super::setup::{START_WAIT, Setup};
use super::turns::Turn;
use super::{Client, Response, WAIT, keeper, poll_until};

/// What the server says before the address it listens on.
const LISTENING: &str = "listening on ";

/// A server that listens, or is about to.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: Option<SocketAddr>,
    stdout: Lines,
    stderr: Lines,
    /// Given back when the server has ended.
    setup: Option<Setup>,
    _turn: Turn,
}

/// What a process has written, and goes on writing, to one of its outputs.
#[derive(Debug)]
pub(super) struct Lines {
    text: Arc<Mutex<String>>,
    paused: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Server {
    #[track_caller]
    pub(super) fn start(setup: Setup, turn: Turn) -> Server {
        let address = |log: &str| address_in(log).map(Some);
        Server::start_until("the server to listen", setup, turn, address)
    }

    /// A server that is started until `reached` finds in what it wrote, or elsewhere, what is waited for; with the address
    /// if that is known by then.
    #[track_caller]
    pub(super) fn start_until(
        what: &str,
        setup: Setup,
        turn: Turn,
        mut reached: impl FnMut(&str) -> Option<Option<SocketAddr>>,
    ) -> Server {
        let mut child = setup.command().spawn().expect("the server can be started");
        keeper::keep(child.id(), setup.folder());
        let stdout = collect(child.stdout.take().expect("piped"));
        let stderr = collect(child.stderr.take().expect("piped"));
        let address = poll_until(what, START_WAIT, || {
            if let Some(status) = child.try_wait().expect("one's own child can be waited for") {
                panic!("the server ended, {status}:\n{}{}", stdout.text(), stderr.text());
            }
            reached(&stderr.text()).or_else(|| reached(&stdout.text()))
        });
        Server { child, address, stdout, stderr, setup: Some(setup), _turn: turn }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address.expect("it was waited for until it listens")
    }

    /// Its process id. Under `prlimit` and the like too: those become the server.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.setup.as_ref().expect("taken at the end only").folder()
    }

    /// All it has written to standard error.
    pub fn log(&self) -> String {
        self.stderr.text()
    }

    /// Stops reading what it writes to standard error, so that the pipe fills, or goes on.
    pub fn pause_log(&self, pause: bool) {
        self.stderr.paused.store(pause, Ordering::Relaxed);
        self.stderr.reader.iter().for_each(|reader| reader.thread().unpark());
    }

    /// All it has written to standard output.
    pub fn output(&self) -> String {
        self.stdout.text()
    }

    /// A new connection.
    #[track_caller]
    pub fn client(&self) -> Client {
        Client::connect(self.address())
    }

    /// A GET on a connection of its own.
    #[track_caller]
    pub fn get(&self, path: &str) -> Response {
        self.client().get(path)
    }

    /// A POST on a connection of its own.
    #[track_caller]
    pub fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Response {
        self.client().post(path, body)
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("process ids are small"), signal).expect("the server runs");
    }

    /// Waits until the process has ended.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        poll_until("the server's end", WAIT, || self.child.try_wait().expect("it is our child"))
    }

    /// Stops the server as an operator does, which must succeed. Gives its folder and settings back.
    #[track_caller]
    pub fn stop(mut self) -> Setup {
        self.signal(Signal::TERM);
        let status = self.wait();
        assert!(status.success(), "{status}:\n{}", self.log());
        self.take_setup()
    }

    /// Kills the server, which gives it no time to do anything. Gives its folder and settings back.
    pub fn kill(mut self) -> Setup {
        self.signal(Signal::KILL);
        self.wait();
        self.take_setup()
    }

    fn take_setup(&mut self) -> Setup {
        self.setup.take().expect("taken at the end only")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- the server's log ---\n{}---", self.log());
        }
    }
}

impl Lines {
    /// What has come so far.
    pub(super) fn text(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All there will be, once the process has ended.
    pub(super) fn into_text(mut self) -> String {
        self.reader.take().expect("taken here only").join().expect("reading does not panic");
        self.text()
    }
}

/// Reads an output as it comes.
pub(super) fn collect(output: impl Read + Send + 'static) -> Lines {
    let text = Arc::new(Mutex::new(String::new()));
    let shared = Arc::clone(&text);
    let paused = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&paused);
    let reader = thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while output.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            while asked.load(Ordering::Relaxed) {
                thread::park();
            }
            let mut text = shared.lock().unwrap_or_else(PoisonError::into_inner);
            text.push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    });
    Lines { text, paused, reader: Some(reader) }
}

/// The address in the line that says where the server listens, be it text or JSON.
pub(super) fn address_in(log: &str) -> Option<SocketAddr> {
    let after = &log[log.find(LISTENING)? + LISTENING.len()..];
    let after = after.strip_prefix("http://").unwrap_or(after);
    let is_part = |c: char| c.is_ascii_hexdigit() || ".:[]".contains(c);
    let end = after.find(|c| !is_part(c))?;
    after[..end].trim_end_matches('.').parse().ok()
}
