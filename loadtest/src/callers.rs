//! Clients that each make one request after the other and remember how long the worst took: what a caller of a function
//! feels while its back end fails.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::client::Client;

/// A caller whose call failed waits this long: failures come in microseconds, and a million of them would tell nothing.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(2);

/// What all callers saw.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    pub answered: u64,
    /// Statuses other than 200.
    pub errors: u64,
    /// No answer at all, which never has an excuse.
    pub unanswered: u64,
    pub longest: Duration,
    /// When the last error came back, if there was one.
    pub last_error: Option<Instant>,
}

/// Callers at work, each on a connection of its own.
pub struct Callers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Seen>>,
}

impl Callers {
    pub fn start(address: SocketAddr, target: &'static str, count: u32) -> Callers {
        let stop = Arc::new(AtomicBool::new(false));
        let start = |_| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || call(address, target, &stop))
        };
        let threads = (0..count).map(start).collect();
        Callers { stop, threads }
    }

    /// Ends them after the call that each is in.
    pub fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        let lost = Seen { unanswered: 1, ..Seen::default() };
        let seen = self.threads.into_iter().map(|thread| thread.join().unwrap_or(lost));
        seen.fold(Seen::default(), Seen::and)
    }
}

impl Seen {
    fn and(self, other: Seen) -> Seen {
        Seen {
            answered: self.answered + other.answered,
            errors: self.errors + other.errors,
            unanswered: self.unanswered + other.unanswered,
            longest: self.longest.max(other.longest),
            last_error: self.last_error.max(other.last_error),
        }
    }
}

fn call(address: SocketAddr, target: &str, stop: &AtomicBool) -> Seen {
    let mut seen = Seen::default();
    let mut client = None;
    while !stop.load(Ordering::Relaxed) {
        let asked = Instant::now();
        let answer = match &mut client {
            Some(open) => Client::get(open, target).map(|response| response.status),
            None => match Client::connect(address) {
                Ok(open) => {
                    client = Some(open);
                    continue;
                }
                Err(error) => Err(error),
            },
        };
        seen.longest = seen.longest.max(asked.elapsed());
        match answer {
            Ok(200) => {
                seen.answered += 1;
                continue;
            }
            Ok(_) => seen.errors += 1,
            Err(_) => {
                seen.unanswered += 1;
                client = None;
            }
        }
        seen.last_error = Some(Instant::now());
        thread::sleep(PAUSE_AFTER_ERROR);
    }
    seen
}
