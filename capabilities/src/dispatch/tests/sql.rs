//! Every row of the sql capability that needs no database: what is refused before one is asked, and
//! what a guest is told when there is none. The rest is tested against real servers.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use prost::Message;

use super::{Guest, run};
use crate::backend::{Backend, BackendLog, BackendTimes, Network, ShardBackend};
use crate::dns::{DnsConfig, Resolver};
use crate::logger::Level;
use crate::payload::messages::{SqlExec, SqlExecResponse, SqlQuery, SqlQueryResponse, Status};
use crate::secret::Secret;
use crate::sql::{Sql, SqlConfig, SqlKind};
use crate::tls::{Roots, install_provider};

struct Silent;

impl BackendLog for Silent {
    fn event(&self, _: Level, _: fmt::Arguments<'_>) {}
}

/// A guest whose database is at a port where nobody listens.
async fn guest(kind: SqlKind) -> Guest {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let dsn = match kind {
        SqlKind::Postgres => format!("postgres://u:s3cret@127.0.0.1:{port}/app"),
        SqlKind::Mysql => format!("u:s3cret@tcp(127.0.0.1:{port})/app"),
    };
    let config = SqlConfig { kind, dsn: Secret::new(dsn), connections: 1, compat: false };
    install_provider();
    let network = Network {
        resolver: Resolver::new(&DnsConfig::from_system()).unwrap(),
        roots: Roots::load(None).unwrap(),
    };
    let second = Duration::from_secs(1);
    let times = BackendTimes { connect: second, call: second, start: 20 * second };
    // The port is another at each run.
    let backend = Backend::new(kind.name(), "there", 1, Arc::new(Silent));
    let backend = ShardBackend::new(&backend);
    let sql = Sql::open(&config, &network, Rc::clone(&backend), times).await.unwrap();
    let mut guest = Guest::with_kv(None);
    guest.capabilities.sql = Some(sql);
    guest
}

fn status(code: i32, status: &str) -> Option<Status> {
    Some(Status { code, status: status.to_owned() })
}

const EMPTY: &str = "SQL Query must be defined";
/// What the operating system says of the port.
const NOBODY: &str = "Connection refused (os error 111)";

#[test]
fn query_protobuf() {
    run(async {
        for kind in [SqlKind::Postgres, SqlKind::Mysql] {
            let mut guest = guest(kind).await;
            let select = SqlQuery { query: b"select 1".to_vec() }.encode_to_vec();
            let error = guest.call_async("sql", "query", &select).await;
            let start = format!(
                "Unable to execute query - unable to execute query - {} at there: ",
                kind.name()
            );
            assert!(error.starts_with(&start) && error.contains(NOBODY), "{error}");
            let data = b"null".to_vec();
            let failed = SqlQueryResponse { status: status(500, &error), columns: vec![], data };
            assert_eq!(guest.response, failed.encode_to_vec());
            for empty in [&b""[..], b"xx", b"\x0a\x00"] {
                assert_eq!(guest.call_async("sql", "query", empty).await, EMPTY);
                let refused = SqlQueryResponse { status: status(400, EMPTY), ..Default::default() };
                assert_eq!(guest.response, refused.encode_to_vec());
            }
        }
    });
}

#[test]
fn query_json() {
    run(async {
        let mut guest = guest(SqlKind::Postgres).await;
        for (payload, text) in [
            (&b"{}"[..], EMPTY),
            (br#"{"query":""}"#, EMPTY),
            (br#"{"query":1}"#, EMPTY),
            (br#"{"query":"!!!!"}"#, EMPTY),
            (b"{", EMPTY),
            (b"\xff", EMPTY),
            (
                br#"{"query":"c2VsZWN0IDE"}"#,
                "Unable to decode query - illegal base64 data at input byte 8",
            ),
            (br#"{"query":"c2VsZWN0IDE=","query":1}"#, "Error Parsing Input"),
        ] {
            let shown = String::from_utf8_lossy(payload);
            assert_eq!(guest.call_async("sql", "query", payload).await, text, "{shown}");
            let expected = format!(r#"{{"status":{{"code":400,"status":"{text}"}},"data":""}}"#);
            assert_eq!(String::from_utf8_lossy(&guest.response), expected, "{shown}");
        }
        let select = br#" {"QUERY":"c2VsZWN0IDE="}"#;
        let text = guest.call_async("sql", "query", select).await;
        assert!(text.contains(NOBODY), "{text}");
        let expected =
            format!(r#"{{"status":{{"code":500,"status":"{text}"}},"data":"bnVsbA=="}}"#);
        assert_eq!(String::from_utf8_lossy(&guest.response), expected);
    });
}

#[test]
fn exec_is_protobuf_only() {
    run(async {
        for kind in [SqlKind::Postgres, SqlKind::Mysql] {
            let mut guest = guest(kind).await;
            for payload in [&br#"{"query":"c2VsZWN0IDE="}"#[..], b"{", b"\xff", b"\x0a\x05a"] {
                let error = guest.call_async("sql", "exec", payload).await;
                assert_eq!(error, "unable to unmarshal database:exec request");
                assert_eq!(guest.response, b"");
            }
            assert_eq!(guest.call_async("sql", "exec", b"").await, EMPTY);
            let refused = SqlExecResponse { status: status(400, EMPTY), ..Default::default() };
            assert_eq!(guest.response, refused.encode_to_vec());

            let update = SqlExec { query: b"update t set a = 1".to_vec() }.encode_to_vec();
            let error = guest.call_async("sql", "exec", &update).await;
            let start = format!("Unable to execute query - {} at there: ", kind.name());
            assert!(error.starts_with(&start) && error.contains(NOBODY), "{error}");
            let failed = SqlExecResponse { status: status(500, &error), ..Default::default() };
            assert_eq!(guest.response, failed.encode_to_vec());
        }
    });
}

#[test]
fn names_resolve_with_a_database_only() {
    run(async {
        let guest = guest(SqlKind::Mysql).await;
        let without = Guest::new();
        for (operation, label) in [("query", "sql:query"), ("exec", "sql:exec")] {
            let call = super::host_call("tarmac", "sql", operation);
            let found = guest.capabilities.resolve(call).unwrap();
            assert_eq!(super::Operation::LABELS[found.label_index()], label);
            assert!(without.capabilities.resolve(call).is_err());
        }
        assert!(guest.capabilities.resolve(super::host_call("tarmac", "sql", "Query")).is_err());
    });
}
