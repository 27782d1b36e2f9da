//! `tarmac.json`: what is read from it, and what is said about a bad one.

use std::time::Duration;

use proptest::prelude::{ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::sample::select;

use super::Files;
use crate::config::{Config, Demo, Isolation};

#[track_caller]
fn check(json: &str, expected_errors: &[&str], expected_warnings: &[&str]) {
    let (errors, warnings) = Files::new(Some(json)).problems(&[]);
    let errors: Vec<String> = errors
        .lines()
        .map(|line| line.replacen("(in DIR/tarmac.json)", "", 1).replacen(" :", ":", 1))
        .collect();
    let warnings: Vec<String> = warnings
        .iter()
        .map(|line| line.replacen("(in DIR/tarmac.json)", "", 1).replacen(" :", ":", 1))
        .collect();
    assert_eq!(errors, expected_errors, "{json}");
    assert_eq!(warnings, expected_warnings, "{json}");
}

const HELLO: &str = r#""functions": {"hello": {"filepath": "DIR/hello.wasm"}}"#;

/// One service with the function `hello` and these routes.
fn with_routes(routes: &str) -> String {
    format!(r#"{{"services": {{"demo": {{"name": "d", {HELLO}, "routes": [{routes}]}}}}}}"#)
}

/// One service with this function `hello` and a route to it.
fn with_function(function: &str) -> String {
    format!(
        r#"{{"services": {{"demo": {{"name": "d", "functions": {{"hello": {function}}},
             "routes": [{{"type": "function", "function": "hello"}}]}}}}}}"#
    )
}

#[test]
fn functions_and_routes_are_read_in_order() {
    let files = Files::new(Some(
        r#"{"services": {
            "b": {"name": "b",
                  "functions": {"two": {"filepath": "DIR/hello.wasm", "pool_size": 2,
                                        "timeout_ms": 20, "memory_bytes_max": 65536,
                                        "isolation": "fresh"},
                                "one": {"FilePath": "DIR/hello.wasm", "pool_size": null,
                                        "isolation": "reuse"}},
                  "routes": [{"type": "http", "path": "/x/:id", "methods": ["GET", "PUT"],
                              "function": "three"},
                             {"type": "function", "function": "two"}]},
            "a": {"name": "a", "functions": {"three": {"filepath": "DIR/hello.wasm"}},
                  "routes": [{"type": "http", "path": "/", "methods": ["GET"],
                              "function": "one"}]}}}"#,
    ));
    let config = files.load(&[("APP_FUNCTION_TIMEOUT_MS", "7")]).unwrap();
    assert_eq!(config.warnings, [""; 0]);
    let functions: Vec<_> = config
        .functions
        .iter()
        .map(|f| {
            let limits = (f.pool_size, f.timeout, f.memory_bytes_max);
            (f.name.as_str(), limits, f.isolation, f.callable)
        })
        .collect();
    let (ms, mib) = (Duration::from_millis, 1 << 20);
    assert_eq!(
        functions,
        [
            ("two", (2, ms(20), 65_536), Isolation::Fresh, true),
            ("one", (100, ms(7), 128 * mib), Isolation::Reuse, false),
            ("three", (100, ms(7), 128 * mib), Isolation::Reuse, false),
        ]
    );
    let routes: Vec<_> = config
        .routes
        .iter()
        .map(|r| (r.pattern.as_str(), r.methods.join(" "), r.function, r.origin.as_str()))
        .collect();
    assert_eq!(
        routes,
        [
            ("/x/:id", "GET PUT".to_owned(), 2, "services.b.routes[0]"),
            ("/", "GET".to_owned(), 1, "services.a.routes[0]"),
        ]
    );
}

#[test]
fn text_that_is_not_json_is_an_error_with_its_place() {
    let (errors, _) = Files::new(Some("{\n  \"services\": {,}\n}")).problems(&[]);
    assert_eq!(
        errors,
        "(in DIR/tarmac.json): is not valid JSON: key must be a string at line 2 column 16"
    );
    check("", &[": is not valid JSON: EOF while parsing a value at line 1 column 0"], &[]);
    check("{} x", &[": is not valid JSON: trailing characters at line 1 column 4"], &[]);
    let deep = "[".repeat(100_000);
    let limit = ": is not valid JSON: recursion limit exceeded at line 1 column 128";
    check(&deep, &[limit], &[]);
}

