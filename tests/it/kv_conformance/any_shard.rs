//! Shards: each sees at once what any has written.

use std::collections::BTreeMap;
use std::thread;

use airside_tests::harness::cpus;

use super::store::Store;
use crate::it::load::clients_on_two_shards;
use crate::it::wire::{delete, get, keys, set};

pub(super) fn what_one_shard_sets_the_others_read(store: &Store) {
    if cpus().len() < 2 {
        return;
    }
    let (mut first, mut second) = clients_on_two_shards(&store.server);
    for round in 0..20 {
        let key = format!("key-{round}");
        let data = format!("data {round}");
        assert_eq!(set(&mut first, &key, &data), Ok(()));
        assert_eq!(get(&mut second, &key), Ok(data.into()));
        assert_eq!(keys(&mut second), Ok(vec![key.clone()]));
        assert_eq!(set(&mut second, &key, "changed"), Ok(()));
        assert_eq!(get(&mut first, &key), Ok("changed".into()));
        assert_eq!(delete(&mut second, &key), Ok(()));
        let text = get(&mut first, &key).unwrap_err().text;
        assert_eq!(text, "Unable to fetch key nil value returned from database");
    }
}

/// Connections, which the kernel spreads over the shards.
const WRITERS: usize = 16;
const ROUNDS: usize = 60;

pub(super) fn writers_on_all_shards_lose_nothing(store: &Store) {
    let written: Vec<BTreeMap<String, String>> = thread::scope(|scope| {
        let write = |writer| move || write(store, writer);
        let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(write(writer))).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let mut client = store.server.client();
    let expected: BTreeMap<String, String> = written.into_iter().flatten().collect();
    for (key, data) in &expected {
        assert_eq!(get(&mut client, key), Ok(data.clone().into()), "{key}");
    }
    let mut all: Vec<String> = expected.into_keys().collect();
    all.push("shared".to_owned());
    all.sort_unstable();
    assert_eq!(keys(&mut client), Ok(all));
    check_shared(&get(&mut client, "shared").unwrap());
}

/// Sets a few keys of its own again and again, and one that all writers set. Gives what its own must hold in the end.
fn write(store: &Store, writer: usize) -> BTreeMap<String, String> {
    let mut client = store.server.client();
    let mut written = BTreeMap::new();
    for round in 0..ROUNDS {
        let key = format!("key-{writer}-{}", round % 7);
        let data = format!("{writer} in round {round}");
        assert_eq!(set(&mut client, &key, &data), Ok(()));
        assert_eq!(get(&mut client, &key), Ok(data.clone().into()), "{key}");
        written.insert(key, data);
        assert_eq!(set(&mut client, "shared", shared(writer)), Ok(()));
        check_shared(&get(&mut client, "shared").unwrap());
    }
    written
}

/// Of a size of its own, so that a mixture of two is seen.
fn shared(writer: usize) -> Vec<u8> {
    vec![b'a' + writer as u8; 1000 + writer]
}

#[track_caller]
fn check_shared(data: &[u8]) {
    let writer = data.first().map_or(0, |first| usize::from(first - b'a'));
    assert!(data == shared(writer), "of {} bytes", data.len());
}
