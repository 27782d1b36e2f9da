//! Redis fails in every way that is known.

use std::time::Duration;

use airside_tests::harness::services::{Backend, Redis, Sentinels};
use airside_tests::harness::{Client, Proxy, Setup, Traffic, WAIT, poll_until};

use super::RECOVERY_MAX;
use super::outage::{Fault, Subject, survives};
use crate::it::wire::set;

/// Long enough for the outage to be seen to go on.
const A_WHILE: Duration = Duration::from_secs(1);

#[track_caller]
fn check(begin: fn(&dyn Backend, &Proxy), end: fn(&dyn Backend, &Proxy), lasts: Duration) {
    let redis = Redis::start();
    let subject = Subject { name: "redis", back_end: &redis, work: store };
    survives(&subject, &Fault { begin, end, lasts });
}

fn store(client: &mut Client) -> Result<(), String> {
    set(client, "key", "value").map_err(|refusal| refusal.text)
}

#[test]
fn killed_and_started_again() {
    check(|redis, _| redis.daemon().kill(), |redis, _| redis.daemon().restart(), A_WHILE);
}

#[test]
fn frozen_for_ten_seconds() {
    let ten = Duration::from_secs(10);
    check(|redis, _| redis.daemon().freeze(), |redis, _| redis.daemon().thaw(), ten);
}

#[test]
fn connections_are_reset() {
    check(|_, proxy| proxy.reset(), |_, _| {}, Duration::ZERO);
}

#[test]
fn connections_are_cut() {
    check(|_, proxy| proxy.cut(), |_, _| {}, Duration::ZERO);
}

#[test]
fn the_network_refuses() {
    let begin = |_: &dyn Backend, proxy: &Proxy| {
        proxy.set(Traffic::Refused);
        proxy.reset();
    };
    check(begin, |_, proxy| proxy.set(Traffic::Flows), A_WHILE);
}

#[test]
fn the_network_is_silent() {
    check(|_, proxy| proxy.set(Traffic::Stalls), |_, proxy| proxy.set(Traffic::Flows), A_WHILE);
}

#[test]
fn answers_come_too_late() {
    let slow = |_: &dyn Backend, proxy: &Proxy| proxy.set(Traffic::Slow(Duration::from_secs(3)));
    check(slow, |_, proxy| proxy.set(Traffic::Flows), A_WHILE);
}

#[test]
fn slow_answers_are_answers() {
    let redis = Redis::start();
    let proxy = Proxy::before(redis.daemon().address());
    let subject = Subject { name: "redis", back_end: &redis, work: store };
    let server = super::outage::setup(&subject, &proxy).start();
    let mut client = server.client();
    poll_until("the first connection", WAIT, || store(&mut client).is_ok().then_some(()));
    proxy.set(Traffic::Slow(Duration::from_millis(200)));
    for _ in 0..5 {
        assert_eq!(store(&mut client), Ok(()));
        assert!(super::outage::is_ready(&server));
    }
    assert!(!server.log().contains(" is down: "), "{}", server.log());
}

#[test]
fn the_replica_takes_over() {
    let redis = Sentinels::start();
    let server = Setup::new().guest("call").set_all(redis.settings()).start();
    let mut client = server.client();
    poll_until("the first connection", WAIT, || store(&mut client).is_ok().then_some(()));
    redis.master.kill();
    poll_until("the failover", WAIT, || {
        (redis.master_port() == redis.replica.port()).then_some(())
    });
    poll_until("the recovery", RECOVERY_MAX, || store(&mut client).is_ok().then_some(()));
}
