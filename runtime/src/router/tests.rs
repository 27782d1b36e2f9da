//! Requests against tables of routes; conflicts by their messages.

use super::{HttpRoute, Lookup, RouteId, Router};
use crate::http::Method;

mod model;

fn routes(table: &[(&str, &str)]) -> Vec<HttpRoute> {
    let route = |(index, (methods, pattern)): (usize, &(&str, &str))| HttpRoute {
        pattern: (*pattern).to_owned(),
        methods: methods.split(' ').map(str::to_owned).collect(),
        function: 0,
        origin: format!("routes[{index}]"),
    };
    table.iter().enumerate().map(route).collect()
}

fn method(name: &str) -> Method {
    match name {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        "CONNECT" => Method::Connect,
        "TRACE" => Method::Trace,
        _ => Method::Other,
    }
}

fn lookup(router: &Router, request: &str) -> Lookup {
    let (name, path) = request.split_once(' ').unwrap();
    router.lookup(method(name), name.as_bytes(), path.as_bytes())
}

/// Looks every request up: `0` is the id of a route, `301 /a` a redirect, `405 GET, POST` a refusal.
fn check(table: &[(&str, &str)], requests: &[(&str, &str)]) {
    let router = Router::build(&routes(table)).unwrap();
    for (request, expected) in requests {
        let found = match lookup(&router, request) {
            Lookup::Route(RouteId(id)) => id.to_string(),
            Lookup::Admin(page) => format!("{page:?}"),
            Lookup::Redirect { to, permanent: true } => format!("308 {to}"),
            Lookup::Redirect { to, permanent: false } => format!("301 {to}"),
            Lookup::MethodNotAllowed { allow } => format!("405 {allow}"),
            Lookup::Options { allow } => format!("200 {allow}"),
            Lookup::BadPath => "400".to_owned(),
            Lookup::NotFound => "404".to_owned(),
        };
        assert_eq!(found, *expected, "{request} with {table:?}");
    }
}

fn check_conflicts(table: &[(&str, &str)], expected: &[&str]) {
    let conflicts = Router::build(&routes(table)).map(|_| ()).unwrap_err();
    let lines: Vec<String> =
        conflicts.iter().map(|conflict| format!("{}: {conflict}", conflict.origin())).collect();
    assert_eq!(lines, expected);
}

#[test]
fn paths_and_methods_find_their_route() {
    let table = [
        ("GET POST", "/"),
        ("GET", "/users"),
        ("GET", "/users/:id"),
        ("GET", "/users/me"),
        ("POST PATCH", "/users/:name"),
        ("GET", "/files/*rest"),
        ("GET", "/img-:name"),
        ("PROPFIND", "/dav/*path"),
        ("GET", "/{odd}"),
        ("GET", "/users/:id/posts/:post"),
    ];
    check(
        &table,
        &[
            ("GET /", "0"),
            ("POST /", "0"),
            ("GET ", "0"),
            ("GET /users", "1"),
            ("GET /users/7", "2"),
            ("GET /users/me", "3"),
            ("GET /users/mean", "2"),
            ("POST /users/me", "4"),
            ("GET /files/", "5"),
            ("GET /files/a/b/", "5"),
            ("GET /files/..%2f..", "5"),
            ("GET /img-1", "6"),
            ("PROPFIND /dav/a", "7"),
            ("GET /{odd}", "8"),
            ("GET /users/7/posts/8", "9"),
            ("GET /%75sers", "1"),
            ("GET /users/a%20b", "2"),
            ("GET /users/%ff", "2"),
            ("GET /users/7%2Fposts%2F8", "9"),
        ],
    );
}

#[test]
fn misses_say_what_would_work() {
    let table = [("GET DELETE", "/a"), ("POST", "/:any"), ("OPTIONS", "/own"), ("PUT", "/b")];
    check(
        &table,
        &[
            ("GET /nothing/here", "404"),
            ("GET /b", "405 OPTIONS, POST, PUT"),
            ("PATCH /a", "405 DELETE, GET, OPTIONS, POST"),
            ("BREW /b", "405 OPTIONS, POST, PUT"),
            ("OPTIONS /a", "200 DELETE, GET, OPTIONS, POST"),
            ("OPTIONS /own", "2"),
            ("OPTIONS *", "200 DELETE, GET, HEAD, OPTIONS, POST, PUT"),
            ("GET *", "404"),
            ("GET a", "404"),
            ("GET /%", "400"),
            ("GET /%zz", "400"),
            ("CONNECT /a", "405 DELETE, GET, OPTIONS, POST"),
        ],
    );
}

#[test]
fn misspelled_paths_redirect() {
    let table = [
        ("GET POST", "/a"),
        ("GET", "/dir/"),
        ("GET", "/b/:id"),
        ("GET", "/files/*rest"),
        ("GET", "/Case/:x/Sub"),
        ("PUT", "/only-put"),
    ];
    check(
        &table,
        &[
            ("GET /a/", "301 /a"),
            ("POST /a/", "308 /a"),
            ("GET /dir", "301 /dir/"),
            ("GET /files", "301 /files/"),
            ("GET /b/7/", "301 /b/7"),
            ("GET /b/", "404"),
            ("GET /b/a%20b%3F/", "301 /b/a%20b%3F"),
            ("GET /b/%0d%0aSet-Cookie:x/", "301 /b/%0D%0ASet-Cookie:x"),
            ("GET //a/../b/7", "301 /b/7"),
            ("GET //a", "301 /a"),
            ("GET /x/../a/", "301 /a"),
            ("GET //evil.example/..//a", "301 /a"),
            ("GET /A", "301 /a"),
            ("GET /case/KeepMe/sub/", "301 /Case/KeepMe/Sub"),
            ("GET /FILES/Keep", "301 /files/Keep"),
            ("GET /only-put/", "404"),
            ("DELETE /a/", "404"),
            ("GET /HEALTH", "301 /health"),
        ],
    );
}

