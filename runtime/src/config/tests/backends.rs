//! Settings of stores over the network: what they mean, what is wrong with them, what is not shown.

use std::time::Duration;

use airside_capabilities::kv::cassandra::{CassandraConfig, CassandraConsistency};
use airside_capabilities::kv::nats::{NatsConfig, NatsLogin};
use airside_capabilities::kv::redis::{RedisConfig, RedisEndpoint};
use airside_capabilities::secret::Secret;

use super::{Files, check_errors};
use crate::config::{Config, KvConfig};

const SECRET: &str = "hunter2";

/// Loads with a store of this type, which must be fine.
#[track_caller]
fn load(kind: &str, table: &[(&str, &str)]) -> Config {
    let all = [&[("APP_ENABLE_KVSTORE", "true"), ("APP_KVSTORE_TYPE", kind)], table].concat();
    Files::new(None).load(&all).unwrap_or_else(|errors| panic!("{errors}"))
}

#[track_caller]
fn refused(kind: &str, table: &[(&str, &str)], expected: &[&str]) {
    let all = [&[("APP_ENABLE_KVSTORE", "true"), ("APP_KVSTORE_TYPE", kind)], table].concat();
    check_errors(&all, expected);
    let (errors, warnings) = Files::new(None).problems(&all);
    assert!(!errors.contains(SECRET) && !warnings.concat().contains(SECRET), "{errors}");
}

#[track_caller]
fn warned(kind: &str, table: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(load(kind, table).warnings, expected);
}

