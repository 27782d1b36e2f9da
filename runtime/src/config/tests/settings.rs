//! Settings from the environment: their effect, their faults, their reference.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use super::{Files, check_errors, check_warnings};
use airside_capabilities::logger::Level;

use crate::config::{KEYS, KvConfig, write_reference};

#[test]
fn defaults_are_the_tables() {
    let config = Files::new(None).load(&[]).unwrap();
    assert_eq!(config.listen, "0.0.0.0:8443".parse().unwrap());
    assert_eq!((config.shards, &config.cpus, &config.kv), (None, &None, &None));
    assert_eq!(
        (config.log.level, config.log.json, config.log.disabled),
        (Level::Info, true, false)
    );
    assert_eq!(config.http.server_name, "airside");
    assert_eq!(config.grace_period, Duration::from_secs(10));
    assert_eq!(config.guests.wait, Duration::from_secs(5));
    assert_eq!((config.guests.queue_max, config.guests.depth_max), (1024, 16));
    assert_eq!(config.guests.artifact_dir, Path::new("/home/pilot/.cache/airside"));
    assert!(!config.maintenance && !config.pprof && !config.debug_remote);
    assert_eq!(config.warnings, [""; 0]);
}

#[test]
fn settings_have_effect() {
    let config = Files::new(None)
        .load(&[
            ("APP_LISTEN_ADDR", "127.0.0.1:0"),
            ("APP_SHARDS", "2"),
            ("APP_CPUS", "0-2"),
            ("APP_TRACE", "t"),
            ("APP_DEBUG", "1"),
            ("APP_TEXT_LOG_FORMAT", "true"),
            ("APP_DISABLE_LOGGING", "T"),
            ("APP_ENABLE_KVSTORE", "TRUE"),
            ("APP_KVSTORE_TYPE", "boltdb"),
            ("APP_BOLTDB_FILENAME", "/x/y.db"),
            ("APP_BOLTDB_PERMISSIONS", "0640"),
            ("APP_HTTP_SERVER_NAME", "tarmac"),
            ("APP_HTTP_BODY_BYTES_MAX", "7"),
            ("APP_FUNCTION_TIMEOUT_MS", "70"),
            ("APP_ENABLE_MAINTENANCE_MODE", "1"),
            ("APP_DEBUG_REMOTE", "1"),
            ("XDG_CACHE_HOME", "/cache"),
        ])
        .unwrap();
    assert_eq!((config.shards, config.cpus), (Some(2), Some(vec![0, 1, 2])));
    assert_eq!(config.log.level, Level::Trace);
    assert!(!config.log.json && config.log.disabled && config.maintenance && config.debug_remote);
    let (path, bucket) = ("/x/y.db".into(), "tarmac".to_owned());
    let timeout = Duration::from_secs(5);
    let expected = KvConfig::Embedded { path, bucket, permissions: 0o640, timeout };
    assert_eq!(config.kv, Some(expected));
    assert_eq!(config.http.server_name, "tarmac");
    assert_eq!(config.http.limits.body_bytes_max, 7);
    assert_eq!(config.functions[0].timeout, Duration::from_millis(70));
    assert_eq!(config.guests.artifact_dir, Path::new("/cache/airside"));
}

#[test]
fn cache_directory_falls_back() {
    let directory = |table: &[(&str, &str)]| {
        Files::new(None).load(table).unwrap().guests.artifact_dir.display().to_string()
    };
    assert_eq!(directory(&[("HOME", "(unset)")]), "/var/cache/airside");
    assert_eq!(directory(&[("XDG_CACHE_HOME", "relative")]), "/home/pilot/.cache/airside");
    assert_eq!(directory(&[("XDG_CACHE_HOME", "")]), "/home/pilot/.cache/airside");
    assert_eq!(directory(&[("APP_ARTIFACT_DIR", "/here")]), "/here");
}

#[test]
fn all_errors_come_at_once() {
    check_errors(
        &[
            ("APP_ENABLE_TLS", "(unset)"),
            ("APP_DEBUG", "yes"),
            ("APP_SHARDS", "0"),
            ("APP_WASM_POOL_SIZE", ""),
            ("APP_RUN_MODE", "job"),
            ("APP_WASM_FUNCTION", "DIR/none.wasm"),
        ],
        &[
            "shards = 0 (from APP_SHARDS): must be between 1 and 1024: a shard is a thread on a \
             CPU of its own",
            "wasm_pool_size = \"\" (from APP_WASM_POOL_SIZE): is empty, which is not the same as \
             unset: write a whole number from 1 to 100000",
            "debug = yes (from APP_DEBUG): write true or false (or 1, t, 0, f)",
            "enable_tls = true (default): TLS is not yet in this version; it is on by default as \
             in Tarmac, so set APP_ENABLE_TLS=false to serve plain HTTP",
            "run_mode = job (from APP_RUN_MODE): init functions are not yet in this version",
            "wasm_function = DIR/none.wasm (from APP_WASM_FUNCTION): there is no such file",
        ],
    );
}

#[test]
fn what_is_not_there_yet_is_refused() {
    let check = |variable: &str, value: &str, expected: &str| {
        let name = variable.strip_prefix("APP_").unwrap().to_ascii_lowercase();
        let line = format!("{name} = {value} (from {variable}): {expected}");
        check_errors(&[("APP_ENABLE_KVSTORE", "true"), (variable, value)], &[&line]);
    };
    check("APP_USE_CONSUL", "true", "Consul is not yet in this version");
    check(
        "APP_KVSTORE_TYPE",
        "mongo",
        "write internal, memory, in-memory, boltdb, embedded, redis, cassandra or nats",
    );
}

