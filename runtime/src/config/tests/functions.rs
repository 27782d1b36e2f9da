//! Where functions come from: `wasm_function`, nothing, the demo.

use std::path::Path;

use super::{Files, check_errors, environment};
use crate::config::{Config, Demo, KvConfig, ModuleSource};

#[test]
fn without_tarmac_json_one_function_answers_the_root() {
    let files = Files::new(None);
    let config = files.load(&[("APP_WASM_POOL_SIZE", "3")]).unwrap();
    let function = &config.functions[0];
    assert_eq!((function.name.as_str(), function.pool_size), ("default", 3));
    assert_eq!(function.module, ModuleSource::File(files.path("hello.wasm")));
    assert_eq!(config.routes[0].pattern, "/");
    assert_eq!(config.routes[0].methods, ["GET", "POST", "PUT", "DELETE", "HEAD"]);
    assert_eq!((config.functions.len(), config.routes.len()), (1, 1));
}

#[test]
fn nothing_to_serve_says_what_was_looked_for() {
    check_errors(
        &[("APP_WASM_FUNCTION", "(unset)")],
        &["wasm_function = /functions/tarmac.wasm (default): there is nothing to serve: neither \
           /functions/tarmac.json (APP_WASM_FUNCTION_CONFIG) nor /functions/tarmac.wasm \
           (APP_WASM_FUNCTION) exists; `airside demo` shows a server with functions"],
    );
    check_errors(
        &[("APP_WASM_FUNCTION_CONFIG", "DIR/none.json")],
        &[
            "wasm_function_config = DIR/none.json (from APP_WASM_FUNCTION_CONFIG): there is no such \
           file",
        ],
    );
    check_errors(
        &[("APP_WASM_FUNCTION_CONFIG", "")],
        &["wasm_function_config = \"\" (from APP_WASM_FUNCTION_CONFIG): must not be empty"],
    );
    check_errors(
        &[("APP_WASM_FUNCTION", "none.wasm")],
        &["wasm_function = none.wasm (from APP_WASM_FUNCTION): there is no such file; a relative \
           path starts from the working directory"],
    );
    check_errors(
        &[("APP_WASM_FUNCTION", "DIR")],
        &["wasm_function = DIR (from APP_WASM_FUNCTION): is not a file"],
    );
}

fn demo() -> Demo {
    Demo {
        tarmac_json: r#"{"services": {"demo": {"name": "d", "functions": {
            "hello": {"filepath": "functions/hello.wasm"}}, "routes": [
            {"type": "http", "path": "/", "methods": ["GET"], "function": "hello"}]}}}"#,
        modules: &[("functions/hello.wasm", b"\0asm")],
        listen: None,
        kv_path: "/tmp/demo.db".into(),
    }
}

#[test]
fn demo_needs_nothing_and_can_be_tuned() {
    let config = Config::demo([], &demo()).unwrap();
    assert_eq!(config.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.functions[0].module, ModuleSource::Embedded(b"\0asm"));
    assert!(
        matches!(&config.kv, Some(KvConfig::Embedded { path, .. }) if path == Path::new("/tmp/demo.db"))
    );
    assert_eq!(config.warnings, [""; 0]);

    let table = [("APP_SHARDS", "1"), ("APP_LISTEN_ADDR", ":81"), ("APP_WASM_FUNCTION", "x")];
    let config = Config::demo(environment(&table), &demo()).unwrap();
    assert_eq!((config.shards, config.listen.port()), (Some(1), 81));
    assert_eq!(
        config.warnings,
        ["wasm_function (from APP_WASM_FUNCTION): has no effect in the demo"]
    );
    let given = Demo { listen: Some("127.0.0.1:0".parse().unwrap()), ..demo() };
    assert_eq!(Config::demo(environment(&table), &given).unwrap().listen.port(), 0);
}
