//! Who gets in: logins and certificates of the stores. What will not pass by itself ends the start with the reason, which names
//! no secret. For the databases the DSN says it all: `sql_postgres` and `sql_mysql`.

use std::net::{Ipv4Addr, SocketAddr};

use airside_tests::harness::services::{
    Backend, Cassandra, Certificates, Nats, Redis, Sentinels, Settings,
};
use airside_tests::harness::{Finished, Proxy, Setup};

use crate::it::wire::{get, set};

/// Of those that are wrong.
const WRONG: &str = "letmein";

fn setup(settings: Settings) -> Setup {
    Setup::new().guest("call").set_all(settings)
}

#[track_caller]
fn check_served(setup: Setup) {
    let server = setup.start();
    let mut client = server.client();
    assert_eq!(set(&mut client, "key", "value"), Ok(()));
    assert_eq!(get(&mut client, "key"), Ok("value".into()));
}

#[track_caller]
fn check_refused(setup: Setup, name: &str, reason: &str) {
    let Finished { code, stderr, .. } = setup.run();
    assert_eq!(code, Some(69), "{stderr}");
    let told = stderr
        .lines()
        .any(|line| line.contains(&format!("{name} at ")) && line.to_lowercase().contains(reason));
    assert!(told, "no {reason:?} in: {stderr}");
    for secret in [WRONG, Redis::PASSWORD, Redis::USER.1, Nats::TOKEN] {
        assert!(!stderr.contains(secret), "{stderr}");
    }
}

#[test]
fn redis_wants_the_right_password() {
    let redis = Redis::with_password();
    let address = redis.daemon().address();
    let by_url = |login: &str| {
        setup(redis.settings())
            .unset("redis_password")
            .set("redis_server", format!("redis://{login}@{address}"))
    };
    check_served(by_url(&format!(":{}", Redis::PASSWORD)));
    check_served(by_url(&format!("default:{}", Redis::PASSWORD)));
    let refused = |setup| check_refused(setup, "redis", "wrongpass");
    refused(setup(redis.settings()).set("redis_password", WRONG));
    refused(by_url(&format!(":{WRONG}")));
    refused(by_url(&format!("stranger:{WRONG}")));
    check_refused(setup(redis.settings()).unset("redis_password"), "redis", "auth");
    // A sentinel without a password leads to a master that has one.
    let redis = Sentinels::with_password();
    refused(setup(redis.settings()).set("redis_password", WRONG));
}

#[test]
fn nats_wants_the_right_login() {
    let (user, token) = (Nats::start(), Nats::with_token());
    check_served(setup(token.settings()));
    let (user, token) = (user.daemon().address(), token.daemon().address());
    for url in [
        format!("nats://{user}"),
        format!("nats://app:{WRONG}@{user}"),
        format!("nats://{WRONG}@{token}"),
    ] {
        let setup = setup(vec![
            ("enable_kvstore", "true".to_owned()),
            ("kvstore_type", "nats".to_owned()),
            ("nats_url", url),
        ]);
        check_refused(setup, "nats", "authorization");
    }
}

#[test]
fn cassandra_wants_the_right_login() {
    let settings = || setup(Cassandra::shared().settings());
    let refused = |setup, reason| check_refused(setup, "cassandra", reason);
    refused(settings().set("cassandra_password", WRONG), "incorrect");
    refused(settings().set("cassandra_user", "stranger"), "incorrect");
    let nobody = settings().unset("cassandra_user").unset("cassandra_password");
    refused(nobody, "user and a password");
}

/// A store with TLS, by the address at which it is to be found.
type At<'a> = &'a dyn Fn(&str) -> Settings;

/// The certificate is for `localhost` and 127.0.0.1. `lax` is the setting that has any do.
#[track_caller]
fn check_tls(name: &str, address: SocketAddr, at: At<'_>, lax: (&str, bool)) {
    let proxy = Proxy::at(Ipv4Addr::new(127, 0, 0, 2), address);
    let (right, elsewhere) = (address.to_string(), proxy.address().to_string());
    check_served(setup(at(&right)));
    check_served(setup(at(&format!("localhost:{}", address.port()))));
    check_refused(setup(at(&elsewhere)), name, "certificate");
    let stranger = |place: &str| {
        setup(at(place)).set("backend_ca_file", Certificates::shared().other_authority())
    };
    check_refused(stranger(&right), name, "certificate");
    check_served(stranger(&right).set(lax.0, lax.1));
    // Of Cassandra's nodes the driver learns where they are, and the proxy is there for the first word only.
    if name != "cassandra" {
        check_served(stranger(&elsewhere).set(lax.0, lax.1));
    }
}

#[test]
fn redis_shows_its_certificate() {
    let redis = Redis::with_tls();
    let at = |place: &str| {
        let (user, password) = Redis::USER;
        let mut settings = redis.settings();
        settings.push(("redis_server", format!("rediss://{user}:{password}@{place}")));
        settings
    };
    // As odd as it is in Tarmac: true skips it.
    check_tls("redis", redis.daemon().address(), &at, ("redis_hostname_verify", true));
}

#[test]
fn nats_shows_its_certificate() {
    let nats = Nats::with_tls();
    let at = |place: &str| {
        let mut settings = nats.settings();
        settings.push(("nats_url", format!("tls://app:apppw@{place}")));
        settings
    };
    check_tls("nats", nats.daemon().address(), &at, ("nats_skip_tls_verify", true));
}

#[test]
fn cassandra_shows_its_certificate() {
    let cassandra = Cassandra::shared();
    let at = |place: &str| {
        let mut settings = cassandra.settings_with_tls();
        settings.push(("cassandra_hosts", place.to_owned()));
        settings
    };
    check_tls("cassandra", cassandra.daemon().address(), &at, ("cassandra_hostname_verify", false));
}