#[test]
fn bad_function_members_are_reported_with_their_path() {
    let at =
        |member: &str, reason: &str| format!("services.demo.functions.hello{member}: {reason}");
    let check = |function: &str, expected: &[String]| {
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check(&with_function(function), &expected, &[]);
    };
    check("{}", &[at(".filepath", "is missing")]);
    check("7", &[at(" = 7", "must be an object"), at(".filepath", "is missing")]);
    check(r#"{"filepath": ""}"#, &[at(".filepath = \"\"", "must not be empty")]);
    check(r#"{"filepath": 7}"#, &[at(".filepath = 7", "must be a string")]);
    check(
        r#"{"filepath": "DIR/none.wasm"}"#,
        &[at(".filepath = \"DIR/none.wasm\"", "there is no such file")],
    );
    let bounds = "must be between 1 and 100000: without an instance nothing runs, and address \
                  space is kept for each";
    check(r#"{"filepath": "DIR/hello.wasm", "pool_size": 0}"#, &[at(".pool_size = 0", bounds)]);
    for (value, reason) in [
        ("\"shared\"", "must be reuse or fresh"),
        ("\"Fresh\"", "must be reuse or fresh"),
        ("\"\"", "must be reuse or fresh"),
        ("true", "must be a string"),
    ] {
        check(
            &format!(r#"{{"filepath": "DIR/hello.wasm", "isolation": {value}}}"#),
            &[at(&format!(".isolation = {value}"), reason)],
        );
    }
    let whole = "must be a whole number that is not negative";
    check(
        r#"{"filepath": "DIR/hello.wasm", "timeout_ms": -1, "pool_size": 1.5,
            "memory_bytes_max": "1"}"#,
        &[
            at(".timeout_ms = -1", whole),
            at(".memory_bytes_max = \"1\"", whole),
            at(".pool_size = 1.5", whole),
        ],
    );
    check(
        r#"{"filepath": "DIR/hello.wasm", "pool_sise": 1, "filepath": "b", "x y": {}}"#,
        &[
            at(".filepath = \"b\"", "the key is there twice"),
            at(".pool_sise = 1", "the key is not known here: is pool_size meant?"),
            at(
                ".\"x y\" = {...}",
                "the key is not known here: filepath, pool_size, timeout_ms, memory_bytes_max, \
                 isolation",
            ),
        ],
    );
}

#[test]
fn bad_routes_are_reported_with_their_path() {
    let at = |member: &str, reason: &str| format!("services.demo.routes[0]{member}: {reason}");
    let check = |route: &str, expected: &[String]| {
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        let ok = r#"{"type": "function", "function": "hello"}"#;
        check(&with_routes(&format!("{route}, {ok}")), &expected, &[]);
    };
    check("{}", &[at(".type", "is missing"), at(".function", "is missing")]);
    check(
        r#"{"type": "htp", "function": "helo"}"#,
        &[
            at(".function = \"helo\"", "no service has a function of this name; is hello meant?"),
            at(".type = \"htp\"", "must be http, function, scheduled_task or init"),
        ],
    );
    check(
        r#"{"type": "http", "function": "hello", "methods": []}"#,
        &[at(".path", "is missing"), at(".methods = [...]", "must have at least one method")],
    );
    check(
        r#"{"type": "http", "function": "hello", "path": "x", "methods": ["GET", 7]}"#,
        &[at(".methods[1] = 7", "must be a string"), at(".path = \"x\"", "a path starts with `/`")],
    );
    check(
        r#"{"type": "http", "function": "hello", "path": "/", "methods": ["get"]}"#,
        &[at(".methods = \"get\"", "methods are case-sensitive: write it in capital letters")],
    );
    check(
        r#"{"type": "init", "function": "hello", "retries": 3}"#,
        &[at(".type = \"init\"", "routes of type init are not yet in this version")],
    );
    check(
        r#"{"type": "scheduled_task", "function": "hello", "frequency": 3}"#,
        &[at(
            ".type = \"scheduled_task\"",
            "routes of type scheduled_task are not yet in this version",
        )],
    );
}

#[test]
fn services_share_names_and_paths() {
    let http = r#"{"type": "http", "path": "/a", "methods": ["GET"], "function": "hello"}"#;
    let health = r#"{"type": "http", "path": "/:any", "methods": ["GET"], "function": "hello"}"#;
    check(
        &format!(
            r#"{{"services": {{
                "a": {{"name": "a", {HELLO}, "routes": [{http}]}},
                "b": {{"name": "b", {HELLO}, "routes": [{http}, {health}]}},
                "a": 7}}}}"#
        ),
        &[
            "services.a = 7: the key is there twice",
            "services.b.functions.hello = {...}: functions have one name space and \
             services.a.functions.hello has this name",
            "services.b.routes[0].path = \"/a\": GET /a conflicts with /a of services.a.routes[0]",
            "services.b.routes[1].path = \"/:any\": GET /:any takes requests from /debug/, which \
             the server answers itself",
        ],
        &[],
    );
}

