//! Configuration: what is wrong is said before anything is served, all at once and by name.

use airside_tests::harness::{Finished, Setup};

#[track_caller]
fn check_refused(finished: &Finished, parts: &[&str]) {
    assert_eq!(finished.code, Some(64), "{finished:?}");
    for part in parts {
        assert!(finished.stderr.contains(part), "no {part:?} in: {}", finished.stderr);
    }
    assert_eq!(finished.stdout, "");
}

#[test]
fn all_errors_are_said_at_once() {
    let finished = Setup::new()
        .guest("hello")
        .set("listen_addr", "nowhere")
        .set("debug", "maybe")
        .set("http_headers_max", "many")
        .set("function_timeout_ms", -1)
        .set("kvstore_type", "paper")
        .set("enable_kvstore", true)
        .set("enable_tsl", false)
        .run();
    check_refused(
        &finished,
        &[
            "listen_addr = nowhere (from APP_LISTEN_ADDR): ",
            "debug = maybe (from APP_DEBUG): ",
            "http_headers_max = many (from APP_HTTP_HEADERS_MAX): ",
            "function_timeout_ms = -1 (from APP_FUNCTION_TIMEOUT_MS): ",
            "kvstore_type = paper (from APP_KVSTORE_TYPE): ",
        ],
    );
    assert!(finished.stderr.lines().count() >= 5, "{}", finished.stderr);
}

#[test]
fn mistakes_in_tarmac_json_have_their_place() {
    let setup = Setup::new();
    let module = setup.path("hello.wasm");
    std::fs::write(&module, airside_tests::harness::wasm("hello")).unwrap();
    let text = format!(
        r#"{{"services": {{"s": {{
            "name": "s",
            "functions": {{
                "hello": {{"filepath": "{module}", "poolsize": 3}},
                "gone": {{"filepath": "/nowhere/gone.wasm", "pool_size": 0}}
            }},
            "routes": [
                {{"type": "http", "path": "/a", "methods": ["GET"], "function": "helo"}},
                {{"type": "http", "path": "no-slash", "methods": ["GET"], "function": "hello"}},
                {{"type": "tcp", "function": "hello"}},
                {{"type": "scheduled_task", "function": "hello", "frequency": 5}}
            ]
        }}}}}}"#
    );
    let finished = setup.tarmac_json(text).run();
    check_refused(
        &finished,
        &[
            "services.s.functions.hello.poolsize",
            "services.s.functions.gone.filepath",
            "services.s.functions.gone.pool_size",
            "services.s.routes[0].function",
            "services.s.routes[1].path",
            "services.s.routes[2].type",
            "services.s.routes[3].type",
            "not yet",
            "/tarmac.json): ",
        ],
    );
}

#[test]
fn routes_that_cannot_both_be_are_named() {
    let route = |path: &str| serde_json::json!({ "type": "http", "path": path, "methods": ["GET"], "function": "hello" });
    let setup = Setup::new().guest("hello");
    let finished =
        setup.route(route("/a/:id")).route(route("/a/:name")).route(route("/health")).run();
    check_refused(&finished, &["/a/:name", "/a/:id", "/health"]);
}

#[test]
fn text_that_is_not_json_is_refused() {
    for text in ["", "{", "[]", "{\"services\": 1}", "{\"services\": {}, \"more\": 1}"] {
        check_refused(&Setup::new().tarmac_json(text).run(), &["tarmac.json"]);
    }
}

#[test]
fn what_comes_later_is_refused_and_not_ignored() {
    let rows = [
        ("use_consul", "true", "not yet"),
        ("run_mode", "job", "not yet"),
        ("enable_tls", "true", "APP_ENABLE_TLS=false"),
    ];
    for (key, value, part) in rows {
        let variable = format!("APP_{}", key.to_ascii_uppercase());
        let finished = Setup::new().guest("hello").set(key, value).run();
        check_refused(&finished, &[&format!("{key} = {value} (from {variable}): "), part]);
    }
}

#[test]
fn back_ends_without_their_settings_are_refused() {
    for (kind, parts) in [
        ("redis", &["redis_server = \"\" (default): write host:port"][..]),
        (
            "cassandra",
            &["cassandra_hosts = \"\" (default): ", "cassandra_keyspace = \"\" (default): "],
        ),
        ("nats", &["nats_bucket = a.b (from APP_NATS_BUCKET): "]),
    ] {
        let setup = Setup::new().guest("hello").set("enable_kvstore", true);
        let setup = setup.set("kvstore_type", kind).set("nats_bucket", "a.b");
        let finished = setup.set("enable_sql", true).run();
        let sql = ["sql_type = \"\" (default): ", "sql_dsn (default): "];
        check_refused(&finished, &[parts, &sql[..]].concat());
    }
}

