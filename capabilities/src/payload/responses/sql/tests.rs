//! prost reads what is written, and serde_json the rows in it.

use proptest::prelude::*;
use prost::Message;

use super::{Layout, RESULT_BYTES_MAX, Rows, TooLarge, executed, query_refused};
use crate::payload::Format;
use crate::payload::messages::{SqlExecResponse, SqlQueryResponse, Status};

/// An answer with these rows of text.
fn answer(format: Format, columns: &[&str], rows: &[Vec<&str>]) -> Vec<u8> {
    let layout = Layout::new(columns.iter().copied());
    let mut out = b"left over".to_vec();
    let mut writer = Rows::new(&mut out, format);
    writer.begin(&Layout::new(["another"]));
    let written: Result<(), TooLarge> = writer.row(&layout, |_, _| Ok(()));
    assert_eq!(written, Ok(()));
    writer.begin(&layout);
    for row in rows {
        let written: Result<(), TooLarge> = writer.row(&layout, |column, out| {
            out.extend_from_slice(row[column].as_bytes());
            Ok(())
        });
        assert_eq!(written, Ok(()));
    }
    writer.end();
    out
}

#[test]
fn rows_are_objects_with_sorted_keys() {
    let check = |columns: &[&str], rows: &[Vec<&str>], data: &str| {
        let decoded = SqlQueryResponse::decode(&*answer(Format::Protobuf, columns, rows)).unwrap();
        let status = Some(Status { code: 200, status: "OK".into() });
        let columns = columns.iter().map(|&name| name.to_owned()).collect();
        let expected = SqlQueryResponse { status, columns, data: data.as_bytes().to_vec() };
        assert_eq!(decoded, expected);
    };
    check(&[], &[], "null");
    check(&["a"], &[], "null");
    check(&["b", "a"], &[vec!["1", "2"]], r#"[{"a":2,"b":1}]"#);
    check(
        &["a", "a", "B"],
        &[vec!["1", "2", "3"], vec!["4", "5", "6"]],
        r#"[{"B":3,"a":2},{"B":6,"a":5}]"#,
    );
    check(&["a\"<", ""], &[vec!["1", "2"]], r#"[{"":2,"a\"\u003c":1}]"#);
}

#[test]
fn json_has_the_rows_in_base64() {
    let check = |columns: &[&str], rows: &[Vec<&str>], data: &str| {
        let expected = format!(r#"{{"status":{{"code":200,"status":"OK"}},"data":"{data}"}}"#);
        let answer = answer(Format::Json, columns, rows);
        assert_eq!(String::from_utf8(answer).unwrap(), expected);
    };
    check(&[], &[], "bnVsbA==");
    check(&["a"], &[vec!["1"]], "W3siYSI6MX1d");
}

#[test]
fn a_result_has_a_limit() {
    let layout = Layout::new(["a"]);
    let mut out = Vec::new();
    let mut rows = Rows::new(&mut out, Format::Protobuf);
    rows.begin(&layout);
    let half = vec![b'0'; RESULT_BYTES_MAX / 2];
    let mut add = || {
        rows.row(&layout, |_, out| {
            out.extend_from_slice(&half);
            Ok::<(), TooLarge>(())
        })
    };
    assert_eq!(add(), Ok(()));
    let error = add().unwrap_err();
    assert_eq!(error.to_string(), "the result is larger than 67108864 bytes");
}

#[test]
fn refusals_have_null_for_rows_once_tried() {
    for (tried, data, json) in [(true, &b"null"[..], "bnVsbA=="), (false, b"", "")] {
        let mut out = Vec::new();
        query_refused(&mut out, Format::Protobuf, 500, "no", tried);
        let status = Some(Status { code: 500, status: "no".into() });
        let expected = SqlQueryResponse { status, columns: Vec::new(), data: data.to_vec() };
        assert_eq!(SqlQueryResponse::decode(&*out).unwrap(), expected);
        out.clear();
        query_refused(&mut out, Format::Json, 500, "<no>", tried);
        let expected =
            format!(r#"{{"status":{{"code":500,"status":"\u003cno\u003e"}},"data":"{json}"}}"#);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

#[test]
fn executed_gives_the_known_vector() {
    let mut out = Vec::new();
    executed(&mut out, (200, "OK"), 1, 1);
    assert_eq!(out, b"\x0a\x07\x08\xc8\x01\x12\x02OK\x10\x01\x18\x01");
}

proptest! {
    #[test]
    fn prost_reads_what_is_executed(code in 100_u16..600, text in ".{1,9}", id: i64, rows: i64) {
        let mut out = Vec::new();
        executed(&mut out, (code, &text), id, rows);
        let status = Some(Status { code: i32::from(code), status: text });
        let expected = SqlExecResponse { status, last_insert_id: id, rows_affected: rows };
        prop_assert_eq!(out, expected.encode_to_vec());
    }

    #[test]
    fn any_columns_and_rows_are_read_back(
        columns in prop::collection::vec(".{0,4}", 0..5),
        count in 0_usize..200,
    ) {
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        let values: Vec<String> = (0..names.len()).map(|column| column.to_string()).collect();
        let row: Vec<&str> = values.iter().map(String::as_str).collect();
        let rows = vec![row; count];
        let answer = answer(Format::Protobuf, &names, &rows);
        let decoded = SqlQueryResponse::decode(&*answer).unwrap();
        prop_assert_eq!(&decoded.columns, &columns);
        // serde_json also takes the last of equal keys.
        let read: serde_json::Value = serde_json::from_slice(&decoded.data).unwrap();
        let read = read.as_array().cloned().unwrap_or_default();
        prop_assert_eq!(read.len(), count);
        for row in read {
            for (column, name) in columns.iter().enumerate() {
                let last = columns.iter().rposition(|other| other == name);
                if last == Some(column) {
                    prop_assert_eq!(&row[name], &serde_json::json!(column));
                }
            }
        }
        // The shortest length is the one that every encoder writes.
        prop_assert_eq!(answer, decoded.encode_to_vec());
    }
}
