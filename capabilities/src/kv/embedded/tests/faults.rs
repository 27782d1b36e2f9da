//! Overload, a disk that fails, a committer that dies: callers are told, and nobody waits for ever.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::*;

#[test]
fn a_full_queue_refuses_at_once_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let embedded = Embedded::open(&config(&directory.path().join("kv"))).unwrap();
    // Keeps the committer from beginning its transaction.
    let blocking = embedded.reader.store().database().begin_write().unwrap();
    let answers = block_on(async {
        let keys = (0..6000).map(|number| number.to_string());
        let release = async {
            // Runs after every set has been queued or refused: the sets' tasks were made before.
            drop(blocking);
        };
        let local = tokio::task::LocalSet::new();
        local
            .run_until(async {
                let mut sets = tokio::task::JoinSet::new();
                for key in keys {
                    let embedded = embedded.clone();
                    sets.spawn_local(
                        async move { (embedded.set(key.as_bytes(), b"v").await, key) },
                    );
                }
                let released = tokio::task::spawn_local(release);
                let answers = sets.join_all().await;
                released.await.unwrap();
                answers
            })
            .await
    });
    let (answered, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|(answer, _)| answer.is_ok());
    assert_eq!(answered.len(), 4096);
    for (answer, _) in &refused {
        let text = answer.clone().unwrap_err().to_string();
        assert_eq!(text, "embedded store is overloaded: 4096 writes are waiting to be committed");
    }
    for (_, key) in &answered {
        assert!(get(&embedded, key).is_some(), "{key}");
    }
}

#[test]
fn queued_bytes_are_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let embedded = Embedded::open(&config(&directory.path().join("kv"))).unwrap();
    let error = block_on(embedded.set(b"k", &vec![0; (128 << 20) + 1])).unwrap_err();
    assert_eq!(error.to_string(), "embedded store takes at most 134217728 bytes of key and data");

    let blocking = embedded.reader.store().database().begin_write().unwrap();
    let half = vec![0; 60 << 20];
    block_on(async {
        let (mut one, mut two) = (pin!(embedded.set(b"1", &half)), pin!(embedded.set(b"2", &half)));
        assert!(is_waiting(one.as_mut()).await && is_waiting(two.as_mut()).await);
        assert_eq!(
            embedded.set(b"3", &half).await.unwrap_err().to_string(),
            "embedded store is overloaded: 134217728 bytes of writes are waiting to be committed"
        );
        drop(blocking);
        assert_eq!((one.await, two.await), (Ok(()), Ok(())));
        // What was committed, and what was refused, counts no longer.
        assert_eq!(embedded.set(b"4", &half).await, Ok(()));
    });
}

#[test]
fn a_dead_committer_is_an_error_and_no_hang() {
    let directory = tempfile::tempdir().unwrap();
    let embedded = Embedded::open(&config(&directory.path().join("kv"))).unwrap();
    block_on(embedded.set(b"a", b"1")).unwrap();
    let ended = "embedded store failed: its committer thread has ended";
    assert_eq!(block_on(embedded.committer.write(Change::Panic)).unwrap_err().to_string(), ended);
    assert_eq!(block_on(embedded.set(b"a", b"2")).unwrap_err().to_string(), ended);
    while embedded.health().is_ok() {
        std::thread::yield_now();
    }
    assert_eq!(embedded.health().unwrap_err().to_string(), ended);
    assert_eq!(get(&embedded, "a"), Some(b"1".to_vec()));
}

/// Polls once.
async fn is_waiting(mut future: Pin<&mut impl Future>) -> bool {
    std::future::poll_fn(|task| Poll::Ready(future.as_mut().poll(task).is_pending())).await
}

/// A disk in memory that can be made to fail.
#[derive(Debug)]
struct FailingDisk {
    disk: InMemoryBackend,
    broken: Arc<AtomicBool>,
}

impl FailingDisk {
    fn check(&self) -> io::Result<()> {
        if self.broken.load(Ordering::Relaxed) {
            Err(io::Error::other("disk on fire"))
        } else {
            Ok(())
        }
    }
}

impl StorageBackend for FailingDisk {
    fn len(&self) -> io::Result<u64> {
        self.check()?;
        self.disk.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.check()?;
        self.disk.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check()?;
        self.disk.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.check()?;
        self.disk.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.check()?;
        self.disk.write(offset, data)
    }
}

/// A store, and the switch that makes its disk fail.
pub(in crate::kv) fn on_failing_disk() -> (Embedded, Arc<AtomicBool>) {
    let broken = Arc::new(AtomicBool::new(false));
    let disk = FailingDisk { disk: InMemoryBackend::new(), broken: Arc::clone(&broken) };
    // Without a cache, so that reads reach the disk.
    let database = redb::Builder::new().set_cache_size(0).create_with_backend(disk).unwrap();
    (Embedded::start(Store::new(database, "tarmac").unwrap()).unwrap(), broken)
}

#[test]
fn a_failing_disk_is_an_error_that_names_the_store_and_stays() {
    let failed = "embedded store failed: I/O error: disk on fire";
    for write in [true, false] {
        let (embedded, broken) = on_failing_disk();
        block_on(embedded.set(b"a", b"1")).unwrap();
        assert_eq!(embedded.health(), Ok(()));
        broken.store(true, Ordering::Relaxed);
        let error = if write {
            block_on(embedded.set(b"a", b"2")).err()
        } else {
            embedded.get(b"a", |_| ()).err()
        };
        assert_eq!(error.unwrap().to_string(), failed);
        broken.store(false, Ordering::Relaxed);
        assert_eq!(embedded.health().unwrap_err().to_string(), failed);
        let error = block_on(embedded.set(b"a", b"3")).unwrap_err().to_string();
        assert!(error.starts_with("embedded store failed: "), "{error}");
    }
}
