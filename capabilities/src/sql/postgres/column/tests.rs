//! Both formats of one value give the same JSON; expected values are what Tarmac gives.

use proptest::prelude::*;
use tokio_postgres::types::Type;

use super::Column;

const KINDS: [Type; 23] = [
    Type::BOOL,
    Type::INT2,
    Type::INT4,
    Type::INT8,
    Type::FLOAT4,
    Type::FLOAT8,
    Type::TEXT,
    Type::VARCHAR,
    Type::BPCHAR,
    Type::CHAR,
    Type::BYTEA,
    Type::DATE,
    Type::TIME,
    Type::TIMETZ,
    Type::TIMESTAMP,
    Type::TIMESTAMPTZ,
    Type::JSON,
    Type::NAME,
    Type::JSONB,
    Type::NUMERIC,
    Type::OID,
    Type::UUID,
    Type::INTERVAL,
];

fn check(kind: Type, binary: &[u8], text: &str, expected: &str) {
    let column = Column::of(&kind);
    let (mut from_binary, mut from_text) = (Vec::new(), Vec::new());
    column.push_binary(&mut from_binary, binary).unwrap();
    column.push_text(&mut from_text, text).unwrap();
    assert_eq!(String::from_utf8(from_binary).unwrap(), expected, "{kind} in binary");
    assert_eq!(String::from_utf8(from_text).unwrap(), expected, "{kind} as text");
}

#[test]
fn both_formats_give_the_same() {
    check(Type::BOOL, &[1], "t", "true");
    check(Type::BOOL, &[0], "f", "false");
    check(Type::INT2, &(-2_i16).to_be_bytes(), "-2", "-2");
    check(Type::INT4, &7_i32.to_be_bytes(), "7", "7");
    check(Type::INT8, &i64::MIN.to_be_bytes(), "-9223372036854775808", "-9223372036854775808");
    check(Type::FLOAT4, &1.1_f32.to_be_bytes(), "1.1", "1.1");
    check(Type::FLOAT4, &123_456_789_f32.to_be_bytes(), "1.2345679e+08", "123456790");
    check(Type::FLOAT8, &1e30_f64.to_be_bytes(), "1e+30", "1e+30");
    check(Type::TEXT, b"x<y", "x<y", r#""x\u003cy""#);
    check(Type::BPCHAR, b"ab   ", "ab   ", r#""ab   ""#);
    check(Type::CHAR, b"q", "q", r#""q""#);
    check(Type::BYTEA, b"\x00\xff", "\\x00ff", r#""AP8=""#);
    check(Type::BYTEA, b"\x00\xffa\\", r"\000\377a\\", r#""AP9hXA==""#);
    check(Type::BYTEA, b"", "\\x", r#""""#);
    check(Type::DATE, &8767_i32.to_be_bytes(), "2024-01-02", r#""2024-01-02T00:00:00Z""#);
    check(Type::DATE, &i32::MAX.to_be_bytes(), "infinity", r#""aW5maW5pdHk=""#);
    let micros = 757_479_845_123_456_i64.to_be_bytes();
    let shown = r#""2024-01-02T03:04:05.123456Z""#;
    check(Type::TIMESTAMP, &micros, "2024-01-02 03:04:05.123456", shown);
    check(Type::TIMESTAMPTZ, &micros, "2024-01-02 03:04:05.123456+00", shown);
    check(Type::TIMESTAMP, &i64::MIN.to_be_bytes(), "-infinity", r#""LWluZmluaXR5""#);
    let micros = 11_045_500_000_i64.to_be_bytes();
    check(Type::TIME, &micros, "03:04:05.5", r#""0000-01-01T03:04:05.5Z""#);
    let with_zone = [&micros[..], &(-19_800_i32).to_be_bytes()].concat();
    check(Type::TIMETZ, &with_zone, "03:04:05.5+05:30", r#""0000-01-01T03:04:05.5+05:30""#);
    check(Type::NAME, b"n", "n", r#""bg==""#);
    check(Type::JSON, b"{}", "{}", r#""e30=""#);
    check(Type::JSONB, b"\x01{}", "{}", r#""e30=""#);
    check(Type::OID, &12_u32.to_be_bytes(), "12", r#""MTI=""#);
    let uuid = "00000000-0000-0000-0000-00000000000a";
    let shown = r#""MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDBh""#;
    check(Type::UUID, &10_u128.to_be_bytes(), uuid, shown);
    check(Type::NUMERIC, b"\0\x02\0\0\0\0\0\x02\0\x0c\x13\x88", "12.50", r#""MTIuNTA=""#);
}

#[test]
fn text_of_another_type_is_a_string() {
    for kind in [Type::BOOL, Type::INT4, Type::FLOAT8, Type::TIMESTAMP] {
        let mut out = Vec::new();
        Column::of(&kind).push_text(&mut out, "{x}").unwrap();
        assert_eq!(out, br#""{x}""#, "{kind}");
    }
}

#[test]
fn only_utc_has_no_offset_to_ask_for() {
    assert!(Column::TimestampTz.has_binary(true));
    assert!(!Column::TimestampTz.has_binary(false));
    assert!(!Column::of(&Type::INT4_ARRAY).has_binary(true));
}

proptest! {
    #[test]
    fn any_value_is_written_without_panic(raw: Vec<u8>, text: String) {
        for kind in KINDS {
            let _ = Column::of(&kind).push_binary(&mut Vec::new(), &raw);
            let _ = Column::of(&kind).push_text(&mut Vec::new(), &text);
        }
    }
}