#[test]
fn settings_must_agree() {
    check_errors(
        &[("APP_SHARDS", "4"), ("APP_CPUS", "0,1")],
        &["shards = 4 (from APP_SHARDS): each shard has a CPU of its own and `cpus` names 2"],
    );
    check_errors(
        &[("APP_HTTP_HEAD_BYTES_MAX", "512")],
        &["http_target_bytes_max = 8192 (default): must not be more than http_head_bytes_max, of \
           which it is a part"],
    );
    check_errors(
        &[
            ("APP_ENABLE_KVSTORE", "true"),
            ("APP_KVSTORE_TYPE", "embedded"),
            ("APP_BOLTDB_BUCKET", ""),
        ],
        &["boltdb_bucket = \"\" (from APP_BOLTDB_BUCKET): must not be empty"],
    );
}

#[test]
fn errors_are_one_line_each_and_show_no_secret() {
    check_errors(
        &[("APP_LISTEN_ADDR", "1\n2: \u{1b}[31m"), ("APP_REDIS_DATABASE", &"x".repeat(500))],
        &[
            "listen_addr = 1\\n2: \\u{1b}[31m (from APP_LISTEN_ADDR): write an IP address and a \
             port: 0.0.0.0:8443",
            &format!(
                "redis_database = {}... (from APP_REDIS_DATABASE): write a whole number from 0 to \
                 65535",
                "x".repeat(120)
            ),
        ],
    );
    let secret = "hunter2";
    let table = ["APP_SQL_DSN", "APP_REDIS_PASSWORD", "APP_CASSANDRA_PASSWORD", "APP_NATS_URL"];
    for variable in table {
        let loaded = Files::new(None).load(&[(variable, secret), ("APP_DEBUG", "x")]);
        assert!(!format!("{loaded:?}").contains(secret), "{variable}");
        let loaded = Files::new(None).load(&[(variable, secret)]);
        assert!(!format!("{loaded:?}").contains(secret), "{variable}");
    }
}

#[test]
fn what_has_no_effect_is_warned_about() {
    check_warnings(
        &[
            ("APP_REDIS_SERVER", "redis:6379"),
            ("APP_CERT_FILE", "/certs/a.crt"),
            ("APP_SQL_DSN", "postgres://"),
            ("APP_CONFIG_WATCH_INTERVAL", "15"),
            ("APP_KVSTORE_TYPE", "redis"),
        ],
        &[
            "kvstore_type (from APP_KVSTORE_TYPE) has no effect: enable_kvstore is false",
            "redis_server (from APP_REDIS_SERVER) has no effect: enable_kvstore is false",
            "sql_dsn (from APP_SQL_DSN) has no effect: enable_sql is false",
            "cert_file (from APP_CERT_FILE) has no effect: enable_tls is false",
            "config_watch_interval (from APP_CONFIG_WATCH_INTERVAL) has no effect: use_consul is \
             false",
        ],
    );
    check_warnings(
        &[
            ("APP_ENABLE_KVSTORE", "1"),
            ("APP_KVSTORE_TYPE", "memory"),
            ("APP_BOLTDB_FILENAME", "/a"),
            ("APP_REDIS_SERVER", "a:1"),
        ],
        &[
            "boltdb_filename (from APP_BOLTDB_FILENAME) has no effect: kvstore_type is memory",
            "redis_server (from APP_REDIS_SERVER) has no effect: kvstore_type is memory",
        ],
    );
}

#[test]
fn unknown_variables_are_warned_about() {
    check_warnings(
        &[
            ("APP_LISTEN_ADR", "x"),
            ("APP_QUITE_ANOTHER_THING", "x"),
            ("APP_", "x"),
            ("APP_debug", "x"),
            ("APPLE", "x"),
            ("OTHER", "x"),
        ],
        &[
            "APP_ is not a setting",
            "APP_LISTEN_ADR is not a setting; is APP_LISTEN_ADDR meant?",
            "APP_QUITE_ANOTHER_THING is not a setting",
            "APP_debug is not a setting",
        ],
    );
}

#[test]
fn reference_has_every_setting_and_no_other() {
    let mut out = Vec::new();
    write_reference(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.lines().count(), KEYS.len() + 2);
    let widths: HashSet<usize> = text.lines().map(|line| line.chars().count()).collect();
    assert_eq!(widths.len(), 1, "aligned:\n{text}");
    for key in KEYS {
        assert!(text.contains(&format!("| `{}` ", key.variable())), "{}", key.name);
        assert!(key.doc.ends_with('.') && !key.doc.contains('|'), "{}", key.name);
    }
    let line = |name: &str| text.lines().find(|line| line.contains(name)).unwrap();
    assert!(line("`APP_USE_CONSUL`").contains("not yet (Consul)"));
    assert!(line("`APP_SQL_DSN`").contains("in effect"));
    assert!(line("`APP_LISTEN_ADDR`").contains("`0.0.0.0:8443`"));
    assert!(line("`APP_BOLTDB_PERMISSIONS`").contains("`0600`"));
}

#[test]
fn defaults_are_values_that_could_be_written() {
    for key in KEYS {
        let default = (key.default)();
        if default.is_empty() {
            continue;
        }
        let variable = key.variable();
        let (errors, _) = Files::new(None).problems(&[(variable.as_str(), default.as_str())]);
        let about_value: Vec<&str> = errors
            .lines()
            .filter(|line| line.starts_with(key.name) && line.contains("write "))
            .collect();
        assert_eq!(about_value, [""; 0]);
    }
}
