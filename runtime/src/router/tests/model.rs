//! The router against a matcher that tries every pattern, segment by segment.

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::sample::select;

use super::{Lookup, RouteId, Router, lookup, routes};
use crate::http::Method;

fn segment() -> impl Strategy<Value = String> {
    select(vec!["a", "b", "ab", "Ab", "", "..", ".", ":p", "a:q"]).prop_map(str::to_owned)
}

fn pattern() -> impl Strategy<Value = String> {
    (vec(segment(), 0..4), prop_oneof![4 => select(vec![""]), 1 => select(vec!["/*r", "/"])])
        .prop_map(|(segments, end)| format!("/{}{end}", segments.join("/")))
}

fn path() -> impl Strategy<Value = String> {
    let part = select(vec!["a", "b", "ab", "AB", "", "..", ".", "abc", "%61", "%2F", "x"]);
    vec(part, 0..5).prop_map(|parts| format!("/{}", parts.join("/")))
}

/// Fixed text before prefixed parameters before parameters before catch-alls, from left to right.
fn rank(pattern: &str) -> Vec<(u8, isize)> {
    let rank = |segment: &str| match segment.find([':', '*']) {
        None => (0, 0),
        Some(0) if segment.starts_with('*') => (3, 0),
        Some(0) => (2, 0),
        Some(prefix) => (1, -isize::try_from(prefix).unwrap()),
    };
    pattern.split('/').map(rank).collect()
}

fn fits(pattern: &str, path: &str) -> bool {
    match (pattern.split_once('/'), path.split_once('/')) {
        _ if pattern.starts_with('*') => true,
        (Some((segment, patterns)), Some((part, parts))) => {
            fits_segment(segment, part) && fits(patterns, parts)
        }
        (None, None) => fits_segment(pattern, path),
        _ => false,
    }
}

fn fits_segment(segment: &str, part: &str) -> bool {
    match segment.split_once(':') {
        Some((prefix, _)) => part.len() > prefix.len() && part.starts_with(prefix),
        None => segment == part,
    }
}

fn decoded(path: &str) -> String {
    path.replace("%61", "a").replace("%2F", "/")
}

/// All patterns that can stand together, in order.
fn compatible(patterns: &[String]) -> (Vec<String>, Router) {
    let mut kept: Vec<String> = Vec::new();
    let mut router = Router::build(&[]).unwrap();
    for pattern in patterns {
        let table: Vec<(&str, &str)> =
            kept.iter().chain([pattern]).map(|text| ("POST", text.as_str())).collect();
        if let Ok(built) = Router::build(&routes(&table)) {
            router = built;
            kept.push(pattern.clone());
        }
    }
    (kept, router)
}

fn check(patterns: &[String], path: &str) {
    let (kept, router) = compatible(patterns);
    let path_decoded = decoded(path);
    let best = (0..kept.len())
        .filter(|&index| fits(&kept[index], &path_decoded))
        .min_by_key(|&index| rank(&kept[index]));
    let found = lookup(&router, &format!("POST {path}"));
    match (best, &found) {
        (Some(best), Lookup::Route(RouteId(id))) => {
            assert_eq!(best, usize::from(*id), "{kept:?} {path}")
        }
        (None, Lookup::Redirect { to, permanent: true }) => {
            assert!(to.starts_with('/') && !to.starts_with("//"), "{to}");
            let second = lookup(&router, &format!("POST {to}"));
            assert!(matches!(second, Lookup::Route(_)), "{kept:?} {path} {to} {second:?}");
        }
        (None, Lookup::NotFound | Lookup::MethodNotAllowed { .. }) => {}
        _ => panic!("{kept:?} {path}: {found:?} but the model says {best:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn agrees_with_trying_every_pattern(patterns in vec(pattern(), 0..8), path in path()) {
        check(&patterns, &path);
    }

    #[test]
    fn never_panics_and_never_redirects_to_another_host(
        patterns in vec("/{0,2}[a-zA-Z:*{}%é./ ]{0,12}", 0..6),
        path in prop_oneof![
            vec(any::<u8>(), 0..40),
            "/{0,3}[a-zA-Z:*{}%\\\\\\r\\n/.]{0,12}/?".prop_map(String::into_bytes),
        ],
    ) {
        let (_, router) = compatible(&patterns);
        if let Lookup::Redirect { to, .. } = router.lookup(Method::Post, b"POST", &path) {
            let safe = |byte: u8| byte.is_ascii_graphic() && !b"\\?#\"<>^`{|}".contains(&byte);
            assert!(to.starts_with('/') && !to.starts_with("//") && to.bytes().all(safe), "{to}");
        }
    }
}
