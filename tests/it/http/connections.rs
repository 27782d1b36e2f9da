//! Connections as such: how many there may be, and what happens when there is no room for more.

use std::io;

use airside_tests::harness::{Client, Setup, WAIT, file_descriptors, poll_until};

#[test]
fn one_connection_too_many_gets_a_503() {
    let server =
        Setup::new().guest("hello").set("shards", 1).set("http_connections_max", 3).start();
    let mut clients: Vec<Client> = (0..3).map(|_| server.client()).collect();
    clients.iter_mut().for_each(|client| assert_eq!(client.get("/hello").status, 200));
    let mut refused = server.client();
    let response = refused.receive();
    assert_eq!(response.status, 503);
    assert!(response.closes());
    assert_eq!(refused.rest(), b"");
    // The others are unharmed, and a place that becomes free is given to the next.
    clients.iter_mut().for_each(|client| assert_eq!(client.get("/hello").status, 200));
    clients.pop();
    poll_until("a free place", WAIT, || {
        let mut client = server.client();
        client.request("GET", "/hello");
        (client.try_receive().ok()?.status == 200).then_some(())
    });
}

#[test]
fn running_out_of_file_descriptors_is_survived() {
    // The server's own need is below 100.
    let server = Setup::new().guest("hello").under(&["prlimit", "--nofile=128:128"]).start();
    let answers = |client: &mut Client| -> io::Result<bool> {
        client.request("GET", "/hello");
        Ok(client.try_receive()?.status == 200)
    };
    let mut first = server.client();
    assert!(answers(&mut first).unwrap());
    // The kernel goes on finishing handshakes; whom the server has not accepted waits.
    let mut clients: Vec<Client> = (0..200).map(|_| server.client()).collect();
    poll_until("the descriptors' end", WAIT, || {
        (file_descriptors(server.pid()) >= 128).then_some(())
    });
    poll_until("a line in the log", WAIT, || {
        server.log().contains("cannot accept connections").then_some(())
    });
    assert!(answers(&mut first).unwrap(), "an open connection is harmed");
    clients.clear();
    assert!(answers(&mut server.client()).unwrap());
    assert!(answers(&mut first).unwrap());
    let lines = server.log().matches("cannot accept connections").count();
    assert!(lines < 20, "{lines} lines about one shortage");
}

#[test]
fn connections_are_counted() {
    let server = Setup::new().guest("hello").start();
    let open = || {
        let page = server.get("/metrics").text();
        let families = airside_tests::harness::parse_metrics(&page).unwrap();
        families["airside_connections"].value("airside_connections", &[]).unwrap()
    };
    let clients: Vec<Client> = (0..10)
        .map(|_| {
            let mut client = server.client();
            client.get("/hello");
            client
        })
        .collect();
    // One more is the page's own; those of earlier pages may not have ended yet.
    poll_until("ten connections and the page's own", WAIT, || (open() == 11.0).then_some(()));
    drop(clients);
    poll_until("the page's own only", WAIT, || (open() == 1.0).then_some(()));
}

#[test]
fn clients_that_leave_harm_nobody() {
    let keys = serde_json::json!({ "timeout_ms": 300 });
    let server = Setup::new()
        .guest("hello")
        .guest("big")
        .guest("echo")
        .guest_with("spin", keys)
        .set("shards", 1)
        .start();
    let mut staying = server.client();
    let partings = [
        "",
        "G",
        "GET /hello HTTP/1.1\r\nHost: a\r\n",
        "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /big HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /spin HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
    ];
    let before = file_descriptors(server.pid());
    for _ in 0..10 {
        for sent in partings {
            let mut leaving = server.client();
            leaving.send(sent);
            drop(leaving);
            assert_eq!(staying.get("/hello").status, 200, "after {sent:?}");
        }
    }
    poll_until("their descriptors to be closed", WAIT, || {
        // The one more is that of `staying`.
        (file_descriptors(server.pid()) <= before + 1).then_some(())
    });
}
