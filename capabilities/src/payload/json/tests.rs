//! Expected values are what Go 1.26's `encoding/json` gives for the same input.

use std::borrow::Cow;

use proptest::prelude::*;

use super::*;

const END: &str = "unexpected end of JSON input";

fn decode_histogram(payload: &[u8]) -> (String, f64, String) {
    let (mut name, mut value) = (Cow::default(), 0.0);
    let fields = [("name", Slot::Text(&mut name)), ("value", Slot::Number(&mut value))];
    let error = decode(payload, "MetricsHistogram", fields).err();
    (name.into_owned(), value, error.map(|error| error.to_string()).unwrap_or_default())
}

#[test]
fn decodes_as_go_does() {
    let check = |payload: &[u8], name: &str, value: f64| {
        let shown = String::from_utf8_lossy(payload);
        assert_eq!(decode_histogram(payload), (name.to_owned(), value, String::new()), "{shown}");
    };
    check(b"null", "", 0.0);
    check(b" {} \r\n\t", "", 0.0);
    check(br#"{"name":"a","value":-1.5e2}"#, "a", -150.0);
    check(br#" { "value" : 0 , "name" : "a" } "#, "a", 0.0);
    check(br#"{"NAME":"q","vAlUe":1}"#, "q", 1.0);
    check(br#"{"name":"a","Name":"b"}"#, "b", 0.0);
    check(br#"{"name":"a","name":null,"value":null}"#, "a", 0.0);
    check(br#"{"x":[{"name":"no"},[],{},"]}",true,false,null],"name":"a"}"#, "a", 0.0);
    check(br#"{"n\u0061me":"a\"\\\/\b\f\n\r\t\u00e9"}"#, "a\"\\/\u{8}\u{c}\n\r\t\u{e9}", 0.0);
    check("{\"name\":\"é😀\"}".as_bytes(), "é😀", 0.0);
    check(br#"{"name":"\ud83d\ude00"}"#, "😀", 0.0);
    check(br#"{"name":"\ud800x\udc00\ud800\ud83d\ude00"}"#, "\u{fffd}x\u{fffd}\u{fffd}😀", 0.0);
    check(b"{\"name\":\"a\xffb\xe2\x82c\"}", "a\u{fffd}b\u{fffd}\u{fffd}c", 0.0);
    check("{\"\u{17f}ame\":\"x\"}".as_bytes(), "", 0.0);
}

#[test]
fn strings_end_where_they_must_at_any_length() {
    for length in 0..100 {
        let plain = "x".repeat(length);
        let text = format!("{{\"name\":\"{plain}\"}}");
        assert_eq!(decode_histogram(text.as_bytes()), (plain.clone(), 0.0, String::new()));
        let escaped = format!("{{\"name\":\"{plain}\\n{plain}\"}}");
        let want = format!("{plain}\n{plain}");
        assert_eq!(decode_histogram(escaped.as_bytes()), (want, 0.0, String::new()));
        let broken = format!("{{\"name\":\"{plain}\u{1}{plain}\"}}");
        let error = String::from(r"invalid character '\x01' in string literal");
        assert_eq!(decode_histogram(broken.as_bytes()), (String::new(), 0.0, error), "{length}");
    }
}

#[test]
fn wrong_types_are_reported_and_the_rest_is_filled() {
    let check = |payload: &str, name: &str, error: &str| {
        let (decoded, _, found) = decode_histogram(payload.as_bytes());
        assert_eq!((decoded.as_str(), found.as_str()), (name, error), "{payload}");
    };
    let field = "into Go struct field MetricsHistogram";
    let whole = "into Go value of type tarmac.MetricsHistogram";
    check("[1]", "", &format!("json: cannot unmarshal array {whole}"));
    check("12", "", &format!("json: cannot unmarshal number {whole}"));
    check("\"a\"", "", &format!("json: cannot unmarshal string {whole}"));
    check("true", "", &format!("json: cannot unmarshal bool {whole}"));
    check(
        r#"{"name":1}"#,
        "",
        &format!("json: cannot unmarshal number {field}.name of type string"),
    );
    check(
        r#"{"name":{},"value":[]}"#,
        "",
        &format!("json: cannot unmarshal object {field}.name of type string"),
    );
    check(
        r#"{"name":"a","value":"x"}"#,
        "a",
        &format!("json: cannot unmarshal string {field}.value of type float64"),
    );
    check(
        r#"{"value":1e999,"name":"k"}"#,
        "k",
        &format!("json: cannot unmarshal number 1e999 {field}.value of type float64"),
    );
}

#[test]
fn syntax_errors_fill_nothing_and_have_gos_texts() {
    let check = |payload: &[u8], error: &str| {
        let error =
            if error == END { END.to_owned() } else { format!("invalid character {error}") };
        let shown = String::from_utf8_lossy(payload);
        assert_eq!(decode_histogram(payload), (String::new(), 0.0, error), "{shown}");
    };
    check(b"", END);
    check(br#"{"name":"a""#, END);
    check(br#"{"name":"a"#, END);
    check(b"{", END);
    check(br#"{"name":"a\"#, "' ' in string escape code");
    check(br#"{"name":"a\u12"#, r"' ' in \u hexadecimal character escape");
    check(b"-", "' ' in numeric literal");
    check(b"1.", "' ' after decimal point in numeric literal");
    check(b"1e", "' ' in exponent of numeric literal");
    check(b"tru", "' ' in literal true (expecting 'e')");
    check(b"xx", "'x' looking for beginning of value");
    check(br#"{"name" "a"}"#, "'\"' after object key");
    check(br#"{"name":"a",}"#, "'}' looking for beginning of object key string");
    check(b"{1:2}", "'1' looking for beginning of object key string");
    check(br#"{"a":[1 2]}"#, "'2' after array element");
    check(b"[1,]", "']' looking for beginning of value");
    check(br#"{"a":tru}"#, "'}' in literal true (expecting 'e')");
    check(br#"{"a":01}"#, "'1' after object key:value pair");
    check(br#"{"a":-}"#, "'}' in numeric literal");
    check(br#"{"a":1.}"#, "'}' after decimal point in numeric literal");
    check(br#"{"a":1e}"#, "'}' in exponent of numeric literal");
    check(br#"{"a":1e+}"#, "'}' in exponent of numeric literal");
    check(br#"{"a":"\q"}"#, "'q' in string escape code");
    check(br#"{"a":"\u12g"}"#, r"'g' in \u hexadecimal character escape");
    check(b"{\"a\":\"\n\"}", r"'\n' in string literal");
    check(br#"{"name":"a"} {"#, "'{' after top-level value");
    check(b"12x", "'x' after top-level value");
    check(b"'", r"'\'' looking for beginning of value");
    check(b"\"\\'\"", r"'\'' in string escape code");
    check(b"\x00", r"'\x00' looking for beginning of value");
    check(b"\x07", r"'\a' looking for beginning of value");
    check(b"\x7f", r"'\x7f' looking for beginning of value");
    check(b"\x80", r"'\u0080' looking for beginning of value");
    check(b"\xef\xbb\xbf{}", "'ï' looking for beginning of value");
    check(&b"[".repeat(10_001), "'[' exceeded max depth");
    check(&b"[".repeat(10_000), END);
}

#[test]
fn strings_are_encoded_as_go_does() {
    let check = |text: &[u8], expected: &str| {
        let mut out = Vec::new();
        push_string(&mut out, text);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    };
    check(b"", r#""""#);
    check(b"a/'\x7f", "\"a/'\x7f\"");
    check(b"<>&\"\\", r#""\u003c\u003e\u0026\"\\""#);
    check(b"\x08\x0c\n\r\t\x01\x1f", r#""\b\f\n\r\t\u0001\u001f""#);
    check("\u{2028}\u{2029}é😀".as_bytes(), r#""\u2028\u2029é😀""#);
    check(b"a\xff\xe2\x82z", r#""a\ufffd\ufffd\ufffdz""#);
}

/// Text that is nearly JSON, so that every state of the scanner is reached.
fn nearly_json() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"name\"",
        "\"value\"",
        "\"a\\n\"",
        "1",
        "-0.5e3",
        "0",
        "true",
        "null",
        " ",
        "\"",
        "\\",
        "x",
        "\u{1}",
        "é",
    ]);
    prop::collection::vec(token, 0..12).prop_map(|tokens| tokens.concat())
}

proptest! {
    #[test]
    fn any_bytes_decode_without_panic(payload: Vec<u8>) {
        decode_histogram(&payload);
    }

    #[test]
    fn serde_json_agrees_on_what_is_json(payload in nearly_json()) {
        let ours = Scanner::check(payload.as_bytes()).is_ok();
        prop_assert_eq!(ours, serde_json::from_str::<serde_json::Value>(&payload).is_ok());
    }

    #[test]
    fn serde_json_agrees_on_objects(name: String, value in -1e300..1e300) {
        let other = [serde_json::json!({ "name": 1 })];
        let payload = serde_json::json!({ "other": other, "name": name, "value": value });
        let payload = payload.to_string();
        prop_assert_eq!(decode_histogram(payload.as_bytes()), (name, value, String::new()));
    }

    #[test]
    fn serde_json_reads_what_is_encoded(text: String) {
        let mut out = Vec::new();
        push_string(&mut out, text.as_bytes());
        prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
    }
}
