//! Redis: keys are Redis's own, without a prefix, in the database that the settings name; `redis-cli` is the other client.

use airside_tests::harness::services::{Backend, Redis, Sentinels};

use super::server;
use crate::it::wire::{delete, get, keys, set};

#[test]
fn keys_are_those_of_redis() {
    for redis in [Redis::start(), Redis::with_password(), Redis::with_tls()] {
        let server = server(redis.settings());
        let mut client = server.client();
        assert_eq!(redis.client(&["set", "of redis-cli", "wärme"]), "OK");
        assert_eq!(get(&mut client, "of redis-cli"), Ok("wärme".into()), "{redis:?}");
        assert_eq!(set(&mut client, "of/airside", "kälte"), Ok(()));
        assert_eq!(redis.client(&["get", "of/airside"]), "kälte", "{redis:?}");
        assert_eq!(redis.client(&["ttl", "of/airside"]), "-1", "it stays");
        assert_eq!(keys(&mut client), Ok(vec!["of redis-cli".into(), "of/airside".into()]));
        assert_eq!(delete(&mut client, "of redis-cli"), Ok(()));
        assert_eq!(redis.client(&["keys", "*"]), "of/airside", "{redis:?}");
    }
}

#[test]
fn bytes_are_as_they_were() {
    let redis = Redis::start();
    let server = server(redis.settings());
    let mut client = server.client();
    let bytes = b"\0\xff\r\n\x80\"";
    assert_eq!(set(&mut client, "k", bytes), Ok(()));
    assert_eq!(
        redis.client(&["eval", "return redis.sha1hex(redis.call('get', 'k'))", "0"]),
        redis.client(&["eval", r#"return redis.sha1hex("\0\255\r\n\128\"")"#, "0"])
    );
}

#[test]
fn the_database_is_the_one_that_is_set() {
    let redis = Redis::start();
    let url = format!("redis://{}/4", redis.daemon().address());
    for (database, setting) in
        [("3", ("redis_database", "3".to_owned())), ("4", ("redis_server", url))]
    {
        let mut settings = redis.settings();
        settings.push(setting);
        let server = server(settings);
        let mut client = server.client();
        assert_eq!(redis.client(&["set", "elsewhere", "x"]), "OK");
        assert_eq!(set(&mut client, "here", "y"), Ok(()));
        assert_eq!(redis.client(&["-n", database, "get", "here"]), "y");
        assert_eq!(keys(&mut client), Ok(vec!["here".to_owned()]));
    }
}

#[test]
fn a_sentinel_says_where_the_data_is() {
    for redis in [Sentinels::start(), Sentinels::with_password()] {
        let server = server(redis.settings());
        let mut client = server.client();
        assert_eq!(set(&mut client, "key", "value"), Ok(()), "{redis:?}");
        assert_eq!(get(&mut client, "key"), Ok("value".into()), "{redis:?}");
    }
}
