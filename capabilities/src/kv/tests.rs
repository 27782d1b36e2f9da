//! What every store must do, run on each of them.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::*;

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// A store whose disk has failed.
pub(crate) fn failed() -> Kv {
    let (embedded, broken) = super::embedded::tests::faults::on_failing_disk();
    broken.store(true, Ordering::Relaxed);
    Kv::Embedded(embedded)
}

async fn get(kv: &Kv, key: &str) -> Result<String, KvError> {
    kv.get(key.as_bytes(), |data| String::from_utf8(data.to_vec()).unwrap()).await
}

async fn keys(kv: &Kv) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    kv.keys(|key| assert!(keys.insert(String::from_utf8(key.to_vec()).unwrap()))).await.unwrap();
    keys
}

async fn conforms(kv: Kv) {
    let other = kv.clone();
    assert_eq!(kv.health(), Ok(()));
    assert_eq!(keys(&kv).await, BTreeSet::new());
    assert_eq!(get(&kv, "a").await, Err(KvError::Missing));
    assert_eq!(kv.delete(b"a").await, Ok(()));

    kv.set(b"a", b"1").await.unwrap();
    assert_eq!(get(&other, "a").await.as_deref(), Ok("1"));
    other.set(b"a", b"2").await.unwrap();
    assert_eq!(get(&kv, "a").await.as_deref(), Ok("2"));
    assert_eq!(get(&kv, "A").await, Err(KvError::Missing));

    let large = vec![7; 1 << 20];
    kv.set(b"large", &large).await.unwrap();
    assert_eq!(other.get(b"large", |data| data == large).await, Ok(true));
    kv.delete(b"large").await.unwrap();
    assert_eq!(get(&other, "large").await, Err(KvError::Missing));

    let expected: BTreeSet<String> = (0..3000).map(|number| format!("k{number}")).collect();
    kv.delete(b"a").await.unwrap();
    for key in &expected {
        match &kv {
            // One transaction for each would take long; these go through the queue together below.
            Kv::Embedded(_) => {}
            _ => kv.set(key.as_bytes(), b"v").await.unwrap(),
        }
    }
    if let Kv::Embedded(_) = &kv {
        set_together(&kv, &expected).await;
    }
    assert_eq!(keys(&other).await, expected);
}

/// All sets are queued before the first is waited for.
async fn set_together(kv: &Kv, keys: &BTreeSet<String>) {
    let local = tokio::task::LocalSet::new();
    local
        .run_until(async {
            let mut sets = tokio::task::JoinSet::new();
            for key in keys {
                let (kv, key) = (kv.clone(), key.clone());
                sets.spawn_local(async move { kv.set(key.as_bytes(), b"v").await });
            }
            while let Some(set) = sets.join_next().await {
                set.unwrap().unwrap();
            }
        })
        .await;
}

#[test]
fn memory_conforms() {
    block_on(conforms(Kv::Memory(Memory::new(None))));
    block_on(conforms(Kv::Memory(Memory::new(Some(2 << 20)))));
}

#[test]
fn embedded_conforms() {
    let directory = tempfile::tempdir().unwrap();
    let config = EmbeddedConfig {
        path: directory.path().join("kv.db"),
        bucket: "tarmac".to_owned(),
        permissions: 0o600,
        open_timeout: Duration::ZERO,
    };
    block_on(conforms(Kv::Embedded(Embedded::open(&config).unwrap())));
}
