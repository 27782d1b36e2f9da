//! Method and path to a route, among as many routes as a larger service has. Ours stands on matchit, which has neither
//! methods nor answers to a miss: beside it is matchit alone, with the method as the first segment of patterns and paths.

use std::hint::black_box;

use airside::http::Method;
use airside::router::{HttpRoute, Lookup, RouteId, Router};
use criterion::{BenchmarkId, Criterion};

const RESOURCES: [&str; 8] =
    ["users", "orders", "products", "carts", "invoices", "payments", "reviews", "sessions"];

/// Four patterns for each resource.
fn routes() -> Vec<HttpRoute> {
    let patterns = RESOURCES.iter().flat_map(|resource| {
        ["", "/:id", "/:id/history", "/:id/files/*path"].map(|rest| format!("/{resource}{rest}"))
    });
    patterns
        .map(|pattern| HttpRoute {
            pattern,
            methods: vec![String::from("GET"), String::from("POST")],
            function: 0,
            origin: String::from("bench"),
        })
        .collect()
}

/// All routes in one tree.
fn folded() -> matchit::Router<RouteId> {
    let mut tree = matchit::Router::new();
    for (id, route) in (0..).map(RouteId).zip(routes()) {
        let pattern = route.pattern.replace(":id", "{id}").replace("*path", "{*path}");
        for method in &route.methods {
            tree.insert(format!("/{method}{pattern}"), id).expect("the routes have no conflicts");
        }
    }
    tree
}

pub(crate) fn route(criterion: &mut Criterion) {
    let router = Router::build(&routes()).expect("the routes have no conflicts");
    let found = |id| Lookup::Route(RouteId(id));
    let allow = String::from("GET, OPTIONS, POST");
    let folded = folded();
    let mut key = String::new();
    let mut group = criterion.benchmark_group("route");
    for (name, method, path, expected) in [
        ("fixed", Method::Get, "/orders", found(4)),
        ("parameter", Method::Get, "/orders/81f2c4/history", found(6)),
        ("rest", Method::Get, "/orders/81f2c4/files/2026/11/scan.pdf", found(7)),
        ("escaped", Method::Get, "/orders/81%20f2c4", found(5)),
        ("miss", Method::Get, "/favicon.ico", Lookup::NotFound),
        ("wrong method", Method::Delete, "/orders", Lookup::MethodNotAllowed { allow }),
    ] {
        assert_eq!(router.lookup(method, b"", path.as_bytes()), expected);
        group.bench_function(BenchmarkId::new("airside", name), |bencher| {
            bencher.iter(|| router.lookup(black_box(method), b"", black_box(path.as_bytes())));
        });
        group.bench_function(BenchmarkId::new("matchit", name), |bencher| {
            bencher.iter(|| {
                key.clear();
                key.push('/');
                key.push_str(black_box(method).as_str().unwrap_or_default());
                key.push_str(black_box(path));
                folded.at(&key).ok().map(|hit| *hit.value)
            });
        });
    }
    group.finish();
}
