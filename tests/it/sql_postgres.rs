//! SQL on PostgreSQL. What rows and errors look like was taken down from Tarmac's drivers on the same server.

use std::thread;
use std::time::{Duration, Instant};

use airside_tests::harness::services::{Backend, Certificates, Postgres};
use airside_tests::harness::{Client, Server, Setup, WAIT, poll_until};
use serde_json::json;

use crate::it::wire::{Refusal, SqlExecResponse, Status, ask, ask_in_json, exec, query};

/// A database of a test's own on the shared server, and its DSN.
fn database(name: &str) -> String {
    let postgres = Postgres::shared();
    postgres.client("app", &format!("create database {name}"));
    postgres.dsn(postgres.daemon().address(), name)
}

fn setup(dsn: &str) -> Setup {
    let setup = Setup::new().guest("call").guest("hello").set("enable_sql", true);
    setup.set("sql_type", "postgres").set("sql_dsn", dsn)
}

fn server(dsn: &str) -> Server {
    setup(dsn).start()
}

/// The rows of a query, asked several times: when it is new, and when each shard may know it.
#[track_caller]
fn check(client: &mut Client, text: &str, columns: &str, rows: &str) {
    for _ in 0..3 {
        let expected = (columns.to_owned(), rows.to_owned());
        assert_eq!(query(client, text), Ok(expected), "{text}");
    }
}

#[track_caller]
fn check_error(client: &mut Client, text: &str, error: &str) {
    for _ in 0..2 {
        assert_eq!(query(client, text).unwrap_err().text, error, "{text}");
    }
}

