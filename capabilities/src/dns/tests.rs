//! Names through a name server of the test's own, which can be silent, wrong for a while, and is
//! counted.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Instant;

use hickory_resolver::config::{ConnectionConfig, NameServerConfig};
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::SOA;
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use tokio::task::{LocalSet, spawn_local};

use super::*;

#[test]
fn hosts_and_ports_are_read() {
    for (text, default_port, read) in [
        ("db.local:6379", None, Ok("db.local:6379")),
        ("db.local", Some(9042), Ok("db.local:9042")),
        ("127.0.0.1", Some(1), Ok("127.0.0.1:1")),
        ("[::1]:6379", None, Ok("[::1]:6379")),
        ("::1", Some(6379), Ok("[::1]:6379")),
        ("db.local", None, Err(())),
        ("", Some(1), Err(())),
        (":6379", Some(1), Err(())),
        ("db:0", None, Err(())),
        ("db:65536", None, Err(())),
        ("a b:1", None, Err(())),
        ("user@db:1", None, Err(())),
    ] {
        let got = HostPort::parse(text, default_port).map(|found| found.to_string());
        assert_eq!(got.map_err(|_| ()), read.map(String::from), "{text}");
    }
}

#[test]
fn an_address_needs_no_resolver() {
    for (host, is_address) in [
        ("127.0.0.1", true),
        ("::1", true),
        ("[::1]", true),
        ("localhost", false),
        ("256.0.0.1", false),
        ("", false),
    ] {
        assert_eq!(literal(host).is_some(), is_address, "{host}");
    }
}

/// A name server. What it does not know does not exist, for an hour as it says.
#[derive(Clone, Default)]
struct NameServer {
    records: Rc<RefCell<HashMap<&'static str, Vec<IpAddr>>>>,
    silent: Rc<Cell<bool>>,
    asked: Rc<RefCell<Vec<String>>>,
}

/// What its records say of themselves: longer than anything here is remembered.
const TTL_S: u32 = 86_400;

impl NameServer {
    /// A resolver that asks this server, with search domains and the lines of a hosts file.
    async fn resolver(&self, search: &[&str], hosts: &str) -> Resolver {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut connection = ConnectionConfig::udp();
        connection.port = socket.local_addr().unwrap().port();
        let server = NameServerConfig::new(Ipv4Addr::LOCALHOST.into(), true, vec![connection]);
        spawn_local(self.clone().serve(socket));
        let search = search.iter().map(|name| Name::from_ascii(name).unwrap()).collect();
        let config = ResolverConfig::from_parts(None, search, vec![server]);
        let hosts = HostsFile::parse(hosts);
        Resolver::new(&DnsConfig::new(config, ResolverOpts::default(), hosts)).unwrap()
    }

    async fn serve(self, socket: tokio::net::UdpSocket) {
        let mut buffer = [0; 1500];
        loop {
            let (len, peer) = socket.recv_from(&mut buffer).await.unwrap();
            let question = Message::from_vec(&buffer[..len]).unwrap();
            if !self.silent.get() {
                let answer = self.answer(question);
                socket.send_to(&answer.to_vec().unwrap(), peer).await.unwrap();
            }
        }
    }

    fn answer(&self, question: Message) -> Message {
        let query = question.queries[0].clone();
        let name = query.name().to_ascii().to_lowercase();
        self.asked.borrow_mut().push(format!("{} {name}", query.query_type()));
        let records = self.records.borrow();
        let known = records.get(name.trim_end_matches('.'));
        let wanted = |ip: &&IpAddr| ip.is_ipv4() == (query.query_type() == RecordType::A);
        let mut answer = question.into_response();
        for ip in known.into_iter().flatten().filter(wanted) {
            answer.add_answer(Record::from_rdata(query.name().clone(), TTL_S, RData::from(*ip)));
        }
        if answer.answers.is_empty() {
            let zone = Name::from_ascii("example.").unwrap();
            let soa = SOA::new(zone.clone(), zone.clone(), 1, 3600, 3600, 3600, 3600);
            answer.add_authority(Record::from_rdata(zone, 3600, RData::SOA(soa)));
            if known.is_none() {
                answer.metadata.response_code = ResponseCode::NXDomain;
            }
        }
        answer
    }

    fn knows(&self, name: &'static str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.records.borrow_mut().insert(name, addresses);
    }
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, test);
}

async fn found(resolver: &Resolver, host: &str) -> Result<Vec<String>, String> {
    let found = resolver.resolve(host, 80).await;
    found
        .map(|all| all.iter().map(|address| address.ip().to_string()).collect())
        .map_err(|error| error.to_string())
}

fn addresses(of: &[&str]) -> Result<Vec<String>, String> {
    Ok(of.iter().map(|&address| address.to_owned()).collect())
}

