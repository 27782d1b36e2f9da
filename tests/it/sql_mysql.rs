//! SQL on MySQL, for which MariaDB stands. Errors were taken down from Tarmac's driver on the same server; of rows, what
//! `tarmac_compat` gives was.

use std::time::{Duration, Instant};

use airside_tests::harness::services::{Backend, Certificates, MariaDb};
use airside_tests::harness::{Client, Server, Setup, WAIT, poll_until};

use crate::it::wire::{check_rows, exec, query};

/// A database of a test's own on the shared server, and its DSN.
fn database(name: &str) -> String {
    let mariadb = MariaDb::shared();
    mariadb.client("app", &format!("create database {name} character set utf8mb4"));
    mariadb.dsn(mariadb.daemon().address(), name)
}

fn setup(dsn: &str) -> Setup {
    let setup = Setup::new().guest("call").guest("hello").set("enable_sql", true);
    setup.set("sql_type", "mysql").set("sql_dsn", dsn)
}

fn server(dsn: &str) -> Server {
    setup(dsn).start()
}

#[track_caller]
fn check_error(client: &mut Client, text: &str, error: &str) {
    let begin = "Unable to execute query - unable to execute query - ";
    for _ in 0..2 {
        let refusal = query(client, text).unwrap_err();
        assert!(refusal.text.starts_with(&format!("{begin}{error}")), "{text}: {}", refusal.text);
    }
}

const TABLE: &str = "create table v (i int, u bigint unsigned, z int(5) zerofill, y year, bo bool, f float, \
                     d double, de decimal(10,2), c char(4), t text, e enum('x','y'), b blob, bi bit(4), da date, \
                     dt datetime(3), ts timestamp null, ti time(1), js json)";
const ROW: &str = "insert into v values (-1, 18446744073709551615, 7, 2024, true, 1.1, 1e30, 12.50, 'ab', 'a<ä', \
                   'y', x'00ff', b'101', '2024-01-02', '2024-01-02 03:04:05.12', '2024-01-02 03:04:05', \
                   '-26:03:04.5', '{\"a\":1}')";
const COLUMNS: &str = "i,u,z,y,bo,f,d,de,c,t,e,b,bi,da,dt,ts,ti,js";

/// As it is sent as text, and by the prepared statement that a semicolon within asks for.
const FORMS: [(&str, &str); 2] = [("select * from v", ""), ("select *, ';' s from v", ",s")];