#[test]
fn tls_is_on_unless_it_is_set_to_false() {
    let finished = Setup::new().guest("hello").unset("enable_tls").run();
    check_refused(&finished, &["enable_tls", "(default)", "not yet", "APP_ENABLE_TLS=false"]);
}

#[test]
fn secrets_are_not_shown() {
    const SECRET: &str = "hunter2-correct-horse";
    let finished = Setup::new()
        .guest("hello")
        .set("redis_password", SECRET)
        .set("cassandra_password", SECRET)
        .set("sql_dsn", format!("postgres://user:{SECRET}@db/x"))
        .set("nats_url", format!("nats://user:{SECRET}@db"))
        .set("enable_sql", true)
        .set("sql_type", "postgres")
        .set("enable_kvstore", true)
        .set("kvstore_type", "redis")
        .set("redis_server", format!("redis://user:{SECRET}@db/x"))
        .set("debug", "maybe")
        .run();
    check_refused(&finished, &["debug = maybe", "redis_server (from APP_REDIS_SERVER): "]);
    assert!(!finished.stderr.contains(SECRET), "{}", finished.stderr);
}

#[test]
fn a_start_without_any_configuration_says_what_was_looked_for() {
    let finished = Setup::bare().set("enable_tls", false).run();
    check_refused(&finished, &["/functions/tarmac.json", "/functions/tarmac.wasm", "airside demo"]);
    // TLS is another error of the same start, and not the only one.
    let finished = Setup::bare().run();
    check_refused(&finished, &["/functions/tarmac.json", "airside demo", "APP_ENABLE_TLS=false"]);
}

#[test]
fn a_port_in_use_is_a_clear_error() {
    let server = Setup::new().guest("hello").start();
    let address = server.address();
    let finished = Setup::new().guest("hello").set("listen_addr", address).run();
    assert_eq!(finished.code, Some(69), "{finished:?}");
    let expected = format!("cannot listen on {address} (listen_addr): ");
    assert!(finished.stderr.contains(&expected), "{}", finished.stderr);
    // Nothing was taken from the first one.
    (0..20).for_each(|_| assert_eq!(server.get("/hello").status, 200));
}

#[test]
fn check_says_what_would_be_served() {
    let finished = Setup::new().guest("hello").guest("echo").arguments(&["check"]).run();
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""), "{finished:?}");
    for part in ["hello", "echo", "GET POST /hello -> hello", "the configuration is valid"] {
        assert!(finished.stdout.contains(part), "no {part:?} in: {}", finished.stdout);
    }
}

#[test]
fn check_says_what_is_wrong() {
    let setup = Setup::new().function("bad", b"\0asm", serde_json::json!({}));
    let finished = setup.arguments(&["check"]).run();
    assert_eq!(finished.code, Some(64), "{finished:?}");
    assert!(finished.stdout.contains("function bad ("), "{}", finished.stdout);
    let finished = Setup::new().guest("hello").set("debug", "maybe").arguments(&["check"]).run();
    assert_eq!(finished.code, Some(64), "{finished:?}");
    assert!(finished.stdout.contains("debug = maybe"), "{}", finished.stdout);
}

#[test]
fn the_command_line_explains_itself() {
    for (arguments, code) in [(["--help"], 0), (["--version"], 0), (["--wrong"], 64), (["fly"], 64)]
    {
        let finished = Setup::bare().arguments(&arguments).run();
        assert_eq!(finished.code, Some(code), "{finished:?}");
        let said = if code == 0 { &finished.stdout } else { &finished.stderr };
        assert!(said.to_lowercase().contains("airside"), "{finished:?}");
    }
}

#[test]
fn settings_without_effect_are_warned_about() {
    let server = Setup::new().guest("hello").set("kvstore_type", "boltdb").start();
    airside_tests::harness::poll_until("the warning", airside_tests::harness::WAIT, || {
        let log = server.log();
        let line = log.lines().find(|line| line.contains("kvstore_type"))?;
        assert!(line.contains("\"WARN\"") && line.contains("enable_kvstore is false"), "{line}");
        Some(())
    });
}

#[test]
fn the_settings_can_be_printed() {
    let finished = Setup::bare().arguments(&["config"]).run();
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""), "{finished:?}");
    for variable in ["APP_LISTEN_ADDR", "APP_SHARDS", "APP_HTTP_BODY_BYTES_MAX", "APP_SQL_DSN"] {
        assert!(finished.stdout.contains(variable), "no {variable} in: {}", finished.stdout);
    }
}
