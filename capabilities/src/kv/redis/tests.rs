//! What is made of what a server says. Real servers are met in the tests of the whole binary.

use std::io;
use std::time::Duration;

use redis::{RedisError, ServerError, Value};

use super::failure::Failure;
use super::sentinel::{all, read_address};
use super::{RedisConfig, RedisEndpoint, command, read_page};
use crate::backend::FailureKind;
use crate::backend::link::ConnectError;
use crate::dns::HostPort;

/// An error line of the protocol, read by the crate.
fn server_error(line: &str) -> ServerError {
    match redis::parse_redis_value(format!("-{line}\r\n").as_bytes()) {
        Ok(Value::ServerError(error)) => error,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn a_refusal_is_told_from_what_passes() {
    for (line, lasts) in [
        ("WRONGPASS invalid username-password pair or user is disabled.", true),
        ("NOAUTH Authentication required.", true),
        ("NOPERM User app has no permissions to run the 'role' command", true),
        ("DENIED Redis is running in protected mode", true),
        ("ERR DB index is out of range", true),
        ("ERR AUTH <password> called without any password configured", true),
        ("ERR max number of clients reached", false),
        ("LOADING Redis is loading the dataset in memory", false),
        ("MASTERDOWN Link with MASTER is down", false),
        ("BUSY Redis is busy running a script", false),
        ("CLUSTERDOWN", false),
    ] {
        let failure = Failure::from(server_error(line));
        let expected = match lasts {
            true => ConnectError::Refused(line.to_owned()),
            false => ConnectError::Unreachable(line.to_owned()),
        };
        assert_eq!(ConnectError::from(failure), expected, "{line}");
    }
}

#[test]
fn an_error_of_the_server_is_the_calls_own_unless_others_would_get_it_too() {
    for (line, doubt) in [
        ("WRONGTYPE Operation against a key holding the wrong kind of value", false),
        ("OOM command not allowed when used memory > 'maxmemory'.", false),
        ("READONLY You can't write against a read only replica.", true),
        ("LOADING Redis is loading the dataset in memory", true),
        ("NOAUTH Authentication required.", true),
    ] {
        let failure = Failure::from(server_error(line));
        assert_eq!(failure.casts_doubt(), doubt, "{line}");
        assert_eq!(<(_, _)>::from(failure), (FailureKind::Refused, line.to_owned()));
    }
}

#[test]
fn an_error_of_the_connection_says_what_happened_to_it() {
    let lost = |kind: io::ErrorKind| RedisError::from(io::Error::from(kind));
    let tls = rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired);
    for (error, reason, lasts) in [
        (lost(io::ErrorKind::BrokenPipe), "connection lost", false),
        (lost(io::ErrorKind::ConnectionReset), "connection reset", false),
        (io::Error::other(tls).into(), "received fatal alert: CertificateRequired", true),
    ] {
        let failure = Failure::from(error);
        assert!(failure.casts_doubt());
        let (kind, shown) = failure.clone().into();
        assert_eq!((kind, &*shown), (FailureKind::Connection, reason));
        assert_eq!(matches!(failure.into(), ConnectError::Refused(_)), lasts, "{reason}");
    }
}

#[test]
fn sentinels_name_a_master_or_none() {
    let bulk = |text: &str| Value::BulkString(text.into());
    let pair = |host: &str, port: &str| Value::Array(vec![bulk(host), bulk(port)]);
    let found = |host: &str, port| Some(Some(HostPort { host: host.to_owned(), port }));
    for (answer, read) in [
        (pair("10.0.0.1", "6379"), found("10.0.0.1", 6379)),
        (pair("::1", "1"), found("::1", 1)),
        (pair("redis-0.redis", "6379"), found("redis-0.redis", 6379)),
        (Value::Nil, Some(None)),
        (pair("10.0.0.1", "65536"), None),
        (Value::Array(vec![bulk("10.0.0.1")]), None),
        (Value::Okay, None),
    ] {
        assert_eq!(read_address(answer.clone()), read, "{answer:?}");
    }
}

#[test]
fn sentinels_refuse_us_only_together() {
    let refused = || ConnectError::Refused(String::from("a: no"));
    let unreachable = || ConnectError::Unreachable(String::from("b: gone"));
    for (failures, together) in [
        (vec![refused(), refused()], ConnectError::Refused(String::from("a: no; a: no"))),
        (vec![refused(), unreachable()], ConnectError::Unreachable(String::from("a: no; b: gone"))),
        (vec![unreachable()], ConnectError::Unreachable(String::from("b: gone"))),
    ] {
        assert_eq!(all(&failures), together);
    }
}

#[test]
fn a_page_of_keys_is_bytes() {
    let page = b"*2\r\n$2\r\n17\r\n*2\r\n$2\r\n\xff\r\r\n$1\r\na\r\n";
    let read = read_page(redis::parse_redis_value(page).unwrap());
    assert_eq!(read, Some((b"17".to_vec(), vec![b"\xff\r".to_vec(), b"a".to_vec()])));
    assert_eq!(read_page(Value::Array(vec![Value::Nil, Value::Array(vec![])])), None);
    assert_eq!(read_page(Value::Okay), None);
}

#[test]
fn keys_and_data_are_sent_as_they_are() {
    let packed = command("SET", &[b"a\r\n\0", b"\xff"]).get_packed_command();
    assert_eq!(packed, b"*3\r\n$3\r\nSET\r\n$4\r\na\r\n\0\r\n$1\r\n\xff\r\n");
}

#[test]
fn the_target_names_places_and_no_secret() {
    let at = |port| HostPort { host: String::from("::1"), port };
    let mut config = RedisConfig {
        endpoint: RedisEndpoint::Server(at(6379)),
        database: 3,
        user: Some(String::from("app")),
        password: Some(crate::secret::Secret::new("apppw")),
        tls: true,
        verify: true,
        keepalive: Duration::ZERO,
    };
    assert_eq!(config.target(), "[::1]:6379");
    let master = String::from("mymaster");
    config.endpoint = RedisEndpoint::Sentinels { sentinels: vec![at(1), at(2)], master };
    assert_eq!(config.target(), "mymaster (sentinels [::1]:1, [::1]:2)");
    assert!(!format!("{config:?}").contains("apppw"));
}
