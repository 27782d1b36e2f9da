//! What queries and statements answer: rows, counts, errors in the words of Go's driver, a limit.

use serde_json::json;

use super::{check_error, check_rows, database, server, setup};
use crate::it::wire::{Refusal, SqlExecResponse, Status, ask, ask_in_json, exec, query};

#[test]
fn results_are_what_tarmac_makes_of_them() {
    let server = server(&database("results"));
    let mut client = server.client();
    check_rows(&mut client, "select 2 b, 1 a", "b,a", r#"[{"a":1,"b":2}]"#);
    let twice = "select a a, a * 2 a, 1 b from (values (1), (2)) v(a)";
    check_rows(&mut client, twice, "a,a,b", r#"[{"a":2,"b":1},{"a":4,"b":1}]"#);
    check_rows(&mut client, "select 1 where false", "?column?", "null");
    check_rows(&mut client, "-- nothing", "", "null");
    check_rows(&mut client, " ; ", "", "null");
    // Of several statements the first result counts, even an empty one.
    check_rows(&mut client, "select 1 a; select 2 b", "a", r#"[{"a":1}]"#);
    check_rows(&mut client, "select 1 a where false; select 2 b", "a", "null");
    check_rows(&mut client, "set work_mem = '1MB'; select 3 c", "c", r#"[{"c":3}]"#);

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
    check_rows(&mut client, "select 1 a", "a", r#"[{"a":1}]"#);
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
    check_rows(&mut client, "select count(*) n from t", "n", r#"[{"n":1}]"#);
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

#[test]
fn a_result_has_a_limit() {
    let server = setup(&database("large")).set("backend_call_timeout_ms", 60_000).start();
    let mut client = server.client();
    let error = "Unable to execute query - unable to process query results - \
                 the result is larger than 67108864 bytes";
    let large = "select repeat('x', 1000000) from generate_series(1, 100)";
    check_error(&mut client, large, error);
    check_error(&mut client, &format!("{large}; select 1"), error);
    check_rows(&mut client, "select 1 a", "a", r#"[{"a":1}]"#);
}