#[track_caller]
fn redis(table: &[(&str, &str)]) -> RedisConfig {
    match load("redis", table).kv {
        Some(KvConfig::Redis(config, _)) => config,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn cassandra(table: &[(&str, &str)]) -> CassandraConfig {
    let needed = [("APP_CASSANDRA_HOSTS", "a"), ("APP_CASSANDRA_KEYSPACE", "k")];
    match load("cassandra", &[&needed, table].concat()).kv {
        Some(KvConfig::Cassandra(config)) => config,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn nats(table: &[(&str, &str)]) -> NatsConfig {
    match load("nats", table).kv {
        Some(KvConfig::Nats(config)) => config,
        other => panic!("{other:?}"),
    }
}

#[test]
fn redis_is_a_host_and_port_or_a_url() {
    let check = |server: &str, address: &str, user: Option<&str>, password, database, tls| {
        let config = redis(&[("APP_REDIS_SERVER", server)]);
        let RedisEndpoint::Server(found) = &config.endpoint else { panic!("{config:?}") };
        assert_eq!(found.to_string(), address);
        assert_eq!(config.user.as_deref(), user, "{server}");
        assert_eq!(config.password.as_ref().map(Secret::reveal), password, "{server}");
        assert_eq!((config.database, config.tls, config.verify), (database, tls, true), "{server}");
        assert_eq!(config.keepalive, Duration::from_secs(300));
    };
    check("cache:7000", "cache:7000", None, None, 0, false);
    check("cache", "cache:6379", None, None, 0, false);
    check("[::1]:7000", "[::1]:7000", None, None, 0, false);
    check("redis://cache", "cache:6379", None, None, 0, false);
    check("redis://:a%40b@cache/3", "cache:6379", None, Some("a@b"), 3, false);
    check("rediss://app:pw@cache:1/", "cache:1", Some("app"), Some("pw"), 0, true);
}

#[test]
fn redis_settings_add_to_the_url() {
    let config = redis(&[
        ("APP_REDIS_SERVER", "rediss://app@cache"),
        ("APP_REDIS_PASSWORD", SECRET),
        ("APP_REDIS_DATABASE", "2"),
        ("APP_REDIS_HOSTNAME_VERIFY", "true"),
        ("APP_REDIS_KEEPALIVE", "0"),
    ]);
    assert_eq!(config.password, Some(Secret::new(SECRET)));
    assert_eq!((config.database, config.verify, config.keepalive.is_zero()), (2, false, true));
    let same = [
        ("APP_REDIS_SERVER", "redis://:hunter2@cache/2"),
        ("APP_REDIS_PASSWORD", SECRET),
        ("APP_REDIS_DATABASE", "2"),
    ];
    assert_eq!(redis(&same).database, 2);
    refused(
        "redis",
        &[same[0], ("APP_REDIS_PASSWORD", "other"), ("APP_REDIS_DATABASE", "0")],
        &[
            "redis_database = 0 (from APP_REDIS_DATABASE): redis_server names database 2: say it \
             once",
            "redis_password (from APP_REDIS_PASSWORD): redis_server has another one: say it once",
        ],
    );
}

#[test]
fn redis_sentinels_are_servers_and_a_name() {
    let sentinels = ("APP_REDIS_SENTINEL_SERVERS", "a:1,b");
    let master = ("APP_REDIS_SENTINEL_MASTER", "mymaster");
    let login = ("APP_REDIS_SERVER", "rediss://app:pw@ignored:1/4");
    let config = redis(&[sentinels, master, login]);
    let RedisEndpoint::Sentinels { sentinels: found, master: name } = &config.endpoint else {
        panic!("{config:?}")
    };
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!((found.join(" "), name.as_str()), ("a:1 b:26379".to_owned(), "mymaster"));
    assert_eq!((config.user.as_deref(), config.database, config.tls), (Some("app"), 4, true));
    refused(
        "redis",
        &[sentinels],
        &["redis_sentinel_master = \"\" (default): must be set when redis_sentinel_servers is"],
    );
    refused(
        "redis",
        &[master],
        &["redis_sentinel_servers = \"\" (default): must be set when redis_sentinel_master is"],
    );
    refused(
        "redis",
        &[("APP_REDIS_SENTINEL_SERVERS", "a:0"), master],
        &["redis_sentinel_servers = a:0 (from APP_REDIS_SENTINEL_SERVERS): write host:port"],
    );
}

#[test]
fn a_wrong_redis_server_is_refused_without_its_password() {
    let check =
        |server: &str, line: &str| refused("redis", &[("APP_REDIS_SERVER", server)], &[line]);
    let missing = "write host:port or redis://user:password@host:port/database, or set \
                   redis_sentinel_servers and redis_sentinel_master";
    check("", &format!("redis_server = \"\" (from APP_REDIS_SERVER): {missing}"));
    refused("redis", &[], &[&format!("redis_server = \"\" (default): {missing}")]);
    check(
        "http://cache:1",
        "redis_server = http://cache:1 (from APP_REDIS_SERVER): write redis:// or rediss://host:port",
    );
    check(
        "redis://:hunter2@cache/x",
        "redis_server (from APP_REDIS_SERVER): what follows the slash is no database's number",
    );
    check(
        "redis://:hunter2@cache/0?protocol=3",
        "redis_server (from APP_REDIS_SERVER): nothing that follows a ? or # is understood",
    );
    check(
        "cache:6379:hunter2",
        "redis_server (from APP_REDIS_SERVER): is no URL (invalid port number); in passwords write \
         special characters as %40 and so on",
    );
}

#[test]
fn redis_has_times_of_its_own() {
    let check = |table: &[(&str, &str)], connect_ms, call_ms| {
        let table = [&[("APP_REDIS_SERVER", "a")], table].concat();
        let Some(KvConfig::Redis(_, times)) = load("redis", &table).kv else { panic!() };
        assert_eq!((times.connect.as_millis(), times.call.as_millis()), (connect_ms, call_ms));
        assert_eq!(times.start, Duration::from_secs(30));
    };
    let call = ("APP_BACKEND_CALL_TIMEOUT_MS", "70");
    check(&[], 5_000, 5_000);
    check(&[call, ("APP_BACKEND_CONNECT_TIMEOUT_MS", "80")], 80, 70);
    check(&[call, ("APP_REDIS_CONNECT_TIMEOUT", "2")], 2_000, 70);
    check(&[call, ("APP_REDIS_READ_TIMEOUT", "2")], 5_000, 2_000);
    check(&[("APP_REDIS_READ_TIMEOUT", "2"), ("APP_REDIS_WRITE_TIMEOUT", "1")], 5_000, 3_000);
}

#[test]
fn what_is_odd_about_redis_is_said() {
    warned("redis", &[("APP_REDIS_SERVER", "a"), ("APP_REDIS_HOSTNAME_VERIFY", "1")], &[]);
    warned(
        "redis",
        &[
            ("APP_REDIS_SERVER", "rediss://:hunter2@a"),
            ("APP_REDIS_HOSTNAME_VERIFY", "1"),
            ("APP_REDIS_MAX_ACTIVE", "10"),
        ],
        &[
            "redis_max_active (from APP_REDIS_MAX_ACTIVE): has no effect: each shard has one \
             connection, on which calls do not wait for each other",
            "redis_hostname_verify (from APP_REDIS_HOSTNAME_VERIFY): true SKIPS the verification \
             of the server's certificate, as in Tarmac",
        ],
    );
}

#[test]
fn cassandra_has_tarmacs_defaults() {
    let config = cassandra(&[]);
    assert_eq!(config.hosts[0].to_string(), "a:9042");
    assert_eq!((config.keyspace.as_str(), config.consistency), ("k", CassandraConsistency::Quorum));
    assert_eq!((config.replication_strategy.as_str(), config.replicas), ("SimpleStrategy", 1));
    assert_eq!((config.user, config.password, config.tls), (None, None, false));
    let config = cassandra(&[
        ("APP_CASSANDRA_HOSTS", "a b:1 [::1]:2"),
        ("APP_CASSANDRA_PORT", "9"),
        ("APP_CASSANDRA_CONSISTENCY", "LOCAL_QUORUM"),
        ("APP_CASSANDRA_REPL_STRATEGY", "org.apache.cassandra.locator.SimpleStrategy"),
        ("APP_CASSANDRA_REPLICAS", "3"),
        ("APP_CASSANDRA_USER", "app"),
        ("APP_CASSANDRA_PASSWORD", SECRET),
    ]);
    let hosts: Vec<_> = config.hosts.iter().map(ToString::to_string).collect();
    assert_eq!(hosts, ["a:9", "b:1", "[::1]:2"]);
    assert_eq!((config.consistency, config.replicas), (CassandraConsistency::LocalQuorum, 3));
    assert_eq!(config.user.as_deref(), Some("app"));
    assert!(config.password.is_some() && !format!("{config:?}").contains(SECRET));
}

#[test]
fn cassandra_verifies_unless_told_otherwise() {
    let check = |tls: &str, verify: &str, expected: (bool, bool), warnings: usize| {
        let table = [("APP_CASSANDRA_TLS", tls), ("APP_CASSANDRA_HOSTNAME_VERIFY", verify)];
        let config = cassandra(&table);
        assert_eq!((config.tls, config.verify), expected, "{table:?}");
        let needed = [("APP_CASSANDRA_HOSTS", "a"), ("APP_CASSANDRA_KEYSPACE", "k")];
        let loaded = load("cassandra", &[needed, table].concat());
        assert_eq!(loaded.warnings.len(), warnings, "{table:?}");
    };
    check("(unset)", "(unset)", (false, true), 0);
    check("(unset)", "true", (true, true), 0);
    check("true", "(unset)", (true, true), 0);
    check("true", "true", (true, true), 0);
    check("true", "false", (true, false), 1);
    check("(unset)", "false", (false, false), 0);
}

#[test]
fn all_that_is_wrong_with_cassandra_comes_at_once() {
    refused(
        "cassandra",
        &[
            ("APP_CASSANDRA_CONSISTENCY", "most"),
            ("APP_CASSANDRA_REPL_STRATEGY", "a'b"),
            ("APP_CASSANDRA_PASSWORD", SECRET),
            ("APP_CASSANDRA_KEYSPACE", "a-b"),
        ],
        &[
            "cassandra_hosts = \"\" (default): write at least one host",
            "cassandra_keyspace = a-b (from APP_CASSANDRA_KEYSPACE): write 1 to 48 letters, digits \
             and underscores",
            "cassandra_consistency = most (from APP_CASSANDRA_CONSISTENCY): write one of any, one, \
             two, three, quorum, all, local_quorum, each_quorum, local_one",
            "cassandra_repl_strategy = a'b (from APP_CASSANDRA_REPL_STRATEGY): write the name of a \
             class, such as SimpleStrategy",
            "cassandra_user = \"\" (default): must be set when cassandra_password is",
        ],
    );
}

/// Servers as `scheme login@address`, the login as it was read.
fn servers(config: &NatsConfig) -> Vec<String> {
    let shown = config.servers.iter().map(|server| {
        let login = match &server.login {
            None => String::new(),
            Some(NatsLogin::Token(token)) => format!("{}@", token.reveal()),
            Some(NatsLogin::User { user, password }) => format!("{user}:{}@", password.reveal()),
        };
        format!("{}{login}{}", if server.tls { "tls " } else { "" }, server.address)
    });
    shown.collect()
}

#[test]
fn nats_servers_come_from_two_settings() {
    let check = |url: &str, more: &str, expected: &[&str]| {
        let config = nats(&[("APP_NATS_URL", url), ("APP_NATS_SERVERS", more)]);
        assert_eq!(servers(&config), expected, "{url} {more}");
        assert_eq!((config.bucket.as_str(), config.verify), ("tarmac", true));
        assert!(!format!("{config:?}").contains(SECRET));
    };
    check("(unset)", "(unset)", &["localhost:4222"]);
    check("(unset)", "a:1 nats://b", &["a:1", "b:4222"]);
    check("a:1", "tls://b", &["a:1", "tls b:4222"]);
    check("nats://u:p%20w@a,tls://hunter2@b:2", "(unset)", &["u:p w@a:4222", "tls hunter2@b:2"]);
    assert!(!nats(&[("APP_NATS_SKIP_TLS_VERIFY", "true")]).verify);
}

#[test]
fn what_is_wrong_with_nats_is_refused() {
    refused(
        "nats",
        &[
            ("APP_NATS_URL", "ws://a"),
            ("APP_NATS_SERVERS", "nats://:hunter2@b"),
            ("APP_NATS_BUCKET", "a.b"),
        ],
        &[
            "nats_url = ws://a (from APP_NATS_URL): write nats:// or tls://host:port",
            "nats_servers (from APP_NATS_SERVERS): has a password but no user",
            "nats_bucket = a.b (from APP_NATS_BUCKET): write letters, digits, - and _",
        ],
    );
    refused(
        "nats",
        &[("APP_NATS_URL", "")],
        &["nats_url = \"\" (from APP_NATS_URL): write at least one nats://host:port"],
    );
}

#[test]
fn authorities_are_looked_at_before_the_start() {
    check_errors(
        &[("APP_BACKEND_CA_FILE", "DIR/hello.wasm")],
        &["backend_ca_file = DIR/hello.wasm (from APP_BACKEND_CA_FILE): no certificate in it"],
    );
    let (errors, _) = Files::new(None).problems(&[("APP_BACKEND_CA_FILE", "DIR/none")]);
    assert!(errors.starts_with("backend_ca_file = DIR/none (from APP_BACKEND_CA_FILE): "));
}

#[test]
fn sql_is_a_type_and_a_dsn() {
    let check = |kind: &str, dsn: &str, name: &str, target: &str| {
        let table = [("APP_ENABLE_SQL", "1"), ("APP_SQL_TYPE", kind), ("APP_SQL_DSN", dsn)];
        let config = Files::new(None).load(&table).unwrap();
        let sql = config.sql.as_ref().unwrap();
        assert_eq!((sql.kind.name(), sql.target().as_str()), (name, target));
        assert_eq!((sql.connections, sql.compat), (2, false));
        assert!(!format!("{config:?}").contains(SECRET));
    };
    check("postgres", "postgres://u:hunter2@db:1/x?sslmode=disable", "postgres", "db:1/x");
    check("mysql", "u:hunter2@tcp(db:1)/x", "mysql", "db:1/x");
    let compat = [
        ("APP_ENABLE_SQL", "1"),
        ("APP_SQL_TYPE", "mysql"),
        ("APP_SQL_DSN", "u@tcp(db:1)/x"),
        ("APP_SQL_CONNECTIONS", "64"),
        ("APP_TARMAC_COMPAT", "1"),
    ];
    let config = Files::new(None).load(&compat).unwrap();
    let sql = config.sql.unwrap();
    assert_eq!((sql.connections, sql.compat, config.http_client.compat), (64, true, true));
}

#[test]
fn what_is_wrong_with_sql_is_refused() {
    check_errors(
        &[("APP_ENABLE_SQL", "1")],
        &[
            "sql_type = \"\" (default): write mysql or postgres",
            "sql_dsn (default): must be set when enable_sql is true",
        ],
    );
    for (kind, dsn) in [("mysql", "hunter2"), ("postgres", "postgres://u:hunter2@db:x/y")] {
        let table = [("APP_ENABLE_SQL", "1"), ("APP_SQL_TYPE", kind), ("APP_SQL_DSN", dsn)];
        let (errors, _) = Files::new(None).problems(&table);
        assert!(errors.starts_with("sql_dsn (from APP_SQL_DSN): "), "{errors}");
        assert!(!errors.contains(SECRET), "{errors}");
    }
}

#[test]
fn the_http_client_has_bounds() {
    let config = Files::new(None).load(&[]).unwrap().http_client;
    assert_eq!((config.timeout, config.body_bytes_max), (Duration::from_secs(30), 10 << 20));
    let table =
        [("APP_HTTP_CLIENT_TIMEOUT_MS", "70"), ("APP_HTTP_CLIENT_MAX_RESPONSE_BODY_SIZE", "7")];
    let config = Files::new(None).load(&table).unwrap().http_client;
    assert_eq!((config.timeout, config.body_bytes_max), (Duration::from_millis(70), 7));
}
