//! Cassandra and NATS fail in every way that is known.

use airside_tests::harness::services::{Backend, Cassandra, Nats};
use airside_tests::harness::{Setup, poll_until};

use super::RECOVERY_MAX;
use super::kinds;
use super::outage::{Subject, is_ready, survives};
use super::redis::store;
use crate::it::wire::set;

#[test]
fn cassandra_fails_in_every_way() {
    let cassandra = Cassandra::start();
    let called = "cassandra at ";
    let subject = Subject { back_end: &cassandra, called, has_health: true, work: store };
    survives(&subject, &kinds::USUAL);
}

#[test]
fn nats_fails_in_every_way() {
    let nats = Nats::start();
    let subject = Subject { back_end: &nats, called: "nats at ", has_health: true, work: store };
    survives(&subject, &kinds::USUAL);
}

#[test]
fn another_nats_server_takes_over() {
    let (first, second) = (Nats::start(), Nats::start());
    let url = |nats: &Nats| nats.url(nats.daemon().address());
    let servers = format!("{} {}", url(&first), url(&second));
    let setup = Setup::new().guest("call").set_all(first.settings()).unset("nats_url");
    let server = setup.set("nats_servers", servers).start();
    // On several connections, so that every shard is likely to have been asked.
    let is_served = || (0..8).all(|_| set(&mut server.client(), "key", "value").is_ok());
    assert!(is_served());
    for nats in [&first, &second] {
        nats.daemon().kill();
        let is_well = || (is_served() && is_ready(&server)).then_some(());
        poll_until("the other server's part", RECOVERY_MAX, is_well);
        nats.daemon().restart();
    }
}
