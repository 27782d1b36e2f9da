//! What guests ask of the host, through the whole server: log, metrics, and the file of the key-value store when it must
//! survive a kill. What every key-value store must do is in `kv_conformance`.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;

use airside_tests::harness::{Server, Setup, WAIT, parse_metrics, poll_until, wasm};
use serde_json::{Value, json};

use crate::it::load::{call, kv_key, kv_set, metric};

fn embedded() -> Setup {
    let setup = Setup::new().guest("call").set("enable_kvstore", true);
    let file = setup.path("data/kv.db");
    setup.set("kvstore_type", "boltdb").set("boltdb_filename", file)
}

#[test]
fn what_is_not_there_is_a_callback_not_found() {
    let server = Setup::new().guest("call").start();
    let mut client = server.client();
    for (capability, operation) in [
        ("kvstore", "get"),
        ("kvstore", "nothing"),
        ("sql", "query"),
        ("nothing", "get"),
        ("Logger", "info"),
        ("function", "call"),
    ] {
        let response = client.post("/call", call(capability, operation, ""));
        assert_eq!(response.text(), "0callback not found\n", "{capability}/{operation}");
    }
    let other_namespace = client.post("/call", "default\nlogger\ninfo\ntext");
    assert_eq!(other_namespace.text(), "0callback not found\n");
}

#[test]
fn a_log_that_nobody_reads_holds_nobody_up() {
    let server = Setup::new().guest("log").guest("hello").start();
    server.pause_log(true);
    // More than the pipe and the server's queue hold.
    let line = "x".repeat(4000);
    let dropped = || metric(&server, "airside_log_lines_dropped_total", &[]).unwrap();
    let mut client = server.client();
    poll_until("dropped lines", WAIT, || {
        (0..200).for_each(|_| assert_eq!(client.post("/log", &line).text(), "11"));
        (dropped() > 0.0).then_some(())
    });
    assert_eq!(server.get("/hello").status, 200);
    server.pause_log(false);
    // The log goes on and says what is missing.
    poll_until("word of the loss", WAIT, || {
        assert_eq!(client.post("/log", "after the flood").text(), "11");
        let log = server.log();
        (log.contains("after the flood") && log.contains("dropped")).then_some(())
    });
    server.stop();
}

#[test]
fn a_log_that_nobody_reads_does_not_keep_the_server_from_ending() {
    let mut server = Setup::new().guest("log").set("grace_period_ms", 500).start();
    server.pause_log(true);
    let line = "x".repeat(4000);
    let mut client = server.client();
    (0..200).for_each(|_| assert_eq!(client.post("/log", &line).text(), "11"));
    server.signal(rustix::process::Signal::TERM);
    assert_eq!(server.wait().code(), Some(0));
}

/// The lines of the log that come from a guest.
fn guest_lines(server: &Server) -> Vec<Value> {
    let log = server.log();
    let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.filter(|line| line.get("function").is_some()).collect()
}

/// What each operation of the logger logs as.
const LEVELS: [(&str, &str, &str); 10] = [
    ("logger", "error", "ERROR"),
    ("logger", "warn", "WARN"),
    ("logger", "info", "INFO"),
    ("logger", "debug", "DEBUG"),
    ("logger", "trace", "TRACE"),
    ("logging", "Error", "ERROR"),
    ("logging", "Warn", "WARN"),
    ("logging", "Info", "INFO"),
    ("logging", "Debug", "DEBUG"),
    ("logging", "Trace", "TRACE"),
];

fn log_all_levels(server: &Server) {
    let mut client = server.client();
    for (number, (capability, operation, _)) in LEVELS.iter().enumerate() {
        let response = client.post("/call", call(capability, operation, format!("line {number}")));
        assert_eq!(response.text(), "1", "{capability}/{operation}");
    }
}

