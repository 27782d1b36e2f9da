//! Command lines and what `airside check` writes.

use super::{Command, EXIT_OK, EXIT_USAGE, check, parse};
use crate::config::{Config, Demo};

fn words(line: &str) -> Vec<std::ffi::OsString> {
    line.split(' ').map(std::ffi::OsString::from).collect()
}

#[test]
fn commands_are_understood() {
    let check = |line: &str, expected: Command| assert_eq!(parse(words(line)), Ok(expected));
    let demo = |listen: Option<&str>| Command::Demo { listen: listen.map(|a| a.parse().unwrap()) };
    check("airside", Command::Serve);
    check("airside serve", Command::Serve);
    check("airside check", Command::Check);
    check("airside config", Command::Config);
    check("airside demo", demo(None));
    check("airside demo --listen 0.0.0.0:0", demo(Some("0.0.0.0:0")));
    check("airside demo --listen=:9000", demo(Some("0.0.0.0:9000")));
    let import = |bucket: &str| Command::ImportBolt {
        source: "a".into(),
        destination: "b".into(),
        bucket: bucket.into(),
    };
    check("airside import-bolt a b", import("tarmac"));
    check("airside import-bolt --bucket=x a b", import("x"));
    check("airside import-bolt a b --bucket x", import("x"));
}

#[test]
fn other_lines_are_answered_with_text() {
    let check = |line: &str, exit_code: u8, part: &str| {
        let answer = parse(words(line)).unwrap_err();
        assert_eq!(answer.exit_code, exit_code, "{answer}");
        assert!(answer.text.contains(part), "{answer}");
    };
    check("airside --version", EXIT_OK, env!("CARGO_PKG_VERSION"));
    check("airside --help", EXIT_OK, "Print all settings");
    check("airside sevre", EXIT_USAGE, "serve");
    check("airside serve now", EXIT_USAGE, "now");
    check("airside demo --listen here", EXIT_USAGE, "0.0.0.0:8443");
    check("airside import-bolt a", EXIT_USAGE, "<DEST>");
}

fn demo() -> Demo {
    Demo {
        tarmac_json: r#"{"services": {"demo": {"name": "demo",
            "functions": {"hello": {"filepath": "hello.wasm", "pool_size": 4},
                          "alone": {"filepath": "hello.wasm", "isolation": "fresh"}},
            "routes": [{"type": "http", "path": "/hello/:name", "methods": ["GET", "POST"],
                        "function": "hello"},
                       {"type": "function", "function": "hello"},
                       {"type": "function", "function": "alone"}]}}}"#,
        modules: &[("hello.wasm", b"\0asm")],
        listen: None,
        kv_path: "/tmp/demo.db".into(),
    }
}

#[test]
fn check_says_what_would_be_served() {
    let config = Config::demo([("APP_DEBG".to_owned(), "1".to_owned())], &demo());
    let mut out = Vec::new();
    assert_eq!(check(&config, &mut |_| Ok(()), &mut out).unwrap(), EXIT_OK);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "warning: APP_DEBG is not a setting; is APP_DEBUG meant?\n\
         listen     http://127.0.0.1:8080\n\
         key-value  /tmp/demo.db\n\
         function   hello: built in, 4 bytes, 4 instances, callable by functions\n\
         function   alone: built in, 4 bytes, 100 instances, a fresh one for each call, callable by \
         functions\n\
         route      GET POST /hello/:name -> hello\n\
         the configuration is valid\n"
    );
}

#[test]
fn check_says_what_is_wrong() {
    let mut out = Vec::new();
    let wrong = Config::demo([("APP_DEBUG".to_owned(), "maybe".to_owned())], &demo());
    assert_eq!(check(&wrong, &mut |_| Ok(()), &mut out).unwrap(), EXIT_USAGE);
    let config = Config::demo([], &demo());
    let mut compile = |_: &_| Err("is not a module".to_owned());
    assert_eq!(check(&config, &mut compile, &mut out).unwrap(), EXIT_USAGE);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "debug = maybe (from APP_DEBUG): write true or false (or 1, t, 0, f)\n\
         function hello (built in, 4 bytes): is not a module\n\
         function alone (built in, 4 bytes): is not a module\n"
    );
}
