//! Load that several tests put on a server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use airside_tests::harness::{Client, Server, WAIT, parse_metrics, poll_until};

use crate::guests::double::encode_field;

/// Connections that pipeline GETs without a pause until they are stopped. Each must be answered with 200.
#[derive(Debug)]
pub struct Flood {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

/// Requests on their way at once on each connection.
const PIPELINED: usize = 64;

impl Flood {
    /// Returns when the first batch is answered, so that what is measured then is measured under load.
    pub fn start(address: SocketAddr, path: &'static str, connections: usize) -> Flood {
        let stop = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicUsize::new(0));
        let threads = (0..connections)
            .map(|_| {
                let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
                thread::spawn(move || pipeline(address, path, &stop, &answered))
            })
            .collect();
        poll_until("an answer to the flood", WAIT, || {
            (answered.load(Ordering::Relaxed) > 0).then_some(())
        });
        Flood { stop, answered, threads }
    }

    /// Stops, and says how many requests were answered.
    pub fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.threads.into_iter().for_each(|thread| thread.join().expect("every answer is a 200"));
        self.answered.load(Ordering::Relaxed)
    }
}

fn pipeline(address: SocketAddr, path: &str, stop: &AtomicBool, answered: &AtomicUsize) {
    let mut client = Client::connect(address);
    let batch = format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").repeat(PIPELINED);
    while !stop.load(Ordering::Relaxed) {
        client.send(&batch);
        for _ in 0..PIPELINED {
            assert_eq!(client.receive().status, 200);
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What `tests/guests/call.wat` is sent for a host call.
pub fn call(capability: &str, operation: &str, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let head = format!("tarmac\n{capability}\n{operation}\n");
    [head.as_bytes(), payload.as_ref()].concat()
}

/// Two connections that different shards serve, told apart by `tests/guests/global.wat`, whose calls each shard's
/// instance counts for itself.
pub fn clients_on_two_shards(server: &Server) -> (Client, Client) {
    let mut first = server.client();
    let count = |client: &mut Client| client.get("/global").text().parse::<u8>().expect("a digit");
    // The kernel spreads connections by a hash: all of these on one shard is as likely as 64 equal coin tosses.
    for _ in 0..64 {
        let before = count(&mut first);
        let mut second = server.client();
        count(&mut second);
        if count(&mut first) == (before + 1) % 10 {
            return (first, second);
        }
    }
    panic!("all connections went to one shard");
}

/// Sets keys on several connections at once through `/call`.
pub fn sets_on_connections(server: &Server, connections: usize, sets: usize) {
    thread::scope(|scope| {
        for connection in 0..connections {
            scope.spawn(move || {
                let mut client = server.client();
                for set in 0..sets {
                    let key = format!("key-{connection}-{set}");
                    let response =
                        client.post("/call", call("kvstore", "set", kv_set(&key, b"value")));
                    assert_eq!(
                        (response.status, response.body.first()),
                        (200, Some(&b'1')),
                        "{response:?}"
                    );
                }
            });
        }
    });
}

/// `KVStoreSet` as protobuf.
pub fn kv_set(key: &str, data: &[u8]) -> Vec<u8> {
    [kv_key(key), encode_field(2, data)].concat()
}

/// `KVStoreGet` and `KVStoreDelete` as protobuf.
pub fn kv_key(key: &str) -> Vec<u8> {
    encode_field(1, key.as_bytes())
}

/// A counter, gauge or histogram's value on the metrics page.
#[track_caller]
pub fn metric(server: &Server, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let families = parse_metrics(&server.get("/metrics").text()).expect("a valid page");
    let family = ["", "_sum", "_count", "_bucket"]
        .iter()
        .find_map(|suffix| families.get(name.strip_suffix(suffix)?))?;
    family.value(name, labels)
}
