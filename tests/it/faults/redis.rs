//! Redis fails in every way that is known.

use std::net::SocketAddr;
use std::time::Duration;

use airside_tests::harness::services::{Backend, Redis, Sentinels};
use airside_tests::harness::{Client, Proxy, Setup, Traffic, WAIT, poll_until};

use super::RECOVERY_MAX;
use super::kinds::{CUT, FROZEN, Fault, KILLED, REFUSED, RESET, SILENT, SLOW};
use super::outage::{Subject, is_ready, setup, survives};
use crate::it::wire::set;

pub(super) fn store(client: &mut Client, _: SocketAddr) -> Result<(), String> {
    set(client, "key", "value").map_err(|refusal| refusal.text)
}

fn subject(redis: &Redis) -> Subject<'_> {
    Subject { back_end: redis, called: "redis at ", has_health: true, work: store }
}

#[test]
fn it_fails_in_every_way() {
    survives(&subject(&Redis::start()), &[KILLED, RESET, CUT, REFUSED, SILENT, SLOW]);
}

#[test]
fn it_is_frozen_for_ten_seconds() {
    let fault = Fault { lasts: Duration::from_secs(10), ..FROZEN };
    survives(&subject(&Redis::start()), &[fault]);
}

#[test]
fn slow_answers_are_answers() {
    let redis = Redis::start();
    let address = redis.daemon().address();
    let proxy = Proxy::before(address);
    let server = setup(&subject(&redis), &proxy).start();
    let mut client = server.client();
    poll_until("the first connection", WAIT, || store(&mut client, address).is_ok().then_some(()));
    proxy.set(Traffic::Slow(Duration::from_millis(200)));
    for _ in 0..5 {
        assert_eq!(store(&mut client, address), Ok(()));
        assert!(is_ready(&server));
    }
    assert!(!server.log().contains(" is down: "), "{}", server.log());
}

#[test]
fn the_replica_takes_over() {
    let redis = Sentinels::with_password();
    let server = Setup::new().guest("call").set_all(redis.settings()).start();
    let mut client = server.client();
    let mut set = || set(&mut client, "key", "value").is_ok().then_some(());
    poll_until("the first connection", WAIT, &mut set);
    redis.master.kill();
    poll_until("the failover", WAIT, || {
        (redis.master_port() == redis.replica.port()).then_some(())
    });
    poll_until("the recovery", RECOVERY_MAX, set);
}

#[test]
fn a_password_that_changes_is_an_outage() {
    let redis = Redis::with_tls();
    let (user, password) = Redis::USER;
    let server = Setup::new().guest("call").set_all(redis.settings()).start();
    let mut client = server.client();
    assert_eq!(set(&mut client, "key", "value"), Ok(()));
    let change = |to: &str| redis.client(&["acl", "setuser", user, "resetpass", &format!(">{to}")]);
    assert_eq!(change("another"), "OK");
    redis.client(&["client", "kill", "user", user]);
    let reason = poll_until("the truth on /ready", WAIT, || {
        Some(server.get("/ready").text()).filter(|text| text.contains("WRONGPASS"))
    });
    let error = set(&mut client, "key", "value").unwrap_err().text;
    for text in [&reason, &error, &server.log()] {
        assert!(text.contains("redis at ") && !text.contains(password), "{text}");
    }
    assert_eq!(change(password), "OK");
    poll_until("the recovery", RECOVERY_MAX, || {
        (is_ready(&server) && set(&mut client, "key", "value").is_ok()).then_some(())
    });
}
