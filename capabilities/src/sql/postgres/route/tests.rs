//! What runs where. What these tables call shared must not change a session.

use proptest::prelude::*;

use super::{Route, begins_transaction, route, statements};

#[test]
fn single_plain_statements_are_shared() {
    for query in [
        "",
        " ; ",
        "-- nothing",
        "SELECT 1",
        "select 1;",
        "  /* a /* b */ c */ -- d\n SeLeCt 1 ; -- done",
        "(select 1) union (select 2)",
        "with a as (select 1) select * from a",
        "insert into t values ('a; b')",
        "insert into t values ('it''s; fine')",
        r"select E'it\'s; fine'",
        "select $$a; b$$, $x$c; $$ d$x$",
        "select \"a;b\" from t",
        "select temp, temperature from readings where note = 'begin'",
        "create table t (a int)",
        "create rule r as on insert to t do (select 1; select 2)",
        "truncate t",
        "explain analyze select 1",
        "vacuum",
    ] {
        assert_eq!(route(query), Route::Shared, "{query}");
    }
}

#[test]
fn all_else_runs_alone() {
    for query in [
        "select 1; select 2",
        "begin",
        "BEGIN; update t set a = 1; COMMIT",
        "/* x */ start transaction",
        "commit",
        "end",
        "rollback",
        "savepoint a",
        "set work_mem = '1MB'",
        "reset all",
        "listen a",
        "do $$ begin set work_mem = '1MB'; end $$",
        "unlisten *",
        "prepare a as select 1",
        "execute a",
        "deallocate all",
        "discard all",
        "declare c cursor for select 1",
        "lock table t",
        "load 'x'",
        "copy t to '/tmp/x'",
        "create temp table t (a int)",
        "create local temporary table t (a int)",
        "create or replace temp view v as select 1",
        "select 1 into temp t",
        "select set_config('a', 'b', false)",
        "select PG_ADVISORY_LOCK(1)",
        "select pg_try_advisory_lock_shared(1)",
        "\u{a0}begin",
        "unheard of",
        "select 'it\\'; begin; --'",
    ] {
        assert!(matches!(route(query), Route::Alone(_)), "{query}");
    }
}

#[test]
fn files_of_the_client_are_refused() {
    for query in ["copy t from stdin", "select 1; COPY t (a) TO STDOUT", "/**/copy t from StdIn"] {
        assert_eq!(route(query), Route::Copy, "{query}");
    }
}

#[test]
fn statements_are_told_apart() {
    for (query, expected) in [
        ("a;b", &["a", "b"][..]),
        ("a;;-- c\n;b;", &["a", "b"]),
        ("'a;b';c", &["'a;b'", "c"]),
        ("a$b$;c", &["a$b$", "c"]),
        ("$1;$a$;$a$", &["$1", "$a$;$a$"]),
        ("(a;b);c", &["(a;b)", "c"]),
        ("é';'é;ü", &["é';'é", "ü"]),
        ("'open; ", &["'open; "]),
    ] {
        assert_eq!(statements(query), expected, "{query}");
    }
    assert!(begins_transaction(&["select 1", " Begin"]));
    assert!(!begins_transaction(&["select 'begin'"]));
}

proptest! {
    #[test]
    fn any_text_is_routed_without_panic(any: String, near in "[a;'\"$/*()\\\\é -]{0,20}") {
        let _ = (route(&any), route(&near));
    }

    /// Nothing is shared that has a second statement outside of quotes and comments.
    #[test]
    fn a_second_statement_is_seen(first in "[a-z0-9 ,]{0,10}", second in "[a-z]{1,10}") {
        let query = format!("select {first};{second}");
        prop_assert!(!matches!(route(&query), Route::Shared));
    }
}
