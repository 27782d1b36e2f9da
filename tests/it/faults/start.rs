//! A back end that is not to be had when airside starts is waited for.

use std::time::Instant;

use airside_tests::harness::services::{Backend, MariaDb, Nats, Postgres, Redis};
use airside_tests::harness::{Client, Setup, poll_until};

use super::outage::is_ready;
use super::{CALL_TIMEOUT, RECOVERY_MAX, SLACK};
use crate::it::wire::{query, set};

fn setup(back_end: &dyn Backend) -> Setup {
    Setup::new().guest("call").guest("hello").set_all(back_end.settings())
}

/// Waited for, and used when it is there.
#[track_caller]
fn check_waited_for(
    name: &str,
    back_end: &dyn Backend,
    used: fn(&mut Client) -> Result<(), String>,
) {
    back_end.daemon().stop();
    let server = setup(back_end).start();
    assert!(!is_ready(&server));
    assert_eq!(server.get("/health").status, 200);
    assert_eq!(server.get("/hello").status, 200);
    let place = format!("{name} at {}", back_end.daemon().address());
    let text = used(&mut server.client()).unwrap_err();
    assert!(text.contains(&place), "{text}");
    back_end.daemon().restart();
    poll_until("the connection", RECOVERY_MAX, || is_ready(&server).then_some(()));
    assert_eq!(used(&mut server.client()), Ok(()));
}

#[test]
fn a_store_that_comes_later_is_waited_for() {
    let used = |client: &mut Client| set(client, "key", "value").map_err(|refusal| refusal.text);
    check_waited_for("redis", &Redis::start(), used);
    check_waited_for("nats", &Nats::start(), used);
}

#[test]
fn a_database_that_comes_later_is_waited_for() {
    let used = |client: &mut Client| match query(client, "select 1 a") {
        Ok(_) => Ok(()),
        Err(refusal) => Err(refusal.text),
    };
    check_waited_for("postgres", &Postgres::start(), used);
    check_waited_for("mysql", &MariaDb::start(), used);
}

#[test]
fn a_name_that_cannot_be_resolved_is_an_outage() {
    let redis = Redis::start();
    let times = CALL_TIMEOUT.as_millis();
    let server = setup(&redis)
        .set("redis_server", "no-such-host.invalid:6379")
        .set("backend_connect_timeout_ms", times)
        .set("backend_call_timeout_ms", times)
        .start();
    assert!(!is_ready(&server));
    let asked = Instant::now();
    let text = set(&mut server.client(), "key", "value").unwrap_err().text;
    assert!(text.contains("redis at no-such-host.invalid:6379"), "{text}");
    assert!(asked.elapsed() <= CALL_TIMEOUT + SLACK, "{:?}", asked.elapsed());
}
