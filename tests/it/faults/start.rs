//! A back end that is not to be had when airside starts is waited for.

use std::time::Instant;

use airside_tests::harness::services::{Backend, Redis};
use airside_tests::harness::{Setup, poll_until};

use super::outage::is_ready;
use super::{CALL_TIMEOUT, RECOVERY_MAX, SLACK};
use crate::it::wire::set;

fn setup(redis: &Redis) -> Setup {
    Setup::new().guest("call").guest("hello").set_all(redis.settings())
}

#[test]
fn a_back_end_that_comes_later_is_waited_for() {
    let redis = Redis::start();
    redis.daemon().stop();
    let server = setup(&redis).start();
    assert!(!is_ready(&server));
    assert_eq!(server.get("/health").status, 200);
    assert_eq!(server.get("/hello").status, 200);
    let place = format!("redis at {}", redis.daemon().address());
    let text = set(&mut server.client(), "key", "value").unwrap_err().text;
    assert!(text.contains(&place), "{text}");
    redis.daemon().restart();
    poll_until("the connection", RECOVERY_MAX, || is_ready(&server).then_some(()));
    assert_eq!(set(&mut server.client(), "key", "value"), Ok(()));
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
