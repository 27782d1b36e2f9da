//! Expected values are what Go 1.26's `net/url` gives, but for what is kept secret and for queries
//! and hosts that no request can carry.

use proptest::prelude::*;

use super::Url;

#[test]
fn urls_are_read_as_go_reads_them() {
    // Scheme, host, what the request line names, how errors show it.
    let check = |text: &str, expected: [&str; 4]| {
        let url = Url::parse(text).unwrap();
        let found = [&*url.scheme, &*url.host, &*url.request_target(), &*url.to_string()];
        assert_eq!(found, expected, "{text}");
    };
    check("http://127.0.0.1:80/a?b=c", ["http", "127.0.0.1:80", "/a?b=c", "http://127.0.0.1:80/a"]);
    check("HTTP://Host", ["http", "Host", "/", "http://Host"]);
    check("http://h?q", ["http", "h", "/?q", "http://h"]);
    check("http://h/?", ["http", "h", "/?", "http://h/"]);
    check("http://h#f", ["http", "h", "/", "http://h"]);
    check("http://h:/", ["http", "h", "/", "http://h/"]);
    check("http://[::1]:80/", ["http", "[::1]:80", "/", "http://[::1]:80/"]);
    check("http://u:p@h/", ["http", "h", "/", "http://h/"]);
    check("http://u@x:p@h/", ["http", "h", "/", "http://h/"]);
    check("http://h%C3%A4/", ["http", "hä", "/", "http://hä/"]);
    check("http://h/a b", ["http", "h", "/a%20b", "http://h/a%20b"]);
    check("http://h/a b%2Fc", ["http", "h", "/a%20b/c", "http://h/a%20b/c"]);
    check("http://h/a%2Fc", ["http", "h", "/a%2Fc", "http://h/a%2Fc"]);
    check("http://h/ä", ["http", "h", "/%C3%A4", "http://h/%C3%A4"]);
    check("http://h/[x]", ["http", "h", "/[x]", "http://h/[x]"]);
    check("http://h/a|b", ["http", "h", "/a%7Cb", "http://h/a%7Cb"]);
    // Go sends the space, which ends the request line.
    check("http://h/a?b c", ["http", "h", "/a?b%20c", "http://h/a"]);
    check("/p", ["", "", "/p", "/p"]);
    check("//h/p", ["", "h", "/p", "//h/p"]);
    check("", ["", "", "/", ""]);
    check("http://", ["http", "", "/", "http:"]);
    check("http:///p", ["http", "", "/p", "http:///p"]);
    check("http:foo", ["http", "", "/", "http:foo"]);
    check("p:q/r", ["p", "", "/", "p:q/r"]);
}

#[test]
fn what_is_no_url_is_refused_in_gos_words() {
    let check = |text: &str, expected: &str| {
        assert_eq!(Url::parse(text).unwrap_err().to_string(), expected, "{text}");
    };
    check("http://h/#%zz", r#"parse "http://h/": invalid URL escape "%zz""#);
    check("http://h/%zz", r#"parse "http://h/%zz": invalid URL escape "%zz""#);
    check("http://h/%", r#"parse "http://h/%": invalid URL escape "%""#);
    check("http://ho st/", r#"parse "http://ho st/": invalid character " " in host name"#);
    check("http://h:x/", r#"parse "http://h:x/": invalid port ":x" after host"#);
    check("http://h:80x/a", r#"parse "http://h:80x/a": invalid port ":80x" after host"#);
    check("http://h:80:90/", r#"parse "http://h:80:90/": invalid port ":80:90" after host"#);
    check("http://[::1/", r#"parse "http://[::1/": missing ']' in host"#);
    check("http://[127.0.0.1]/", r#"parse "http://[127.0.0.1]/": invalid IP-literal"#);
    check("http://a[::1]/", r#"parse "http://a[::1]/": invalid IP-literal"#);
    check(
        "http://[zz]/",
        r#"parse "http://[zz]/": invalid host: ParseAddr("zz"): unable to parse IP"#,
    );
    check("http://%41/", r#"parse "http://%41/": invalid URL escape "%41""#);
    check(":foo", r#"parse ":foo": missing protocol scheme"#);
    check("1http://x", r#"parse "1http://x": first path segment in URL cannot contain colon"#);
    check("http://h/\u{1}", r#"parse "http://h/\x01": net/url: invalid control character in URL"#);
    // What may be secret is in no error.
    check("http://u:p w@h/", r#"parse "http://h/": net/url: invalid userinfo"#);
    check("http://u:se/cret@h/", r#"parse "http://h/": invalid port"#);
    check("http://u:%zz@h/?key=1", r#"parse "http://h/": invalid URL escape"#);
}

#[test]
fn references_are_resolved_as_go_resolves_them() {
    let base = Url::parse("http://u:p@h:8/a/b/c?q=1").unwrap();
    let check = |reference: &str, expected: &str| {
        let url = base.join(reference).unwrap();
        let user = if url.user.is_some() { "u:p@" } else { "" };
        assert_eq!(url.referer().replacen("//", &format!("//{user}"), 1), expected, "{reference}");
    };
    check("d", "http://u:p@h:8/a/b/d");
    check("./d", "http://u:p@h:8/a/b/d");
    check("../d", "http://u:p@h:8/a/d");
    check("../../../d", "http://u:p@h:8/d");
    check("/d", "http://u:p@h:8/d");
    check("//o/d", "http://o/d");
    check("?x", "http://u:p@h:8/a/b/c?x");
    check("", "http://u:p@h:8/a/b/c?q=1");
    check("#f", "http://u:p@h:8/a/b/c?q=1");
    check("https://o:9/x/../y", "https://o:9/y");
    check("..", "http://u:p@h:8/a/");
    check(".", "http://u:p@h:8/a/b/");
    check("d/", "http://u:p@h:8/a/b/d/");
    check("d/..", "http://u:p@h:8/a/b/");
    check("/a//b", "http://u:p@h:8/a//b");
    check("g;x=1/../y", "http://u:p@h:8/a/b/y");
    check("http://o", "http://o");
    assert!(base.join("%zz").is_err());
}

proptest! {
    /// Whatever a guest or a server says, what is sent fits into a request line.
    #[test]
    fn what_is_sent_is_printable(text in ".{0,40}", location in "[ -~ä/.?#:@]{0,20}") {
        let base = format!("http://h/{text}");
        for url in [Url::parse(&text), Url::parse(&base)].into_iter().flatten() {
            prop_assert!(url.request_target().bytes().all(|byte| byte.is_ascii_graphic()));
            if let Ok(url) = url.join(&location) {
                prop_assert!(url.request_target().bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }
    }

    #[test]
    fn a_password_is_shown_nowhere(password in "[A-Z]{6}[a-z/:%@]{0,6}[A-Z]{6}", rest in "[a-z0-9/: ]{0,8}") {
        let text = format!("http://user:{password}@h{rest}");
        let shown = match Url::parse(&text) {
            Ok(url) => format!("{url} {url:?} {}", url.referer()),
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!shown.contains(&password[..6]) && !shown.contains("user"), "{}", shown);
    }
}
