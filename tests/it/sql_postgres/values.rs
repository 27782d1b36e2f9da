//! What the values of each type become in JSON.

use airside_tests::harness::Client;

use super::{check_rows, database, server};
use crate::it::wire::exec;

#[test]
fn values_are_what_tarmac_makes_of_them() {
    let server = server(&database("types"));
    let mut client = server.client();
    let check = |client: &mut Client, expression: &str, value: &str| {
        let rows = format!(r#"[{{"v":{value}}}]"#);
        super::check_rows(client, &format!("select {expression} as v"), "v", &rows);
        // The same next to a type that is sent as text only.
        let both = format!(r#"[{{"i":"MSBkYXk=","v":{value}}}]"#);
        super::check_rows(
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
        check_rows(&mut server.client(), select, "t", &rows);
        check_rows(
            &mut server.client(),
            &format!("select 0; {select}"),
            "?column?",
            r#"[{"?column?":0}]"#,
        );
        check_rows(&mut server.client(), &format!("set work_mem = '1MB'; {select}"), "t", &rows);
    }
}
