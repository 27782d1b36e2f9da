//! The embedded store: what is on disk, what is grouped, what a bad file gets.

mod crash;
pub(in crate::kv) mod faults;
mod files;
mod import;

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::kv::tests::block_on;

fn config(path: &Path) -> EmbeddedConfig {
    EmbeddedConfig {
        path: path.to_owned(),
        bucket: "tarmac".to_owned(),
        permissions: 0o600,
        open_timeout: Duration::ZERO,
    }
}

fn get(embedded: &Embedded, key: &str) -> Option<Vec<u8>> {
    embedded.get(key.as_bytes(), <[u8]>::to_vec).unwrap()
}

/// Makes all the sets wait for their answers at once, and gives the answers.
async fn set_concurrently(
    embedded: &Embedded,
    keys: impl Iterator<Item = String>,
) -> Vec<Result<(), KvError>> {
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let mut sets = tokio::task::JoinSet::new();
            for key in keys {
                let embedded = embedded.clone();
                sets.spawn_local(async move { embedded.set(key.as_bytes(), b"v").await });
            }
            sets.join_all().await
        })
        .await
}

#[test]
fn concurrent_sets_share_commits() {
    let directory = tempfile::tempdir().unwrap();
    let embedded = Embedded::open(&config(&directory.path().join("kv"))).unwrap();
    let answers = block_on(set_concurrently(&embedded, (0..1000).map(|number| number.to_string())));
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(get(&embedded, "999"), Some(b"v".to_vec()));
    assert!((1..100).contains(&embedded.commits()), "{} commits", embedded.commits());
}

#[test]
fn data_outlives_the_last_handle_and_the_lock_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("kv");
    for expected in [None, Some(b"1".to_vec())] {
        let embedded = Embedded::open(&config(&path)).unwrap();
        assert_eq!(get(&embedded, "a"), expected);
        let other = embedded.clone();
        drop(embedded);
        block_on(other.set(b"a", b"1")).unwrap();
        assert_eq!(get(&other, "a"), Some(b"1".to_vec()));
    }
    // That the second open did not have to wait shows that the first had closed the file, so its
    // thread was done.
}

#[test]
fn a_handle_that_reads_no_more_holds_no_snapshot_after_a_commit() {
    assert!(crossbeam::atomic::AtomicCell::<Option<Box<store::Snapshot>>>::is_lock_free());
    let directory = tempfile::tempdir().unwrap();
    let embedded = Embedded::open(&config(&directory.path().join("kv"))).unwrap();
    let idle = embedded.clone();
    assert_eq!(get(&idle, "a"), None);
    assert!(idle.reader.holds_snapshot());
    block_on(embedded.set(b"a", b"1")).unwrap();
    assert!(!idle.reader.holds_snapshot());
    assert_eq!(get(&idle, "a"), Some(b"1".to_vec()));
}
