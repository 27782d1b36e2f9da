//! `/debug/dashboard`: one page that plots what `/debug/latency` and `/debug/gauges` say, once a second. Style and script
//! are in it, so it asks nobody but its own server, and its policy forbids the browser anything else.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const BODY: &str = include_str!("dashboard/body.html");
const STYLE: &str = include_str!("dashboard/style.css");
/// One script, which the last file starts.
const SCRIPT: &str = concat!(
    include_str!("dashboard/histogram.js"),
    include_str!("dashboard/charts.js"),
    include_str!("dashboard/page.js"),
    include_str!("dashboard/table.js"),
    include_str!("dashboard/start.js"),
);

/// The page and the value of its Content-Security-Policy.
pub(super) struct Dashboard {
    pub(super) html: String,
    pub(super) policy: String,
}

/// Made when it is first asked for.
pub(super) static DASHBOARD: LazyLock<Dashboard> = LazyLock::new(Dashboard::assemble);

impl Dashboard {
    fn assemble() -> Dashboard {
        // The icon is none: without a word on it browsers ask for one.
        let html = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>Airside</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>{STYLE}</style>\n</head>\n\
             <body>\n{BODY}<script>{SCRIPT}</script>\n</body>\n</html>\n"
        );
        let policy = format!(
            "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
            source(SCRIPT),
            source(STYLE),
        );
        Dashboard { html, policy }
    }
}

/// How a policy names an inline script or style: by its hash.
fn source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::{BODY, DASHBOARD, SCRIPT, STYLE};

    #[test]
    fn nothing_is_fetched_from_elsewhere() {
        let html = &DASHBOARD.html;
        assert_eq!(html.matches("</script>").count(), 1);
        assert_eq!(html.matches("</style>").count(), 1);
        // The name of SVG's elements is no address.
        for part in [BODY, STYLE, SCRIPT] {
            let part = part.replace("http://www.w3.org/2000/svg", "");
            assert!(!part.contains("://") && !part.contains("url("), "{part}");
        }
    }

    #[test]
    fn the_policy_holds_for_the_page() {
        // A policy by hash has no word for attributes.
        assert!(!BODY.contains("style=") && !BODY.contains("onclick"));
        assert!(!SCRIPT.contains("\"style\"") && !SCRIPT.contains("style:"));
        assert!(DASHBOARD.policy.starts_with("default-src 'none'; script-src 'sha256-"));
    }
}