#[test]
fn values_are_what_tarmac_makes_of_them() {
    let server = server(&database("types"));
    let mut client = server.client();
    let check = |client: &mut Client, expression: &str, value: &str| {
        let rows = format!(r#"[{{"v":{value}}}]"#);
        check(client, &format!("select {expression} as v"), "v", &rows);
        // The same next to a type that is sent as text only.
        let both = format!(r#"[{{"i":"MSBkYXk=","v":{value}}}]"#);
        self::check(
            client,
            &format!("select {expression} as v, '1 day'::interval i"),
            "v,i",
            &both,
        );
    };
    assert_eq!(exec(&mut client, "create type mood as enum ('sad', 'ok')"), Ok((0, 0)));
    for (expression, value) in [
        ("null", "null"),
        ("null::int[]", "null"),
        ("true", "true"),
        ("false", "false"),
        ("(-32768)::int2", "-32768"),
        ("2147483647", "2147483647"),
        ("9223372036854775807", "9223372036854775807"),
        ("1.5::float8", "1.5"),
        ("1.1::float4", "1.1"),
        ("'-0'::float8", "-0"),
        ("1e21::float8", "1e+21"),
        ("1e-7::float8", "1e-7"),
        ("123456789.125::float4", "123456790"),
        ("'a\"<ä>\\'", r#""a\"\u003cä\u003e\\""#),
        ("''", r#""""#),
        ("'ab'::char(4)", r#""ab  ""#),
        ("'v'::varchar", r#""v""#),
        ("'q'::\"char\"", r#""q""#),
        ("'n'::name", r#""bg==""#),
        ("'ok'::mood", r#""b2s=""#),
        ("12.50", r#""MTIuNTA=""#),
        ("'NaN'::numeric", r#""TmFO""#),
        ("-0.00001::numeric", r#""LTAuMDAwMDE=""#),
        ("100000000000000000000::numeric", r#""MTAwMDAwMDAwMDAwMDAwMDAwMDAw""#),
        ("'{\"a\": 1}'::json", r#""eyJhIjogMX0=""#),
        ("'{\"a\":1}'::jsonb", r#""eyJhIjogMX0=""#),
        ("'{1,2}'::int[]", r#""ezEsMn0=""#),
        ("'\\x00ff'::bytea", r#""AP8=""#),
        ("''::bytea", r#""""#),
        ("'127.0.0.1'::inet", r#""MTI3LjAuMC4x""#),
        ("12::oid", r#""MTI=""#),
        ("row(1, 'a')", r#""KDEsYSk=""#),
        (
            "'00000000-0000-0000-0000-00000000000a'::uuid",
            r#""MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDBh""#,
        ),
        ("'2024-01-02'::date", r#""2024-01-02T00:00:00Z""#),
        ("'0001-03-15 BC'::date", r#""0000-03-15T00:00:00Z""#),
        ("'2024-01-02 03:04:05'::timestamp", r#""2024-01-02T03:04:05Z""#),
        ("'2024-01-02 03:04:05.120'::timestamp", r#""2024-01-02T03:04:05.12Z""#),
        ("'-infinity'::timestamp", r#""LWluZmluaXR5""#),
        ("'03:04:05.5'::time", r#""0000-01-01T03:04:05.5Z""#),
        ("'24:00'::time", r#""0000-01-02T00:00:00Z""#),
        ("'03:04:05+05:30'::timetz", r#""0000-01-01T03:04:05+05:30""#),
    ] {
        check(&mut client, expression, value);
    }
}

#[test]
fn points_in_time_have_the_offset_of_the_sessions_zone() {
    let dsn = database("zones");
    for (zone, shown) in [
        ("UTC", "2024-07-02T01:04:05.123456Z"),
        ("Europe/Berlin", "2024-07-02T03:04:05.123456+02:00"),
        ("America/St_Johns", "2024-07-01T22:34:05.123456-02:30"),
    ] {
        let server = server(&format!("{dsn}&TimeZone={zone}"));
        let rows = format!(r#"[{{"t":"{shown}"}}]"#);
        let select = "select '2024-07-02 03:04:05.123456+02'::timestamptz t";
        check(&mut server.client(), select, "t", &rows);
        check(
            &mut server.client(),
            &format!("select 0; {select}"),
            "?column?",
            r#"[{"?column?":0}]"#,
        );
        check(&mut server.client(), &format!("set work_mem = '1MB'; {select}"), "t", &rows);
    }
}

#[test]
fn results_are_what_tarmac_makes_of_them() {
    let server = server(&database("results"));
    let mut client = server.client();
    check(&mut client, "select 2 b, 1 a", "b,a", r#"[{"a":1,"b":2}]"#);
    let twice = "select a a, a * 2 a, 1 b from (values (1), (2)) v(a)";
    check(&mut client, twice, "a,a,b", r#"[{"a":2,"b":1},{"a":4,"b":1}]"#);
    check(&mut client, "select 1 where false", "?column?", "null");
    check(&mut client, "-- nothing", "", "null");
    check(&mut client, " ; ", "", "null");
    // Of several statements the first result counts, even an empty one.
    check(&mut client, "select 1 a; select 2 b", "a", r#"[{"a":1}]"#);
    check(&mut client, "select 1 a where false; select 2 b", "a", "null");
    check(&mut client, "set work_mem = '1MB'; select 3 c", "c", r#"[{"c":3}]"#);

    assert_eq!(exec(&mut client, "create table t (id serial, v text)"), Ok((0, 0)));
    assert_eq!(exec(&mut client, "insert into t (v) values ('a'), ('b')"), Ok((0, 2)));
    assert_eq!(
        query(&mut client, "insert into t (v) values ('c')"),
        Ok(("".into(), "null".into()))
    );
    let returning = query(&mut client, "insert into t (v) values ('d') returning id, v");
    assert_eq!(returning, Ok(("id,v".into(), r#"[{"id":4,"v":"d"}]"#.into())));
    assert_eq!(exec(&mut client, "update t set v = 'x'"), Ok((0, 4)));
    assert_eq!(exec(&mut client, "select * from t"), Ok((0, 4)));
    // What changes no row says so, and of several statements the last one counts.
    assert_eq!(exec(&mut client, "delete from t where id = 1; delete from t"), Ok((0, 3)));
}

#[test]
fn json_guests_get_rows_in_base64() {
    let server = server(&database("json"));
    let request = json!({ "query": "c2VsZWN0IDEgYQ==" });
    let response = ask_in_json(&mut server.client(), "sql", "query", &request);
    let status = json!({ "code": 200, "status": "OK" });
    assert_eq!(response, Ok(json!({ "status": status, "data": "W3siYSI6MX1d" })));
}

#[test]
fn errors_have_the_words_of_gos_driver() {
    let server = server(&database("errors"));
    let mut client = server.client();
    let begin = "Unable to execute query - unable to execute query - pq: ";
    for (text, error) in [
        ("selec 1", "syntax error at or near \"selec\" at column 1 (42601)"),
        ("select * from nope", "relation \"nope\" does not exist at column 15 (42P01)"),
        ("select\n 1 + nope", "column \"nope\" does not exist at position 2:6 (42703)"),
        ("select 1/0", "division by zero (22012)"),
        ("select $1", "there is no parameter $1 at column 8 (42P02)"),
        ("select 1; selec", "syntax error at or near \"selec\" at column 11 (42601)"),
        ("copy pg_class to stdout", "COPY from or to the client is not supported"),
    ] {
        check_error(&mut client, text, &format!("{begin}{error}"));
    }
    let rows = "Unable to execute query - error while processing query results - pq: ";
    for text in ["select 1/(2 - g) from generate_series(1, 3) g", "select 1; select 1/0"] {
        check_error(&mut client, text, &format!("{rows}division by zero (22012)"));
    }
    let json = "Unable to convert query results to JSON - json: ";
    check_error(&mut client, "select 'NaN'::float8", &format!("{json}unsupported value: NaN"));
    check_error(&mut client, "select '-inf'::float4", &format!("{json}unsupported value: -Inf"));
    let year = "error calling MarshalJSON for type time.Time: Time.MarshalJSON: year outside of range [0,9999]";
    check_error(&mut client, "select '12000-01-01'::date", &format!("{json}{year}"));

    let error = exec(&mut client, "selec 1").unwrap_err().text;
    assert_eq!(
        error,
        "Unable to execute query - pq: syntax error at or near \"selec\" at column 1 (42601)"
    );
    // None of these has cost a connection.
    check(&mut client, "select 1 a", "a", r#"[{"a":1}]"#);
}

#[test]
fn with_tarmac_compat_exec_is_an_error() {
    let server = setup(&database("compat")).set("tarmac_compat", true).start();
    let mut client = server.client();
    let refusal = exec(&mut client, "create table t as select 1").unwrap_err();
    let text = "Unable to get last insert ID - LastInsertId is not supported by this driver";
    let status = Some(Status { code: 206, status: text.to_owned() });
    let response = SqlExecResponse { status, last_insert_id: 0, rows_affected: 1 };
    let response = prost::Message::encode_to_vec(&response);
    assert_eq!(refusal, Refusal { text: text.to_owned(), response });
    check(&mut client, "select count(*) n from t", "n", r#"[{"n":1}]"#);
}

#[test]
fn what_a_query_does_to_its_session_ends_with_it() {
    let server = setup(&database("sessions")).set("shards", 1).start();
    let mut client = server.client();
    let left_open = "Unable to execute query - the query left a transaction open, which was rolled back: \
                     a transaction must begin and end in one query";
    assert_eq!(exec(&mut client, "create table t (a int)"), Ok((0, 0)));
    for text in ["begin", "begin; insert into t values (1)", "/* x */ start transaction"] {
        assert_eq!(exec(&mut client, text).unwrap_err().text, left_open, "{text}");
        check(&mut client, "select count(*) n from t", "n", r#"[{"n":0}]"#);
    }
    // A transaction that fails is over too.
    assert!(exec(&mut client, "begin; insert into t values (1); select 1/0; commit").is_err());
    assert_eq!(exec(&mut client, "begin; insert into t values (1); commit"), Ok((0, 0)));
    check(&mut client, "select count(*) n from t", "n", r#"[{"n":1}]"#);

    for text in [
        "set work_mem = '1MB'",
        "select set_config('work_mem', '1MB', false)",
        "do $$ begin set work_mem = '1MB'; end $$",
        "create temp table private (a int)",
        "prepare p as select 1",
        "listen channel",
        "select pg_advisory_lock(7)",
        "deallocate all",
        "discard all",
    ] {
        assert!(exec(&mut client, text).is_ok(), "{text}");
    }
    for _ in 0..3 {
        check(&mut client, "show work_mem", "work_mem", r#"[{"work_mem":"4MB"}]"#);
        let rest = "select (select count(*) from pg_locks where locktype = 'advisory') locks, \
                    to_regclass('private')::text t, \
                    (select count(*) from pg_prepared_statements where name = 'p') p";
        check(&mut client, rest, "locks,t,p", r#"[{"locks":0,"p":0,"t":null}]"#);
    }
}

#[test]
fn statements_outlive_a_change_of_the_schema() {
    let server = server(&database("schema"));
    let mut client = server.client();
    let all = "select * from t";
    let change = |client: &mut Client, statement: &str| drop(exec(client, statement).unwrap());
    change(&mut client, "create table t as select 1 a");
    check(&mut client, all, "a", r#"[{"a":1}]"#);
    change(&mut client, "alter table t alter a type text");
    check(&mut client, all, "a", r#"[{"a":"1"}]"#);
    change(&mut client, "alter table t add b interval default '1 day'");
    check(&mut client, all, "a,b", r#"[{"a":"1","b":"MSBkYXk="}]"#);
    change(&mut client, "alter table t drop b");
    check(&mut client, all, "a", r#"[{"a":"1"}]"#);
    change(&mut client, "drop table t");
    assert!(query(&mut client, all).is_err());
    change(&mut client, "create table t as select true c");
    check(&mut client, all, "c", r#"[{"c":true}]"#);
}

#[test]
fn more_statements_than_are_remembered() {
    let server = setup(&database("many")).set("shards", 1).set("sql_connections", 1).start();
    let mut client = server.client();
    for n in 0..600 {
        let rows = format!(r#"[{{"n":{n}}}]"#);
        assert_eq!(query(&mut client, &format!("select {n} n")), Ok(("n".into(), rows)));
    }
    let count = query(&mut client, "select count(*) n from pg_prepared_statements").unwrap().1;
    let count: Vec<serde_json::Value> = serde_json::from_str(&count).unwrap();
    assert!(count[0]["n"].as_u64().unwrap() <= 256, "{count:?}");
}

#[test]
fn a_query_that_takes_too_long_is_ended() {
    let setup = setup(&database("slow")).set("shards", 1).set("backend_call_timeout_ms", 500);
    let server = setup.start();
    let mut client = server.client();
    for text in ["select pg_sleep(600)", "begin; select pg_sleep(600); commit"] {
        let asked = Instant::now();
        let error = query(&mut client, text).unwrap_err().text;
        assert!(error.contains("no answer within 500 ms"), "{error}");
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        let running = "select count(*) n from pg_stat_activity where datname = current_database() \
                       and pid <> pg_backend_pid() and state = 'active'";
        poll_until("the end of the query", WAIT, || {
            (query(&mut client, running).ok()?.1 == r#"[{"n":0}]"#).then_some(())
        });
    }
    // Those that wait behind it are not ended with it.
    let address = server.address();
    let slow = thread::spawn(move || query(&mut Client::connect(address), "select pg_sleep(601)"));
    let others = (0..8).map(|n| {
        thread::spawn(move || {
            let mut client = Client::connect(address);
            (0..50).map(|_| query(&mut client, &format!("select {n} n"))).collect::<Vec<_>>()
        })
    });
    for (n, other) in others.collect::<Vec<_>>().into_iter().enumerate() {
        let expected = ("n".to_owned(), format!(r#"[{{"n":{n}}}]"#));
        for answer in other.join().unwrap() {
            match answer {
                Ok(rows) => assert_eq!(rows, expected),
                Err(refusal) => assert!(refusal.text.contains("no answer within"), "{refusal:?}"),
            }
        }
    }
    assert!(slow.join().unwrap().is_err());
    assert!(!server.log().contains(" is down: "), "{}", server.log());
}

#[test]
fn a_result_has_a_limit() {
    let server = setup(&database("large")).set("backend_call_timeout_ms", 60_000).start();
    let mut client = server.client();
    let error = "Unable to execute query - unable to process query results - \
                 the result is larger than 67108864 bytes";
    let large = "select repeat('x', 1000000) from generate_series(1, 100)";
    check_error(&mut client, large, error);
    check_error(&mut client, &format!("{large}; select 1"), error);
    check(&mut client, "select 1 a", "a", r#"[{"a":1}]"#);
}

#[test]
fn dsns_of_both_forms_connect() {
    let dsn = database("forms");
    let postgres = Postgres::shared();
    let (port, folder) = (postgres.daemon().port(), postgres.daemon().folder().display());
    for dsn in [
        dsn,
        format!(
            "user=app password='apppw' host=127.0.0.1 port={port} dbname=forms sslmode=disable"
        ),
        format!("postgresql://app:%61pppw@localhost:{port}/forms?sslmode=prefer"),
        format!("host={folder} user=app password=apppw port={port} dbname=forms"),
        format!("host=nowhere.invalid,127.0.0.1 user=app password=apppw port={port} dbname=forms"),
    ] {
        let more =
            if dsn.contains("://") { "&search_path=pg_catalog" } else { " search_path=pg_catalog" };
        let server = server(&format!("{dsn}{more}"));
        let rows = r#"[{"d":"Zm9ybXM=","s":"pg_catalog"}]"#;
        let select = "select current_database() d, current_setting('search_path') s";
        check(&mut server.client(), select, "d,s", rows);
    }
}

#[test]
fn tls_is_what_sslmode_says() {
    drop(database("tls"));
    let port = Postgres::shared().daemon().port();
    let certificates = Certificates::shared();
    let (ours, other) = (certificates.authority(), certificates.other_authority());
    for (settings, encrypted) in [
        ("sslmode=disable", Some(false)),
        ("sslmode=prefer", Some(true)),
        ("sslmode=require", Some(true)),
        ("", Some(true)),
        (&format!("sslmode=verify-full&sslrootcert={ours}"), Some(true)),
        (&format!("sslmode=verify-ca&sslrootcert={ours}"), Some(true)),
        (&format!("sslrootcert={ours}"), Some(true)),
        ("sslmode=verify-full", None),
        ("sslmode=verify-ca", None),
        (&format!("sslmode=verify-ca&sslrootcert={other}"), None),
        (&format!("sslrootcert={other}"), None),
        ("sslmode=verify-ca&sslrootcert=/no/such/file", None),
    ] {
        let setup = setup(&format!("postgres://app:apppw@localhost:{port}/tls?{settings}"));
        let Some(encrypted) = encrypted else {
            let finished = setup.run();
            assert_eq!(finished.code, Some(69), "{settings}: {}", finished.stderr);
            assert!(finished.stderr.contains("postgres at localhost:"), "{}", finished.stderr);
            continue;
        };
        let server = setup.start();
        let rows = format!(r#"[{{"ssl":{encrypted}}}]"#);
        let select = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
        check(&mut server.client(), select, "ssl", &rows);
    }
    // The authority may be one of the settings' too.
    let dsn = format!("postgres://app:apppw@localhost:{port}/tls?sslmode=verify-full");
    let server = setup(&dsn).set("backend_ca_file", ours).start();
    check(&mut server.client(), "select 1 a", "a", r#"[{"a":1}]"#);
}

#[test]
fn who_is_refused_does_not_start() {
    let address = Postgres::shared().daemon().address();
    for (dsn, reason) in [
        (
            format!("postgres://app:s3cret@{address}/app?sslmode=disable"),
            "password authentication failed",
        ),
        (
            format!("postgres://stranger:s3cret@{address}/app?sslmode=disable"),
            "password authentication failed",
        ),
        (
            format!("postgres://app:apppw@{address}/nowhere?sslmode=disable"),
            "does not exist (3D000)",
        ),
        (format!("postgres://app:apppw@{address}/app?sslmode=disable&no_such=1"), "(42704)"),
    ] {
        let finished = setup(&dsn).run();
        assert_eq!(finished.code, Some(69), "{}", finished.stderr);
        assert!(finished.stderr.contains(reason), "{}", finished.stderr);
        for secret in ["s3cret", "apppw", "stranger"] {
            assert!(!finished.stderr.contains(secret), "{}", finished.stderr);
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let server = server(&database("bytes"));
    let mut client = server.client();
    for (bytes, shown) in [(&b"\x0a\x08select \xff"[..], "0xff"), (b"\x0a\x08select \0", "0x00")] {
        let error = ask(&mut client, "sql", "exec", bytes).unwrap_err().text;
        let place = "invalid byte sequence for encoding \"UTF8\"";
        assert_eq!(error, format!("Unable to execute query - pq: {place}: {shown} (22021)"));
    }
}
