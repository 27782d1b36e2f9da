//! A server that guests call by HTTP fails. It is one of any number: each call says by itself what it could not reach, and
//! `/ready` knows nothing of it.

use std::net::SocketAddr;
use std::thread;

use airside_tests::harness::services::{Backend, Nginx};
use airside_tests::harness::{Client, Proxy, WAIT, poll_until};

use super::kinds::{FROZEN, KILLED, REFUSED, SLOW};
use super::outage::{Subject, setup, survives};
use crate::it::wire::http::{HttpRequest, call};

fn get(client: &mut Client, url: &str) -> Result<Vec<u8>, String> {
    let answer = call(client, &HttpRequest::get(url)).map_err(|refusal| refusal.text)?;
    assert_eq!(answer.code, 200, "{url}");
    Ok(answer.body)
}

fn work(client: &mut Client, server: SocketAddr) -> Result<(), String> {
    get(client, &format!("http://{server}/")).map(|body| assert_eq!(body, b"GET / HTTP/1.1"))
}

fn subject(nginx: &Nginx) -> Subject<'_> {
    Subject { back_end: nginx, called: "http://", has_health: false, work }
}

#[test]
fn it_fails_in_every_way() {
    survives(&subject(&Nginx::start()), &[KILLED, FROZEN, REFUSED, SLOW]);
}

#[test]
fn idle_connections_that_end_fail_no_call() {
    let nginx = Nginx::shared();
    let proxy = Proxy::before(nginx.daemon().address());
    let server = setup(&subject(nginx), &proxy).set("shards", 1).start();
    let mut client = server.client();
    for end in [Proxy::reset, Proxy::cut] {
        for _ in 0..10 {
            assert_eq!(work(&mut client, proxy.address()), Ok(()));
            end(&proxy);
        }
    }
}

#[test]
fn an_answer_that_breaks_off_is_an_error() {
    let nginx = Nginx::shared();
    nginx.file("long", &[b'x'; 60_000]);
    let proxy = Proxy::before(nginx.daemon().address());
    let subject = subject(nginx);
    let server = setup(&subject, &proxy).set("http_client_timeout_ms", WAIT.as_millis()).start();
    let url = format!("http://{}/slow/long", proxy.address());
    // Before its head, which the error tells by the URL, or after it.
    let begins = [
        format!("Unable to execute HTTP request - Get \"{url}\": "),
        "Unexpected error reading HTTP response body - ".to_owned(),
    ];
    for end in [Proxy::reset, Proxy::cut] {
        let taken = proxy.taken();
        let (mut client, mut other, url) = (server.client(), server.client(), url.clone());
        let reading = thread::spawn(move || get(&mut client, &url).unwrap_err());
        poll_until("a connection", WAIT, || (proxy.taken() > taken).then_some(()));
        poll_until("an error", WAIT, || {
            end(&proxy);
            reading.is_finished().then_some(())
        });
        let error = reading.join().unwrap();
        assert!(begins.iter().any(|begin| error.starts_with(begin)), "{error}");
        assert_eq!(other.get("/hello").status, 200);
    }
}
