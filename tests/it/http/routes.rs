//! Where requests go: routes with patterns, and the answers to those that have none.

use airside_tests::harness::{Server, Setup};
use serde_json::json;

fn server() -> Server {
    let route = |path: &str, methods: &[&str], function: &str| json!({ "type": "http", "path": path, "methods": methods, "function": function });
    Setup::new()
        .guest("hello")
        .guest("echo")
        .guest("global")
        .route(route("/users/:id", &["GET"], "hello"))
        .route(route("/users/:id/posts/:post", &["POST", "PUT"], "echo"))
        .route(route("/files/*rest", &["GET"], "hello"))
        .route(route("/folder/", &["GET", "POST"], "hello"))
        .start()
}

#[test]
fn requests_find_their_routes() {
    let server = server();
    // Request, status, and the value of a header, or the body.
    let rows = [
        ("GET /users/7", 200, "Hello, World!"),
        ("GET /users/a%2Fb", 404, "404 page not found"),
        ("GET /files/", 200, "Hello, World!"),
        ("GET /files/a/b/c", 200, "Hello, World!"),
        ("GET /nowhere", 404, "404 page not found"),
        ("POST /nowhere", 404, "404 page not found"),
        ("GET /", 404, "404 page not found"),
        ("DELETE /users/7", 405, "GET, OPTIONS"),
        ("PATCH /hello", 405, "GET, OPTIONS, POST"),
        ("BREW /hello", 405, "GET, OPTIONS, POST"),
        ("DELETE /users/7/posts/8", 405, "OPTIONS, POST, PUT"),
        ("OPTIONS /hello", 200, "GET, OPTIONS, POST"),
        ("OPTIONS /users/7", 200, "GET, OPTIONS"),
        ("OPTIONS /nowhere", 404, "404 page not found"),
        ("GET /hello/", 301, "/hello"),
        ("GET /hello/?query=1", 301, "/hello?query=1"),
        ("POST /hello/", 308, "/hello"),
        ("GET /folder", 301, "/folder/"),
        ("POST /folder", 308, "/folder/"),
        ("POST /metrics", 405, "GET, HEAD, OPTIONS"),
    ];
    let mut client = server.client();
    for (request, status, expected) in rows {
        let (method, path) = request.split_once(' ').unwrap();
        client.request(method, path);
        let response = client.receive();
        assert_eq!(response.status, status, "{request}: {response:?}");
        let text = response.text();
        let given = match status {
            405 => response.header("allow").unwrap(),
            301 | 308 => response.header("location").unwrap(),
            _ if method == "OPTIONS" && status == 200 => response.header("allow").unwrap(),
            _ => text.trim_end(),
        };
        assert_eq!(given, expected, "{request}");
        if status == 405 {
            assert_eq!(text.trim_end(), "Method Not Allowed", "{request}");
        }
    }
}

#[test]
fn without_tarmac_json_the_one_function_answers_the_root() {
    let setup = Setup::new();
    let file = setup.path("tarmac.wasm");
    std::fs::write(&file, airside_tests::harness::wasm("echo")).unwrap();
    let server = setup.unset("wasm_function_config").set("wasm_function", file).start();
    let mut client = server.client();
    assert_eq!(client.post("/", "body").text(), "body");
    for method in ["GET", "PUT", "DELETE"] {
        client.request(method, "/");
        assert_eq!(client.receive().status, 200, "{method}");
    }
    client.request("HEAD", "/");
    assert_eq!(client.receive_head().unwrap().status, 200);
    client.request("PATCH", "/");
    assert_eq!(client.receive().status, 405);
}
