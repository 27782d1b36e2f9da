//! Clients that call functions without a pause and write down how each call ended.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use airside_tests::harness::Client;

/// One call; the error is what the guest was shown, or what the client was.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) took: Duration,
    pub(super) error: Option<String>,
}

/// What one client does again and again, with the back end that is found at the address.
pub(super) type Work = fn(&mut Client, SocketAddr) -> Result<(), String>;

/// Between two calls of a client: many calls are wanted at any time, a busy machine is not.
const PAUSE: Duration = Duration::from_millis(5);

/// Clients at work, each on a connection of its own.
pub(super) struct Load {
    stop: Arc<AtomicBool>,
    failed: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Vec<Outcome>>>,
}

impl Load {
    pub(super) fn start(
        address: SocketAddr,
        clients: usize,
        back_end: SocketAddr,
        work: Work,
    ) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let failed = Arc::new(AtomicUsize::new(0));
        let clients = (0..clients)
            .map(|_| {
                let (stop, failed) = (Arc::clone(&stop), Arc::clone(&failed));
                thread::spawn(move || {
                    let mut client = Client::connect(address);
                    call(|| work(&mut client, back_end), &stop, &failed)
                })
            })
            .collect();
        Load { stop, failed, clients }
    }

    /// Calls that have failed so far.
    pub(super) fn failed(&self) -> usize {
        self.failed.load(Ordering::Relaxed)
    }

    /// How each call ended, once the last ones have.
    pub(super) fn stop(self) -> Vec<Outcome> {
        self.stop.store(true, Ordering::Relaxed);
        let outcomes = self.clients.into_iter().map(|client| client.join());
        outcomes.flat_map(|outcomes| outcomes.expect("the server answers")).collect()
    }
}

fn call(
    mut work: impl FnMut() -> Result<(), String>,
    stop: &AtomicBool,
    failed: &AtomicUsize,
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let asked = Instant::now();
        let error = work().err();
        let took = asked.elapsed();
        if error.is_some() {
            failed.fetch_add(1, Ordering::Relaxed);
        }
        outcomes.push(Outcome { took, error });
        thread::sleep(PAUSE);
    }
    outcomes
}