#[test]
fn names_have_the_addresses_that_their_server_says() {
    run(async {
        let server = NameServer::default();
        let resolver = server.resolver(&[], "").await;
        server.knows("both.example", &["::1", "10.0.0.1", "10.0.0.2"]);
        server.knows("six.example", &["::1"]);
        server.knows("my_db", &["10.0.0.3"]);
        server.knows("empty.example", &[]);
        assert_eq!(found(&resolver, "both.example").await.unwrap().len(), 3);
        assert_eq!(found(&resolver, "six.example").await, addresses(&["::1"]));
        assert_eq!(found(&resolver, "my_db").await, addresses(&["10.0.0.3"]));
        for host in ["empty.example", "none.example", "nowhere.invalid"] {
            let error = format!("cannot resolve {host}: no such host");
            assert_eq!(found(&resolver, host).await, Err(error));
        }
        // Names are asked for once.
        let asked = server.asked.borrow().len();
        assert_eq!(found(&resolver, "six.example").await, addresses(&["::1"]));
        assert_eq!(server.asked.borrow().len(), asked);
    });
}

#[test]
fn the_hosts_file_goes_before_every_server() {
    run(async {
        let server = NameServer::default();
        let resolver = server.resolver(&["search.example"], "10.9.9.9 db my_db\n").await;
        server.silent.set(true);
        server.knows("db.search.example", &["10.0.0.1"]);
        for host in ["db", "DB", "my_db", "db."] {
            assert_eq!(found(&resolver, host).await, addresses(&["10.9.9.9"]), "{host}");
        }
        assert!(server.asked.borrow().is_empty());
    });
}

#[test]
fn search_domains_are_tried_in_their_order() {
    run(async {
        let server = NameServer::default();
        let resolver = server.resolver(&["a.example", "b.example"], "").await;
        server.knows("db.b.example", &["10.0.0.1"]);
        server.knows("x.y", &["10.0.0.2"]);
        assert_eq!(found(&resolver, "db").await, addresses(&["10.0.0.1"]));
        let asked = server.asked.take();
        assert!(asked[0].ends_with(" db.a.example."), "{asked:?}");
        assert!(asked.iter().all(|name| !name.ends_with(" db.")), "{asked:?}");
        // A name with a dot is tried as it is first.
        assert_eq!(found(&resolver, "x.y").await, addresses(&["10.0.0.2"]));
        let asked = server.asked.take();
        assert!(asked.iter().all(|name| name.ends_with(" x.y.")), "{asked:?}");
    });
}

#[test]
fn a_name_that_appears_is_found_within_seconds() {
    run(async {
        let server = NameServer::default();
        let resolver = server.resolver(&[], "").await;
        assert!(found(&resolver, "db.example").await.is_err());
        server.knows("db.example", &["10.0.0.1"]);
        let started = Instant::now();
        while found(&resolver, "db.example").await.is_err() {
            assert!(started.elapsed() < Duration::from_secs(4), "remembered for too long");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}

#[test]
fn an_address_is_remembered_for_half_a_minute_at_most() {
    let config = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
    let config = DnsConfig::new(config, ResolverOpts::default(), HostsFile::default());
    assert_eq!(config.options.positive_max_ttl, Some(Duration::from_secs(30)));
}

#[test]
fn a_server_that_does_not_answer_costs_a_bounded_time() {
    run(async {
        let server = NameServer::default();
        let search = ["a.example", "b.example", "c.example", "d.example"];
        let resolver = server.resolver(&search, "").await;
        server.silent.set(true);
        let started = Instant::now();
        let error = found(&resolver, "db").await.unwrap_err();
        assert_eq!(error, "cannot resolve db: no answer from a name server");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        // Nothing of that is remembered.
        server.silent.set(false);
        server.knows("db.a.example", &["10.0.0.1"]);
        assert_eq!(found(&resolver, "db").await, addresses(&["10.0.0.1"]));
    });
}

#[test]
fn without_a_server_the_hosts_file_is_what_there_is() {
    run(async {
        let config = ResolverConfig::from_name_servers(Vec::new());
        let hosts = HostsFile::parse("10.9.9.9 db");
        let config = DnsConfig::new(config, ResolverOpts::default(), hosts);
        let resolver = Resolver::new(&config).unwrap();
        assert_eq!(found(&resolver, "db").await, addresses(&["10.9.9.9"]));
        let error = found(&resolver, "other.example").await.unwrap_err();
        assert_eq!(error, "cannot resolve other.example: no name server");
    });
}

#[test]
fn names_of_the_machine_are_known() {
    run(async {
        let resolver = Resolver::new(&DnsConfig::from_system()).unwrap();
        let all = resolver.resolve("localhost", 80).await.unwrap();
        assert!(all.iter().all(|address| address.ip().is_loopback()), "{all:?}");
    });
}