#[test]
fn admin_pages_are_routes_too() {
    check(
        &[("POST", "/health"), ("POST", "/*any"), ("GET", "/debugger")],
        &[
            ("GET /health", "Health"),
            ("HEAD /ready", "Ready"),
            ("GET /metrics", "Metrics"),
            ("GET /debug/latency", "Latency"),
            ("POST /debug/latency", "Latency"),
            ("POST /debug/pprof", "1"),
            ("GET /debug/pprof", "Pprof"),
            ("GET /debug/pprof/", "Pprof"),
            ("GET /debug/pprof/heap", "Pprof"),
            ("POST /health", "0"),
            ("POST /ready", "1"),
            ("DELETE /metrics", "405 GET, HEAD, OPTIONS, POST"),
            ("GET /debugger", "2"),
            ("GET /debug/other", "405 OPTIONS, POST"),
        ],
    );
}

#[test]
fn conflicts_name_both_routes() {
    check_conflicts(
        &[("GET", "/a/:id"), ("GET POST", "/a/:id")],
        &["routes[1]: GET /a/:id conflicts with /a/:id of routes[0]"],
    );
    check_conflicts(
        &[("GET", "/a/:id/x"), ("GET", "/a/:name/y")],
        &["routes[1]: GET /a/:name/y calls the parameter `name` that /a/:id/x of routes[0] calls \
           `id`: one place has one name"],
    );
    check_conflicts(
        &[("GET", "/f/*rest"), ("GET", "/f/:x"), ("GET", "/f/"), ("GET", "/f/*other")],
        &[
            "routes[1]: GET /f/:x conflicts with /f/*rest of routes[0]",
            "routes[2]: GET /f/ conflicts with /f/*rest of routes[0]",
            "routes[3]: GET /f/*other conflicts with /f/*rest of routes[0]",
        ],
    );
    check_conflicts(
        &[("GET", "/f/:x"), ("GET", "/f/*rest"), ("GET", "/f/")],
        &["routes[1]: GET /f/*rest conflicts with /f/:x of routes[0]"],
    );
}

#[test]
fn admin_pages_cannot_be_taken() {
    let taken = |at: usize, route: &str, page: &str| {
        format!("routes[{at}]: {route} takes requests from {page}, which the server answers itself")
    };
    check_conflicts(
        &[
            ("GET", "/health"),
            ("HEAD", "/:any"),
            ("GET", "/*any"),
            ("GET", "/debug/latency"),
            ("GET", "/debug/mine"),
            ("GET", "/met:x"),
            ("GET", "/d:x/y"),
        ],
        &[
            &taken(0, "GET /health", "/health"),
            &taken(1, "HEAD /:any", "/debug/"),
            &taken(2, "GET /*any", "/debug/"),
            &taken(3, "GET /debug/latency", "/debug/"),
            &taken(4, "GET /debug/mine", "/debug/"),
            &taken(5, "GET /met:x", "/metrics"),
            &taken(6, "GET /d:x/y", "/debug/"),
        ]
        .map(String::as_str),
    );
}

#[test]
fn bad_patterns_and_methods_are_refused() {
    let check = |methods: &str, pattern: &str, expected: &str| {
        check_conflicts(&[(methods, pattern)], &[&format!("routes[0]: {expected}")]);
    };
    check("GET", "", "a path starts with `/`");
    check("GET", "a", "a path starts with `/`");
    check("GET", "/:", "`:`: a parameter's name has letters, digits, `_`, `-` and `.`");
    check("GET", "/:a b", "`:a b`: a parameter's name has letters, digits, `_`, `-` and `.`");
    check("GET", "/:a:b", "only one parameter per segment is possible: `:a:b` has more");
    check("GET", "/*a/b", "`*a` takes the rest of the path: nothing can follow it");
    check("GET", "/x*a", "`x*a`: `*a` must follow a `/`");
    check("GET", "/:a/:a", "two parameters are called `a`");
    check("GET", "/a//b", "a path has no empty segment (`//`)");
    check("GET", "//evil", "a path has no empty segment (`//`)");
    check("GET", "/a?b=c", "a path has no query and no fragment: the query is not matched");
    check("GET", "/a\n", "a path has no control characters");
    check("GET", "/a%20b", "a path is matched after percent-decoding: write the character itself");
    check("get", "/a", "methods are case-sensitive: write it in capital letters");
    check("G@T", "/a", "this is not an HTTP method");
    check("CONNECT", "/a", "a CONNECT request has no path to match");
    check("GET GET", "/a", "the method is listed twice");
}

#[test]
fn more_routes_than_ids_are_refused() {
    let texts: Vec<String> = (0..=65_536).map(|n| format!("/r{n}")).collect();
    let table: Vec<(&str, &str)> = texts.iter().map(|text| ("GET", text.as_str())).collect();
    check_conflicts(&table, &["routes[65536]: there are more than 65536 routes"]);
}
