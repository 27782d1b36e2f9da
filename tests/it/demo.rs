//! `airside demo`: what a newcomer sees first.

use airside_tests::harness::{Server, Setup, WAIT, poll_until};

fn demo() -> Setup {
    Setup::bare().arguments(&["demo", "--listen", "127.0.0.1:0"])
}

fn number(server: &Server) -> u64 {
    let response = server.post("/counter", "");
    assert_eq!(response.status, 200, "{response:?}");
    response.text().parse().expect("a number")
}

#[test]
fn the_demo_needs_nothing_and_serves() {
    let server = demo().start();
    assert_eq!(server.get("/hello").text(), "Hello, World!");
    assert_eq!(server.post("/echo", "some bytes").text(), "some bytes");
    assert_eq!(server.get("/relay").text(), "Hello, relay!");
    let first = number(&server);
    assert_eq!(number(&server), first + 1);
    assert_eq!(server.get("/debug/latency").status, 200);
    assert_eq!(server.get("/metrics").status, 200);
    // The counter is a store on disk: it goes on where it was.
    let server = server.stop().start();
    assert_eq!(number(&server), first + 2);
}

#[test]
fn the_demo_says_what_to_try() {
    let server = demo().start();
    let url = format!("http://{}", server.address());
    let expected = [
        format!("curl {url}/hello"),
        format!("{url}/debug/latency"),
        format!("wrk -t1 -c64 -d10s --latency {url}/hello"),
        format!("oha -z 10s -c 64 {url}/hello"),
    ];
    let output = poll_until("the introduction", WAIT, || {
        let output = server.output();
        expected.iter().all(|line| output.contains(line)).then_some(output)
    });
    for route in ["/hello", "/echo", "/counter", "/relay"] {
        let line = output.lines().find(|line| line.contains(route) && !line.contains("://"));
        assert!(line.is_some(), "no {route} in: {output}");
    }
    // Each curl line works as it stands.
    for line in output.lines().map(str::trim).filter(|line| line.starts_with("curl ")) {
        let run = std::process::Command::new("sh").args(["-c", &format!("{line} -sS -f")]).output();
        let run = run.expect("sh can be started");
        assert!(run.status.success(), "{line}: {}", String::from_utf8_lossy(&run.stderr));
    }
}

#[test]
fn a_bad_address_for_the_demo_is_refused() {
    let finished = Setup::bare().arguments(&["demo", "--listen", "nonsense"]).run();
    assert_eq!(finished.code, Some(64), "{finished:?}");
    let help = Setup::bare().arguments(&["demo", "--help"]).run();
    assert!(help.stdout.contains("--listen"), "{}", help.stdout);
}
