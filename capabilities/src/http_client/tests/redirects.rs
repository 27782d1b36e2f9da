//! Chains of redirects, as Go's client follows them.

use hyper::StatusCode;

use super::upstream::{Answer, Seen, Upstream, ok};
use super::*;

fn moved(code: u16, location: &str) -> Answer {
    let mut answer = ok("moved");
    *answer.status_mut() = StatusCode::from_u16(code).unwrap();
    if !location.is_empty() {
        answer.headers_mut().insert(header::LOCATION, location.parse().unwrap());
    }
    answer
}

/// `/CODE/LOCATION` redirects there, a `|` of which stands for a slash; anything else answers.
fn redirect(seen: &Seen) -> Answer {
    let path = seen.line.split(' ').nth(1).unwrap();
    let asked = path[1..].split_once('/').and_then(|(code, to)| Some((code.parse().ok()?, to)));
    asked.map_or_else(|| ok("there"), |(code, to)| moved(code, &to.replace("%7C", "/")))
}

#[test]
fn methods_and_bodies_change_as_in_go() {
    run(async {
        let upstream = Upstream::start(redirect).await;
        let client = client(config());
        let check = async |method: &'static str, path: &str, second: Option<&str>, body: &str| {
            upstream.seen.borrow_mut().clear();
            let url = upstream.url(path);
            let mut request = post(&url, "body").with("Content-Type", "text/plain");
            request.method = method.into();
            client.call(&request).await.unwrap();
            let seen = upstream.seen.borrow();
            assert_eq!(seen.get(1).map(|seen| &*seen.line), second, "{method} {path}");
            if let Some(second) = seen.get(1) {
                assert_eq!(second.body, body, "{method} {path}");
                assert_eq!(second.header("content-type").is_some(), !body.is_empty());
                let referer = url.replace('|', "%7C");
                assert_eq!(second.header("referer"), Some(&*referer), "{method} {path}");
            }
        };
        for code in [301, 302, 303] {
            let path = format!("/{code}/|x");
            check("POST", &path, Some("GET /x HTTP/1.1"), "").await;
            check("PUT", &path, Some("GET /x HTTP/1.1"), "").await;
            check("GET", &path, Some("GET /x HTTP/1.1"), "").await;
            check("HEAD", &path, Some("HEAD /x HTTP/1.1"), "").await;
        }
        for code in [307, 308] {
            let path = format!("/{code}/|x");
            check("POST", &path, Some("POST /x HTTP/1.1"), "body").await;
            check("PUT", &path, Some("PUT /x HTTP/1.1"), "body").await;
        }
        // Answers as any other: no Location, and statuses that do not redirect.
        for path in ["/301/", "/308/", "/300/x", "/304/x", "/305/x", "/201/x"] {
            check("GET", path, None, "").await;
        }
        // Relative to the page.
        check("GET", "/302/../z?y", Some("GET /z?y HTTP/1.1"), "").await;
        assert_eq!(upstream.connections.get(), 1, "redirects use the same connection");
    });
}

#[test]
fn a_loop_ends_after_ten_requests() {
    run(async {
        let upstream = Upstream::start(|_| moved(302, "/again")).await;
        let request = upstream.url("/");
        let error = text(client(config()).call(&get(&request)).await.unwrap_err());
        let again = upstream.url("/again");
        assert_eq!(error, format!(r#"execute: Get "{again}": stopped after 10 redirects"#));
        assert_eq!(upstream.lines().len(), 10);
    });
}

#[test]
fn a_redirect_to_nowhere_says_where() {
    run(async {
        let upstream = Upstream::start(redirect).await;
        let client = client(config());
        let check = async |location: &str, expected: &str| {
            let url = upstream.url(&format!("/302/{location}"));
            let error = text(client.call(&post(&url, "")).await.unwrap_err());
            assert_eq!(error, expected.replace("URL", &url.replace('|', "%7C")));
        };
        check("ftp:||h|", r#"execute: Post "ftp://h/": unsupported protocol scheme "ftp""#).await;
        check(
            "http:||u:secret@h:x|",
            r#"execute: Post "URL": failed to parse Location header: parse "http://h:x/": invalid port"#,
        )
        .await;
    });
}

/// The request that reaches `to` when `from` is asked with these headers and redirects there.
async fn sent_on(from: &str, to: &str, names: &[&'static str]) -> Seen {
    let upstream = Upstream::start(|_| ok("there")).await;
    let port = upstream.address.port();
    let to = to.replace("PORT", &port.to_string());
    let first = Upstream::start(move |_| moved(307, &to)).await;
    let url = from.replace("PORT", &first.address.port().to_string());
    let request = names.iter().fold(get(&url), |request, name| request.with(name, "v"));
    client(config()).call(&request).await.unwrap();
    upstream.seen.take().remove(0)
}

#[test]
fn credentials_stay_with_their_host() {
    run(async {
        let names = ["authorization", "cookie", "cookie2", "www-authenticate", "x-own"];
        let check = async |from: &str, to: &str, kept: &[&str]| {
            let seen = sent_on(from, to, &names).await;
            let found: Vec<_> =
                names.into_iter().filter(|name| seen.header(name).is_some()).collect();
            assert_eq!(found, kept, "{from} {to}");
        };
        // The port does not count.
        check("http://localhost:PORT/", "http://localhost:PORT/", &names).await;
        check("http://localhost:PORT/", "http://127.0.0.1:PORT/", &["x-own"]).await;
        check("http://127.0.0.1:PORT/", "http://localhost:PORT/", &["x-own"]).await;
    });
}

#[test]
fn the_referer_is_the_guests_or_the_page_without_its_password() {
    run(async {
        let page = sent_on("http://u:p@127.0.0.1:PORT/p?q#f", "http://127.0.0.1:PORT/", &[]).await;
        let referer = page.header("referer").unwrap();
        assert!(referer.starts_with("http://127.0.0.1:") && referer.ends_with("/p?q"), "{referer}");
        // The password was that page's.
        assert_eq!(page.header("authorization"), None);
        let own = ["Referer"];
        let seen = sent_on("http://127.0.0.1:PORT/", "http://127.0.0.1:PORT/", &own).await;
        assert_eq!(seen.header("referer"), Some("v"));
    });
}

#[test]
fn hosts_below_another_are_within_it() {
    let check = |host: &str, parent: &str, expected: bool| {
        assert_eq!(super::redirect::is_within(host, parent), expected, "{host} {parent}");
    };
    check("a.example", "a.example", true);
    check("b.a.example", "a.example", true);
    check("ba.example", "a.example", false);
    check("example", "a.example", false);
    check("::1", "1", false);
}