#[test]
fn values_are_what_they_are() {
    let server = server(&database("types"));
    let mut client = server.client();
    assert_eq!(exec(&mut client, TABLE), Ok((0, 0)));
    assert_eq!(exec(&mut client, ROW), Ok((0, 1)));
    let rows = |more: &str| {
        format!(
            r#"[{{"b":"AP8=","bi":"BQ==","bo":1,"c":"ab","d":1e+30,"da":"2024-01-02T00:00:00Z","de":"MTIuNTA=","dt":"2024-01-02T03:04:05.12Z","e":"y","f":1.1,"i":-1,"js":"{{\"a\":1}}"{more},"t":"a\u003cä","ti":"-26:03:04.5","ts":"2024-01-02T03:04:05Z","u":18446744073709551615,"y":2024,"z":7}}]"#
        )
    };
    for (text, more) in FORMS {
        let member = if more.is_empty() { "" } else { r#","s":";""# };
        check_rows(&mut client, text, &format!("{COLUMNS}{more}"), &rows(member));
    }
    check_rows(
        &mut client,
        "select null a, cast('0000-00-00' as date) b",
        "a,b",
        r#"[{"a":null,"b":"0001-01-01T00:00:00Z"}]"#,
    );
}

#[test]
fn with_tarmac_compat_all_is_base64_of_its_text() {
    let dsn = database("compat");
    let server = setup(&dsn).set("tarmac_compat", true).start();
    let mut client = server.client();
    assert_eq!(exec(&mut client, TABLE), Ok((0, 0)));
    assert_eq!(exec(&mut client, ROW), Ok((0, 1)));
    let columns = "i,u,z,y,de,b,da,dt,ts,ti";
    let select = format!("select {columns} from v");
    let rows = r#"[{"b":"AP8=","da":"MjAyNC0wMS0wMg==","de":"MTIuNTA=","dt":"MjAyNC0wMS0wMiAwMzowNDowNS4xMjA=","i":"LTE=","ti":"LTI2OjAzOjA0LjU=","ts":"MjAyNC0wMS0wMiAwMzowNDowNQ==","u":"MTg0NDY3NDQwNzM3MDk1NTE2MTU=","y":"MjAyNA==","z":"MDAwMDc="}]"#;
    check_rows(&mut client, &select, columns, rows);
    let server = setup(&format!("{dsn}?parseTime=true")).set("tarmac_compat", true).start();
    let rows = r#"[{"da":"2024-01-02T00:00:00Z","i":"LTE="}]"#;
    check_rows(&mut server.client(), "select i, da from v", "i,da", rows);
}

#[test]
fn results_are_what_tarmac_makes_of_them() {
    let server = server(&database("results"));
    let mut client = server.client();
    let twice = "select a a, a * 2 a, 1 b from (select 1 a union select 2) v";
    check_rows(&mut client, twice, "a,a,b", r#"[{"a":2,"b":1},{"a":4,"b":1}]"#);
    check_rows(&mut client, "select 1 where false", "1", "null");
    check_rows(&mut client, "select 1/0", "1/0", r#"[{"1/0":null}]"#);
    let created = exec(&mut client, "create table t (id int auto_increment primary key, v text)");
    assert_eq!(created, Ok((0, 0)));
    assert_eq!(exec(&mut client, "insert into t (v) values ('a'), ('b')"), Ok((1, 2)));
    assert_eq!(exec(&mut client, "insert into t (v) values ('a;b')"), Ok((3, 1)));
    assert_eq!(
        query(&mut client, "insert into t (v) values ('c')"),
        Ok(("".into(), "null".into()))
    );
    assert_eq!(exec(&mut client, "update t set v = 'x'"), Ok((0, 4)));
    assert_eq!(exec(&mut client, "select * from t"), Ok((0, 0)));
}

#[test]
fn errors_have_the_words_of_gos_driver() {
    let server = server(&database("errors"));
    let mut client = server.client();
    let syntax = "Error 1064 (42000): You have an error in your SQL syntax; ";
    for (text, error) in [
        ("selec 1", syntax),
        ("select * from nope", "Error 1146 (42S02): Table 'errors.nope' doesn't exist"),
        (" ", "Error 1065 (42000): Query was empty"),
        // A value that was spliced in is no statement of its own.
        ("select 1; select 2", syntax),
        ("select 'a' as a; drop table t -- '", syntax),
    ] {
        check_error(&mut client, text, error);
    }
    let error = exec(&mut client, "select * from nope").unwrap_err().text;
    assert_eq!(
        error,
        "Unable to execute query - Error 1146 (42S02): Table 'errors.nope' doesn't exist"
    );
}

#[test]
fn what_a_query_does_to_its_session_ends_with_it() {
    let server = setup(&database("sessions")).set("shards", 1).set("sql_connections", 1).start();
    let mut client = server.client();
    let error = "a transaction must begin and end in one query, which takes multiStatements=true in the DSN";
    check_error(&mut client, "begin", error);
    check_error(&mut client, "START TRANSACTION", error);
    for text in [
        "set @a = 1",
        "set sql_mode = 'ANSI'",
        "set autocommit = 0",
        "create temporary table private (a int)",
        "select get_lock('lock', 1)",
        "set names latin1",
    ] {
        assert!(exec(&mut client, text).is_ok(), "{text}");
    }
    let rest =
        "select @a a, @@autocommit b, is_free_lock('lock') c, @@character_set_client d, 'ä' e";
    let rows = r#"[{"a":null,"b":1,"c":1,"d":"utf8mb4","e":"ä"}]"#;
    check_rows(&mut client, rest, "a,b,c,d,e", rows);
    assert!(query(&mut client, "select * from private").is_err());
}

#[test]
fn several_statements_run_if_the_dsn_says_so() {
    let server = server(&format!("{}?multiStatements=true", database("several")));
    let mut client = server.client();
    assert_eq!(
        exec(&mut client, "create table t (id int auto_increment primary key, v int)"),
        Ok((0, 0))
    );
    assert_eq!(exec(&mut client, "begin; insert into t (v) values (1), (2); commit"), Ok((0, 0)));
    check_rows(&mut client, "select 1 a; select 2 b", "a", r#"[{"a":1}]"#);
    check_rows(&mut client, "set @x = 3; select @x c", "c", r#"[{"c":3}]"#);
    check_rows(&mut client, "select count(*) n from t", "n", r#"[{"n":2}]"#);
    assert!(exec(&mut client, "begin; insert into t (v) values (3)").is_err());
    check_rows(&mut client, "select count(*) n from t", "n", r#"[{"n":2}]"#);
}

#[test]
fn a_query_that_takes_too_long_is_ended() {
    let server =
        setup(&database("slow")).set("shards", 1).set("backend_call_timeout_ms", 500).start();
    let mut client = server.client();
    let asked = Instant::now();
    let error = query(&mut client, "select sleep(600) slept").unwrap_err().text;
    assert!(error.contains("no answer within 500 ms"), "{error}");
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    let running = "select count(*) n from information_schema.processlist \
                   where info like '%slept%' and id <> connection_id()";
    poll_until("the end of the query", WAIT, || {
        (query(&mut client, running).ok()?.1 == r#"[{"n":0}]"#).then_some(())
    });
    assert!(!server.log().contains(" is down: "), "{}", server.log());
}

#[test]
fn a_result_has_a_limit() {
    let server = setup(&database("large")).set("backend_call_timeout_ms", 60_000).start();
    let mut client = server.client();
    let large = "select repeat('x', 1000000) from seq_1_to_100";
    let error = query(&mut client, large).unwrap_err().text;
    assert!(error.ends_with("the result is larger than 67108864 bytes"), "{error}");
    check_rows(&mut client, "select 1 a", "a", r#"[{"a":1}]"#);
}

#[test]
fn tls_is_what_the_dsn_says() {
    let dsn = database("tls").replace("127.0.0.1", "localhost");
    let ours = Certificates::shared().authority();
    let other = Certificates::shared().other_authority();
    for (setting, authority, encrypted) in [
        ("", &ours, Some(false)),
        ("tls=false", &ours, Some(false)),
        ("tls=true", &ours, Some(true)),
        ("tls=skip-verify", &other, Some(true)),
        ("tls=preferred", &other, Some(true)),
        ("tls=true", &other, None),
    ] {
        let setup = setup(&format!("{dsn}?{setting}")).set("backend_ca_file", authority);
        let Some(encrypted) = encrypted else {
            let finished = setup.run();
            assert_eq!(finished.code, Some(69), "{setting}: {}", finished.stderr);
            assert!(finished.stderr.contains("mysql at localhost:"), "{}", finished.stderr);
            continue;
        };
        let server = setup.start();
        let version = query(&mut server.client(), "show status like 'Ssl_version'").unwrap().1;
        assert_eq!(version.contains("TLSv1"), encrypted, "{setting}: {version}");
    }
}

#[test]
fn dsns_connect_and_set_up_the_session() {
    let mariadb = MariaDb::shared();
    let dsn = database("forms");
    let socket = mariadb.daemon().folder().join("socket");
    for dsn in [dsn, format!("app:apppw@unix({})/forms", socket.display())] {
        let server = server(&format!(
            "{dsn}?time_zone=%27%2B02%3A00%27&charset=utf8mb4&collation=utf8mb4_bin"
        ));
        let rows = r#"[{"c":"utf8mb4_bin","d":"forms","z":"+02:00"}]"#;
        let select = "select database() d, @@time_zone z, @@collation_connection c";
        check_rows(&mut server.client(), select, "d,z,c", rows);
    }
}

#[test]
fn who_is_refused_does_not_start() {
    let address = MariaDb::shared().daemon().address();
    for (dsn, reason) in [
        (format!("app:s3cret@tcp({address})/app"), "Error 1045"),
        (format!("stranger:s3cret@tcp({address})/app"), "Error 1045"),
        (format!("app:apppw@tcp({address})/nowhere"), "Error 1049"),
        (format!("app:apppw@tcp({address})/app?no_such=1"), "Error 1193"),
    ] {
        let finished = setup(&dsn).run();
        assert_eq!(finished.code, Some(69), "{}", finished.stderr);
        assert!(finished.stderr.contains(reason), "{}", finished.stderr);
        for secret in ["s3cret", "apppw", "stranger"] {
            assert!(!finished.stderr.contains(secret), "{}", finished.stderr);
        }
    }
}
