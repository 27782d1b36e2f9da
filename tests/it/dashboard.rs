//! The dashboard in a real browser, while the server is under load.

use std::collections::BTreeSet;

use airside_tests::harness::{Browser, Server, Setup, WAIT, poll_until};
use serde_json::json;

use crate::it::load::Flood;

/// The texts of all elements that a selector finds.
#[track_caller]
fn texts(browser: &mut Browser, selector: &str) -> Vec<String> {
    let found = browser.evaluate(&format!(
        "[...document.querySelectorAll({selector:?})].map((one) => one.textContent)"
    ));
    let found = found.as_array().expect("an array");
    found.iter().map(|text| text.as_str().expect("a text").to_owned()).collect()
}

/// A browser that shows a server's dashboard with its first figures.
fn dashboard(server: &Server) -> Browser {
    let mut browser = Browser::start();
    browser.open(&format!("http://{}/debug/dashboard", server.address()));
    poll_until("a live page", WAIT, || {
        (texts(&mut browser, "#state").concat() == "live").then_some(())
    });
    browser
}

#[track_caller]
fn check_peace(browser: &Browser, server: &Server) {
    assert!(browser.complaints().is_empty(), "{:?}", browser.complaints());
    let own = format!("http://{}/", server.address());
    let foreign: Vec<String> =
        browser.requested().into_iter().filter(|url| !url.starts_with(&own)).collect();
    // The icon that is none.
    assert!(foreign.iter().all(|url| url == "data:,"), "{foreign:?}");
}

#[test]
fn the_page_is_one_file_under_a_strict_policy() {
    let server = Setup::new().guest("hello").start();
    let page = server.get("/debug/dashboard");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    let gauges: serde_json::Value =
        serde_json::from_str(&server.get("/debug/gauges").text()).expect("JSON");
    assert_eq!(gauges["functions"][0]["function"], "hello");
    assert!(gauges["resident_bytes"].as_u64() > Some(0), "{gauges}");
    assert_eq!(server.post("/debug/dashboard", "").status, 405);
}

#[test]
fn a_server_under_load_is_drawn() {
    let server = Setup::new().guest("hello").guest("error").guest("echo").start();
    let flood = Flood::start(server.address(), "/hello", 2);
    let mut browser = dashboard(&server);
    poll_until("requests in the last second", WAIT, || {
        let figures = texts(&mut browser, "#figures dd");
        (figures[0] != "0" && figures[1..3].iter().all(|time| time != "none")).then_some(())
    });
    let shards = texts(&mut browser, "#rates .legend li");
    assert_eq!(shards.len(), airside_tests::harness::cpus().len().min(shards.len()));
    assert!(shards.iter().any(|text| !text.ends_with(" 0")), "{shards:?}");
    let names = texts(&mut browser, "#latency .legend li");
    assert!(names.len() == 5 && names.iter().all(|text| !text.ends_with("none")), "{names:?}");
    let phases: BTreeSet<String> = poll_until("a spectrum", WAIT, || {
        let phases = texts(&mut browser, "#spectrum .legend li");
        let phases = phases.iter().filter_map(|text| text.split(' ').next().map(str::to_owned));
        Some(phases.collect::<BTreeSet<_>>()).filter(|phases| !phases.is_empty())
    });
    assert!(["total", "queue", "guest", "write"].iter().all(|phase| phases.contains(*phase)));
    for figure in ["rates", "latency", "errors", "instances", "connections", "memory", "spectrum"] {
        let path = browser.evaluate(&format!(
            "document.querySelector('#{figure} svg .plot').getAttribute('d').length"
        ));
        assert!(path.as_u64() > Some(5), "{figure}: {path}");
    }

    // The busiest is on top, and one that is not called has its row too.
    let mut functions = texts(&mut browser, "#functions tbody td:first-child");
    assert_eq!(functions.remove(0), "hello");
    functions.sort();
    assert_eq!(functions, ["echo", "error"]);
    assert_eq!(server.post("/error", "x").status, 500);
    poll_until("the failure in the table", WAIT, || {
        (texts(&mut browser, "#functions .failing") == ["1"]).then_some(())
    });
    flood.stop();
    check_peace(&browser, &server);
}

#[test]
fn keys_sort_the_table_and_choose_what_is_drawn() {
    let server = Setup::new().guest("hello").guest("echo").start();
    assert_eq!(server.post("/echo", "x").status, 200);
    let mut browser = dashboard(&server);
    browser.evaluate("document.querySelector('#functions th button').focus()");
    let mut order = Vec::new();
    for direction in ["ascending", "descending"] {
        browser.press("Enter", "\r", 13);
        let sorted =
            browser.evaluate("document.querySelector('#functions th').getAttribute('aria-sort')");
        assert_eq!(sorted, direction);
        order.push(texts(&mut browser, "#functions tbody td:first-child"));
    }
    assert_eq!(order, [["echo", "hello"], ["hello", "echo"]]);
    // Arrows choose the function: hello, which nobody called, has no spectrum.
    browser.evaluate("document.querySelector('#window').value = 'all'");
    browser.evaluate("document.querySelector('#function').focus()");
    for (function, drawn) in [("echo", true), ("hello", false)] {
        browser.press("ArrowDown", "", 40);
        assert_eq!(browser.evaluate("document.querySelector('#function').value"), function);
        poll_until("another spectrum", WAIT, || {
            let paths = browser.evaluate("document.querySelectorAll('#spectrum .plot').length");
            ((paths != 0) == drawn).then_some(())
        });
    }
    check_peace(&browser, &server);
}

#[test]
fn the_page_is_light_or_dark_and_fits_a_phone() {
    let server = Setup::new().guest("hello").start();
    let mut browser = dashboard(&server);
    let background = "getComputedStyle(document.body).backgroundColor";
    let mut colors = BTreeSet::new();
    for scheme in ["light", "dark"] {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        browser.call("Emulation.setEmulatedMedia", json!({ "features": [feature] }));
        let theme = "document.documentElement.dataset.theme";
        poll_until(scheme, WAIT, || (browser.evaluate(theme) == scheme).then_some(()));
        colors.insert(browser.evaluate(background).to_string());
    }
    assert_eq!(colors.len(), 2, "{colors:?}");
    browser.evaluate("document.querySelector('#theme').click()");
    assert!(colors.contains(&browser.evaluate(background).to_string()));

    let phone = json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true });
    browser.call("Emulation.setDeviceMetricsOverride", phone);
    poll_until("charts as narrow as the phone", WAIT, || {
        let width = browser.evaluate(
            "Math.max(document.documentElement.scrollWidth, ...[...document.querySelectorAll('svg')].map((svg) => svg.viewBox.baseVal.width))",
        );
        (width == 390).then_some(())
    });
    check_peace(&browser, &server);
}