#[test]
fn documents_and_services_have_known_keys() {
    check(
        "[]",
        &[": must be an object"],
        &["services: there are no functions: only the admin pages answer"],
    );
    check(
        r#"{"service": {}}"#,
        &["service = {...}: the key is not known here: is services meant?"],
        &["services: there are no functions: only the admin pages answer"],
    );
    check(
        r#"{"services": {"": {"function": {}, "routes": {}}}}"#,
        &[
            "services.\"\".function = {...}: the key is not known here: is functions meant?",
            "services.\"\".name: is missing",
            "services.\"\".routes = {...}: must be an array",
        ],
        &["services: there are no functions: only the admin pages answer"],
    );
    let reason = "a function's name has 1 to 128 bytes and no control characters";
    check(
        r#"{"services": {"a": {"name": "a", "functions": {"": {"filepath": "DIR/hello.wasm"},
            "a\nb": {"filepath": "DIR/hello.wasm"}}}}}"#,
        &[
            &format!("services.a.functions.\"\" = {{...}}: {reason}"),
            &format!("services.a.functions.\"a\\nb\" = {{...}}: {reason}"),
        ],
        &[
            "services.a.functions.\"\": no route runs this function",
            "services.a.functions.\"a\\nb\": no route runs this function",
        ],
    );
}

#[test]
fn what_tarmac_ignores_is_warned_about() {
    check(&with_routes(""), &[], &["services.demo.functions.hello: no route runs this function"]);
    check(
        &with_routes(
            r#"{"type": "http", "path": "/", "methods": ["GET"], "function": "hello",
                "retries": 1},
               {"type": "function", "path": "/", "function": "hello"}"#,
        ),
        &[],
        &[
            "services.demo.routes[0].retries: has no effect on a route of this type",
            "services.demo.routes[1].path: has no effect on a route of this type",
        ],
    );
    let files = Files::new(Some(&with_function(r#"{"filepath": "DIR/hello.wasm"}"#)));
    let (errors, warnings) = files.problems(&[("APP_WASM_FUNCTION", "DIR/hello.wasm")]);
    assert_eq!(errors, "");
    assert_eq!(
        warnings,
        ["wasm_function (from APP_WASM_FUNCTION): has no effect, because DIR/tarmac.json exists"]
    );
}

/// Text that is more often nearly right than noise.
fn document() -> impl Strategy<Value = String> {
    let token = select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"services\"",
        "\"functions\"",
        "\"routes\"",
        "\"name\"",
        "\"filepath\"",
        "\"type\"",
        "\"http\"",
        "\"path\"",
        "\"/:a\"",
        "\"methods\"",
        "\"GET\"",
        "\"function\"",
        "\"hello.wasm\"",
        "null",
        "true",
        "-1",
        "1e400",
        "1e9",
        "\"\\ud800\"",
        "\"\"",
    ]);
    let function = prop_oneof![
        2 => select(vec!["{\"filepath\": \"m\"}", "{\"pool_size\": 0}", "[]", "null"]).prop_map(str::to_owned),
        1 => "[{}\\[\\]\":,a0]{0,6}",
    ];
    prop_oneof![
        proptest::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat()),
        any::<String>(),
        (function, "[/a:*%é?]{0,8}", "[a-zA-Z ]{0,5}").prop_map(|(function, path, method)| format!(
            r#"{{"services": {{"s": {{"name": "n", "functions": {{"f": {function}}}, "routes": [
                {{"type": "http", "path": "{path}", "methods": ["{method}"], "function": "f"}}]}}}}}}"#
        )),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_gives_a_configuration_or_errors_of_one_line_each(text in document()) {
        // The demo's text is part of the binary; a test has a few megabytes to leak.
        let demo = Demo {
            tarmac_json: Box::leak(text.into_boxed_str()),
            modules: &[("m", b"")],
            listen: None,
            kv_path: "/tmp/demo.db".into(),
        };
        if let Err(errors) = Config::demo([], &demo) {
            assert_eq!(errors.to_string().lines().count(), errors.errors.len());
        }
    }
}
