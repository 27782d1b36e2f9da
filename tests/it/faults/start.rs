//! A back end that is not to be had when airside starts: what may pass is waited for, what will not ends the start.

use std::time::Instant;

use airside_tests::harness::services::{Backend, Certificates, Redis};
use airside_tests::harness::{Finished, Setup, poll_until};

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

#[track_caller]
fn check_refused(setup: Setup, secret: &str) {
    let Finished { code, stderr, .. } = setup.run();
    assert_eq!(code, Some(69), "{stderr}");
    assert!(stderr.contains("redis at 127.0.0.1:"), "{stderr}");
    assert!(!stderr.contains(secret), "{stderr}");
}

#[test]
fn a_wrong_password_ends_the_start() {
    let redis = Redis::with_password();
    check_refused(setup(&redis).set("redis_password", "letmein"), "letmein");
}

#[test]
fn a_certificate_of_a_stranger_ends_the_start() {
    let redis = Redis::with_tls();
    let other = Certificates::shared().other_authority();
    check_refused(setup(&redis).set("backend_ca_file", other), Redis::USER.1);
}
