//! Connections are shared by queries that do not feel each other: state, statements, time.

use std::thread;
use std::time::{Duration, Instant};

use airside_tests::harness::{Client, WAIT, poll_until};

use super::{check_rows, database, server, setup};
use crate::it::wire::{exec, query};

#[test]
fn what_a_query_does_to_its_session_ends_with_it() {
    let server = setup(&database("sessions")).set("shards", 1).start();
    let mut client = server.client();
    let left_open = "Unable to execute query - the query left a transaction open, which was rolled back: \
                     a transaction must begin and end in one query";
    assert_eq!(exec(&mut client, "create table t (a int)"), Ok((0, 0)));
    for text in ["begin", "begin; insert into t values (1)", "/* x */ start transaction"] {
        assert_eq!(exec(&mut client, text).unwrap_err().text, left_open, "{text}");
        check_rows(&mut client, "select count(*) n from t", "n", r#"[{"n":0}]"#);
    }
    // A transaction that fails is over too.
    assert!(exec(&mut client, "begin; insert into t values (1); select 1/0; commit").is_err());
    assert_eq!(exec(&mut client, "begin; insert into t values (1); commit"), Ok((0, 0)));
    check_rows(&mut client, "select count(*) n from t", "n", r#"[{"n":1}]"#);

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
        check_rows(&mut client, "show work_mem", "work_mem", r#"[{"work_mem":"4MB"}]"#);
        let rest = "select (select count(*) from pg_locks where locktype = 'advisory') locks, \
                    to_regclass('private')::text t, \
                    (select count(*) from pg_prepared_statements where name = 'p') p";
        check_rows(&mut client, rest, "locks,t,p", r#"[{"locks":0,"p":0,"t":null}]"#);
    }
}

#[test]
fn statements_outlive_a_change_of_the_schema() {
    let server = server(&database("schema"));
    let mut client = server.client();
    let all = "select * from t";
    let change = |client: &mut Client, statement: &str| {
        assert!(exec(client, statement).is_ok(), "{statement}");
    };
    change(&mut client, "create table t as select 1 a");
    check_rows(&mut client, all, "a", r#"[{"a":1}]"#);
    change(&mut client, "alter table t alter a type text");
    check_rows(&mut client, all, "a", r#"[{"a":"1"}]"#);
    change(&mut client, "alter table t add b interval default '1 day'");
    check_rows(&mut client, all, "a,b", r#"[{"a":"1","b":"MSBkYXk="}]"#);
    change(&mut client, "alter table t drop b");
    check_rows(&mut client, all, "a", r#"[{"a":"1"}]"#);
    change(&mut client, "drop table t");
    assert!(query(&mut client, all).is_err());
    change(&mut client, "create table t as select true c");
    check_rows(&mut client, all, "c", r#"[{"c":true}]"#);
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
