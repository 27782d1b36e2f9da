//! What the process says of a back end whose shards come and go.

use std::fmt;
use std::sync::{Arc, Mutex};

use super::{Backend, BackendCounts, BackendLog, FailureKind, ShardBackend};
use crate::logger::Level;

/// Keeps the lines.
#[derive(Debug, Default)]
pub(crate) struct Lines(Mutex<Vec<String>>);

impl Lines {
    pub(super) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl BackendLog for Lines {
    fn event(&self, level: Level, message: fmt::Arguments<'_>) {
        self.0.lock().unwrap().push(format!("{} {message}", level.as_str()));
    }
}

fn redis(shards: usize) -> (Arc<Backend>, Arc<Lines>) {
    let lines = Arc::new(Lines::default());
    (Backend::new("redis", "127.0.0.1:6379", shards, Arc::clone(&lines) as _), lines)
}

#[test]
fn it_is_up_when_every_shard_is() {
    let (backend, lines) = redis(2);
    let shards = [ShardBackend::new(&backend), ShardBackend::new(&backend)];
    assert_eq!(
        backend.health().unwrap_err().to_string(),
        "redis at 127.0.0.1:6379: not connected yet"
    );
    shards[0].up();
    shards[0].up();
    assert!(backend.health().is_err());
    shards[1].up();
    assert_eq!(backend.health(), Ok(()));
    assert_eq!(lines.all(), ["info redis at 127.0.0.1:6379 is connected"]);
}

#[test]
fn an_outage_is_one_line_and_its_end_another() {
    let (backend, lines) = redis(2);
    let shards = [ShardBackend::new(&backend), ShardBackend::new(&backend)];
    shards.iter().for_each(|shard| shard.up());
    shards.iter().for_each(|shard| shard.down("connection reset"));
    shards.iter().for_each(|shard| shard.down("connection refused"));
    let health = backend.health().unwrap_err();
    assert_eq!(health.to_string(), "redis at 127.0.0.1:6379: connection refused");
    shards.iter().for_each(|shard| shard.up());
    assert_eq!(backend.health(), Ok(()));
    let lines = lines.all();
    assert_eq!(
        lines[1],
        "error redis at 127.0.0.1:6379 is down: connection reset; trying to reconnect"
    );
    assert!(lines[2].starts_with("info redis at 127.0.0.1:6379 is back after "), "{lines:?}");
    assert_eq!(lines.len(), 3);
}

#[test]
fn failures_count_by_kind() {
    let (backend, _) = redis(1);
    let shard = ShardBackend::new(&backend);
    let error = shard.failed(FailureKind::Timeout, "no answer within 5 ms");
    assert_eq!(error.to_string(), "redis at 127.0.0.1:6379: no answer within 5 ms");
    shard.failed(FailureKind::Refused, "ERR");
    shard.failed(FailureKind::Timeout, "again");
    assert_eq!(shard.counts().failures, [0, 2, 0, 1]);
}

#[test]
fn many_servers_are_never_down_as_a_whole() {
    let backend = Backend::without_health("http", Arc::new(Lines::default()));
    assert_eq!((backend.health(), backend.is_up()), (Ok(()), None));
    let (backend, _) = redis(1);
    assert_eq!(backend.is_up(), Some(false));
    ShardBackend::new(&backend).up();
    assert_eq!(backend.is_up(), Some(true));
}

#[test]
fn shards_add_up() {
    let (backend, _) = redis(2);
    let shards = [ShardBackend::new(&backend), ShardBackend::new(&backend)];
    for shard in &shards {
        shard.set_connections(2);
        shard.reconnected();
        shard.failed(FailureKind::Timeout, "late");
    }
    let sum: BackendCounts = shards.iter().map(|shard| shard.counts()).sum();
    let failures = [0, 2, 0, 0];
    assert_eq!(sum, BackendCounts { failures, connections: 4, reconnects: 2 });
}