#[test]
fn guests_log_lines_of_every_level() {
    // The settings, and the levels that are logged with them.
    let rows: [(&[&str], &[&str]); 3] = [
        (&[], &["ERROR", "WARN", "INFO"]),
        (&["debug"], &["ERROR", "WARN", "INFO", "DEBUG"]),
        (&["trace"], &["ERROR", "WARN", "INFO", "DEBUG", "TRACE"]),
    ];
    for (settings, levels) in rows {
        let setup = settings.iter().fold(Setup::new().guest("call"), |s, key| s.set(key, true));
        let server = setup.start();
        log_all_levels(&server);
        let expected: Vec<(String, &str)> = LEVELS
            .iter()
            .enumerate()
            .filter(|(_, (.., level))| levels.contains(level))
            .map(|(number, (.., level))| (format!("line {number}"), *level))
            .collect();
        let lines = poll_until("the lines", WAIT, || {
            let lines = guest_lines(&server);
            (lines.len() >= expected.len()).then_some(lines)
        });
        let seen: Vec<(String, &str)> = lines
            .iter()
            .map(|line| {
                assert_eq!(line["function"], "call", "{line}");
                assert!(line["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{line}");
                (line["msg"].as_str().unwrap().to_owned(), line["level"].as_str().unwrap())
            })
            .collect();
        assert_eq!(seen, expected, "{settings:?}");
    }
}

#[test]
fn the_log_can_be_text_or_nothing() {
    let server = Setup::new().guest("call").set("text_log_format", true).start();
    log_all_levels(&server);
    let line = poll_until("the line", WAIT, || {
        server.log().lines().find(|line| line.contains("msg=\"line 2\"")).map(str::to_owned)
    });
    assert!(line.starts_with("time=") && line.contains(" level=INFO "), "{line}");
    assert!(line.contains(" function=\"call\""), "{line}");
    assert!(!server.log().contains("line 3"), "a debug line");
}

#[test]
fn a_guest_cannot_forge_a_line() {
    let server = Setup::new().guest("log").start();
    let forged = "a\n{\"level\":\"ERROR\",\"msg\":\"forged\"}\r\u{2028}\0\"";
    assert_eq!(server.post("/log", forged).text(), "11");
    let lines = poll_until("the lines", WAIT, || {
        let lines = guest_lines(&server);
        (lines.len() >= 3).then_some(lines)
    });
    assert!(lines[..2].iter().all(|line| line["msg"] == forged), "{lines:?}");
    assert!(server.log().lines().all(|line| line.starts_with("{\"time\":")), "{}", server.log());
}

#[test]
fn what_guests_write_to_standard_output_is_logged() {
    let server = Setup::new().guest("wasi").guest("wasi_unstable").start();
    assert_eq!(server.get("/wasi").status, 200);
    assert_eq!(server.get("/wasi_unstable").status, 200);
    for (function, message) in [("wasi", "from stderr"), ("wasi_unstable", "from stdout")] {
        poll_until("the line", WAIT, || {
            let lines = guest_lines(&server);
            lines.iter().any(|l| l["function"] == function && l["msg"] == message).then_some(())
        });
    }
}

#[test]
fn metrics_of_guests_are_on_the_page() {
    let server = Setup::new().guest("call").start();
    // Each on a connection of its own, and so by chance on different shards.
    for _ in 0..4 {
        assert_eq!(
            server.post("/call", call("metrics", "counter", "{\"name\":\"c\"}")).text(),
            "1"
        );
    }
    for (action, times) in [("inc", 4), ("dec", 1)] {
        let payload = format!("{{\"name\":\"g\",\"action\":\"{action}\"}}");
        for _ in 0..times {
            assert_eq!(server.post("/call", call("metrics", "gauge", &payload)).text(), "1");
        }
    }
    for value in ["1", "2.5"] {
        let payload = format!("{{\"name\":\"h\",\"value\":{value}}}");
        assert_eq!(server.post("/call", call("metrics", "histogram", payload)).text(), "1");
    }
    let families = parse_metrics(&server.get("/metrics").text()).unwrap();
    let value = |family: &str, name: &str| families[family].value(name, &[]);
    assert_eq!((families["c"].kind.as_str(), value("c", "c")), ("counter", Some(4.0)));
    assert_eq!((families["g"].kind.as_str(), value("g", "g")), ("gauge", Some(3.0)));
    assert_eq!(families["h"].kind, "summary");
    assert_eq!((value("h", "h_sum"), value("h", "h_count")), (Some(3.5), Some(2.0)));
    assert!(families["h"].value("h", &[("quantile", "0.5")]).is_some());
}

#[test]
fn metrics_in_protobuf_count_too() {
    // Not under the guest's name: `/metrics` is the page.
    let server = Setup::new().function("count", &wasm("metrics"), json!({})).start();
    for _ in 0..3 {
        assert_eq!(server.get("/count").text(), "111");
    }
    assert_eq!(metric(&server, "guest_calls", &[]), Some(3.0));
    assert_eq!(metric(&server, "guest_level", &[]), Some(3.0));
    assert_eq!(metric(&server, "guest_size_sum", &[]), Some(4.5));
}

#[test]
fn wrong_metrics_are_refused() {
    let server = Setup::new().guest("call").start();
    let rows = [
        ("counter", "{\"name\":\"\"}", "0invalid metric name\n"),
        ("counter", "{\"name\":\"a b\"}", "0invalid metric name\n"),
        ("counter", "{\"name\":\"m\"}", "1"),
        ("gauge", "{\"name\":\"m\",\"action\":\"inc\"}", "0metric name in use\n"),
        ("gauge", "{\"name\":\"n\",\"action\":\"up\"}", "0invalid action\n"),
        // These two end the process of one Tarmac or another, or take its page apart.
        ("counter", "{\"name\":\"go_goroutines\"}", "1"),
        ("counter", "{\"name\":\"1st\"}", "0invalid metric name\n"),
    ];
    for (operation, payload, expected) in rows {
        let response = server.post("/call", call("metrics", operation, payload));
        assert_eq!(response.text(), expected, "{operation} {payload}");
    }
    let bad = server.post("/call", call("metrics", "counter", "{\"name\":"));
    assert!(bad.text().starts_with("0unable to parse input JSON - "), "{}", bad.text());
    parse_metrics(&server.get("/metrics").text()).unwrap();
}

#[test]
fn every_answered_set_survives_a_kill() {
    const CONNECTIONS: usize = 8;
    let mut setup = embedded();
    let mut stored: BTreeMap<String, String> = BTreeMap::new();
    for round in 0..3 {
        let server = setup.start();
        let answered = Mutex::new(Vec::new());
        let (address, answered_ref) = (server.address(), &answered);
        setup = thread::scope(|scope| {
            for connection in 0..CONNECTIONS {
                scope.spawn(move || {
                    let mut client = airside_tests::harness::Client::connect(address);
                    for number in 0.. {
                        // Some keys are overwritten, some are new.
                        let key = format!("{round}-{connection}-{}", number % 100);
                        let data = format!("{round}/{number}");
                        let set = call("kvstore", "set", kv_set(&key, data.as_bytes()));
                        client.post_request("/call", &set);
                        let Ok(response) = client.try_receive() else { return };
                        assert_eq!(response.body.first(), Some(&b'1'), "{response:?}");
                        answered_ref.lock().unwrap().push((key, data));
                    }
                });
            }
            poll_until("enough sets", WAIT, || {
                (answered_ref.lock().unwrap().len() > 300).then_some(())
            });
            server.kill()
        });
        stored.extend(answered.into_inner().unwrap());
    }
    let server = setup.start();
    let mut client = server.client();
    for (key, data) in &stored {
        let response = client.post("/call", call("kvstore", "get", kv_key(key)));
        let text = response.text();
        // The last set may have been stored and not answered; it is a later one.
        let number = |data: &str| data.rsplit('/').next().unwrap().parse::<u64>().unwrap();
        let found = text.rsplit(|c: char| !c.is_ascii_digit() && c != '/').next().unwrap();
        assert!(
            text.starts_with('1') && number(found) >= number(data),
            "{key}: {data}, but {text}"
        );
    }
}

#[test]
fn a_store_that_cannot_be_opened_is_an_error_at_the_start() {
    let setup = embedded();
    let file = setup.path("data/kv.db");
    std::fs::create_dir_all(setup.path("data")).unwrap();
    std::fs::write(&file, "not a store ".repeat(1000)).unwrap();
    let finished = setup.run();
    assert_eq!(finished.code, Some(69), "{}", finished.stderr);
    assert!(finished.stderr.contains(&file), "{}", finished.stderr);
}
