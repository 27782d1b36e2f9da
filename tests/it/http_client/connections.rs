//! A shard keeps the connections of its guests' calls: nginx gives each a number.

use std::collections::BTreeSet;
use std::thread;

use airside_tests::harness::Server;
use airside_tests::harness::services::Nginx;

use super::{setup, text};

/// The connections that calls of several clients at once came on.
fn connections(server: &Server, url: &str, clients: usize, calls: usize) -> BTreeSet<String> {
    thread::scope(|scope| {
        let one = || {
            let mut client = server.client();
            (0..calls).map(|_| text(&mut client, url)).collect::<BTreeSet<_>>()
        };
        let clients: Vec<_> = (0..clients).map(|_| scope.spawn(one)).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}

#[test]
fn calls_in_turn_share_a_connection() {
    let nginx = Nginx::shared();
    let server = setup().set("shards", 1).start();
    for url in [nginx.url("/connection"), nginx.url_over_tls("/connection")] {
        assert_eq!(connections(&server, &url, 1, 50).len(), 1, "{url}");
    }
}

#[test]
fn calls_at_once_share_few() {
    const CLIENTS: usize = 8;
    let nginx = Nginx::shared();
    let server = setup().set("shards", 1).start();
    let used = connections(&server, &nginx.url("/connection"), CLIENTS, 50);
    assert!(used.len() <= CLIENTS, "{used:?}");
    // The first calls come before HTTP/2 is agreed on and may each have begun a connection; later ones share one.
    let url = nginx.url_over_tls("/connection");
    connections(&server, &url, 1, 1);
    let used = connections(&server, &url, CLIENTS, 50);
    assert_eq!(used.len(), 1, "{used:?}");
}

#[test]
fn each_shard_has_its_own() {
    let nginx = Nginx::shared();
    let server = setup().set("shards", 2).guest("global").start();
    let (mut first, mut second) = crate::it::load::clients_on_two_shards(&server);
    let url = nginx.url("/connection");
    let first = text(&mut first, &url);
    assert_ne!(first, text(&mut second, &url));
}
