//! PostgreSQL and MariaDB fail in every way that is known.

use std::time::Duration;

use airside_tests::harness::services::{Backend, MariaDb, Postgres};
use airside_tests::harness::{Client, Proxy, Traffic};

use super::outage::{Fault, Subject, survives};
use crate::it::wire::query;

/// Long enough for the outage to be seen to go on.
const A_WHILE: Duration = Duration::from_secs(1);

#[track_caller]
fn check(begin: fn(&dyn Backend, &Proxy), end: fn(&dyn Backend, &Proxy), lasts: Duration) {
    let fault = Fault { begin, end, lasts };
    let postgres = Postgres::start();
    survives(&Subject { name: "postgres", back_end: &postgres, work: select }, &fault);
    let mariadb = MariaDb::start();
    survives(&Subject { name: "mysql", back_end: &mariadb, work: select }, &fault);
}

fn select(client: &mut Client) -> Result<(), String> {
    match query(client, "select 1 a") {
        Ok((_, rows)) if rows == r#"[{"a":1}]"# => Ok(()),
        Ok((_, rows)) => panic!("{rows}"),
        Err(refusal) => Err(refusal.text),
    }
}

#[test]
fn killed_and_started_again() {
    check(|server, _| server.daemon().kill(), |server, _| server.daemon().restart(), A_WHILE);
}

#[test]
fn frozen_for_ten_seconds() {
    let ten = Duration::from_secs(10);
    check(|server, _| server.daemon().freeze(), |server, _| server.daemon().thaw(), ten);
}

#[test]
fn connections_are_reset() {
    check(|_, proxy| proxy.reset(), |_, _| {}, Duration::ZERO);
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
