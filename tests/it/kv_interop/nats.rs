//! NATS: a JetStream key-value bucket, its keys without a prefix; async-nats is the other client.

use airside_tests::harness::services::{Backend, Nats, Settings};
use async_nats::jetstream::kv::{Config, Store};
use async_nats::{ConnectOptions, jetstream};
use tokio::runtime::Runtime;

use super::{VALUES, runtime, server};
use crate::it::wire::{delete, get, keys, set};

const BUCKET: &str = "of_tarmac";

fn settings(nats: &Nats) -> Settings {
    let mut settings = nats.settings();
    settings.push(("nats_bucket", BUCKET.to_owned()));
    settings
}

async fn context(nats: &Nats) -> jetstream::Context {
    let options = ConnectOptions::new().user_and_password("app".to_owned(), "apppw".to_owned());
    let client = options.connect(nats.daemon().address().to_string()).await;
    jetstream::new(client.expect("a connection"))
}

fn read(runtime: &Runtime, bucket: &Store, key: &str) -> Option<Vec<u8>> {
    let found = runtime.block_on(bucket.get(key)).expect("an answer");
    found.map(|data| data.to_vec())
}

#[test]
fn a_bucket_that_was_there_is_used() {
    let (nats, runtime) = (Nats::start(), runtime());
    let bucket = runtime.block_on(async {
        let config = Config { bucket: BUCKET.to_owned(), history: 3, ..Config::default() };
        context(&nats).await.create_key_value(config).await.expect("a bucket")
    });
    for (number, value) in VALUES.iter().enumerate() {
        let put = bucket.put(format!("key-{number}"), value.to_vec().into());
        runtime.block_on(put).expect("it is put");
    }
    let server = server(settings(&nats));
    let mut client = server.client();
    for (number, value) in VALUES.iter().enumerate() {
        assert_eq!(get(&mut client, &format!("key-{number}")), Ok(value.to_vec()));
    }
    assert_eq!(delete(&mut client, "key-0"), Ok(()));
    assert_eq!(read(&runtime, &bucket, "key-0"), None);
    // What another client has deleted is not there, though the bucket remembers it.
    runtime.block_on(bucket.delete("key-1")).expect("it is deleted");
    assert!(get(&mut client, "key-1").is_err());
    assert_eq!(keys(&mut client), Ok(vec!["key-2".to_owned()]));
}

#[test]
fn a_bucket_that_was_not_there_is_made() {
    let (nats, runtime) = (Nats::start(), runtime());
    let server = server(settings(&nats));
    let mut client = server.client();
    for (number, value) in VALUES.iter().enumerate() {
        assert_eq!(set(&mut client, &format!("key-{number}"), value), Ok(()));
    }
    let bucket = runtime.block_on(async { context(&nats).await.get_key_value(BUCKET).await });
    let bucket = bucket.expect("the bucket");
    for (number, value) in VALUES.iter().enumerate() {
        let key = format!("key-{number}");
        assert_eq!(read(&runtime, &bucket, &key).as_deref(), Some(*value));
    }
}

#[test]
fn a_server_with_tls_is_used() {
    let nats = Nats::with_tls();
    let server = server(settings(&nats));
    let mut client = server.client();
    assert_eq!(set(&mut client, "key", "value"), Ok(()));
    assert_eq!(get(&mut client, "key"), Ok("value".into()));
}
