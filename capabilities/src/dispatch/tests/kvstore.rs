//! Every row of the kvstore capability, in protobuf and JSON.

use prost::Message;

use super::Guest;
use crate::kv::{Kv, Memory};
use crate::payload::messages::{
    KvStoreDeleteResponse, KvStoreGet, KvStoreGetResponse, KvStoreKeys, KvStoreKeysResponse,
    KvStoreSet, KvStoreSetResponse, Status,
};

/// `KVStoreGet` and, having the same form, `KVStoreDelete`.
fn key(key: &str) -> Vec<u8> {
    KvStoreGet { key: key.to_owned() }.encode_to_vec()
}

fn set(key: &str, data: &[u8]) -> Vec<u8> {
    KvStoreSet { key: key.to_owned(), data: data.to_vec() }.encode_to_vec()
}

fn status(code: i32, status: &str) -> Option<Status> {
    Some(Status { code, status: status.to_owned() })
}

/// A store that has `k` = `v`.
fn guest() -> Guest {
    let mut guest = Guest::new();
    assert_eq!(guest.call("kvstore", "set", &set("k", b"v")), "");
    guest
}

/// A store that refuses every set.
fn full() -> Guest {
    Guest::with_kv(Some(Kv::Memory(Memory::new(Some(0)))))
}

const FULL: &str = "memory store is full: its limit is 0 bytes";
const MISSING: &str = "nil value returned from database";

/// Checks a call whose payload is JSON, or nothing known at all. An error's text is that of the
/// status.
fn check_json(
    guest: &mut Guest,
    operation: &str,
    payload: &[u8],
    code: u16,
    text: &str,
    answer: &str,
) {
    let shown = String::from_utf8_lossy(payload).into_owned();
    let error = guest.call("kvstore", operation, payload);
    assert_eq!(error, if code == 200 { "" } else { text }, "{operation} {shown}");
    let response = String::from_utf8(guest.response.clone()).unwrap();
    assert_eq!(response, answer, "{operation} {shown}");
    let parsed: serde_json::Value = serde_json::from_str(&response).unwrap();
    assert_eq!(
        (&parsed["status"]["code"], &parsed["status"]["status"]),
        (&code.into(), &text.into()),
        "{shown}"
    );
}

#[test]
fn get_protobuf() {
    let check = |payload: &[u8], code: i32, text: &str, data: &[u8]| {
        let mut guest = guest();
        let error = guest.call("kvstore", "get", payload);
        assert_eq!(error, if code == 200 { "" } else { text }, "{payload:x?}");
        let expected = KvStoreGetResponse { status: status(code, text), data: data.to_vec() };
        assert_eq!(guest.response, expected.encode_to_vec(), "{payload:x?}");
    };
    check(&key("k"), 200, "OK", b"v");
    check(&key("other"), 404, &format!("Unable to fetch key {MISSING}"), b"");
    check(&key(""), 400, "key cannot be nil", b"");
    // Empty and unknown fields: a message without a key.
    check(b"", 400, "key cannot be nil", b"");
    check(b"xx", 400, "key cannot be nil", b"");
    // A key of 123 bytes makes the payload begin like JSON after a line break.
    check(&key(&"k".repeat(123)), 404, &format!("Unable to fetch key {MISSING}"), b"");
}

#[test]
fn get_gives_the_known_vector() {
    let mut guest = Guest::new();
    assert_eq!(guest.call("kvstore", "set", &set("k", b"v1")), "");
    assert_eq!(guest.call("kvstore", "get", &key("k")), "");
    assert_eq!(guest.response, b"\x0a\x07\x08\xc8\x01\x12\x02OK\x12\x02v1");
}

#[test]
fn get_json() {
    let check = |payload: &[u8], code: u16, text: &str, answer: &str| {
        check_json(&mut guest(), "get", payload, code, text, answer);
    };
    let ok = r#"{"status":{"code":200,"status":"OK"},"data":"dg=="}"#;
    check(br#"{"key":"k"}"#, 200, "OK", ok);
    check(br#" {"KEY":"\u006b","other":{"key":[]}} "#, 200, "OK", ok);
    check(
        br#"{"key":"a<b"}"#,
        404,
        &format!("Unable to fetch key a<b - {MISSING}"),
        &format!(
            r#"{{"status":{{"code":404,"status":"Unable to fetch key a\u003cb - {MISSING}"}},"data":""}}"#
        ),
    );
    let empty_key = "Unable to fetch key  - key cannot be nil";
    let empty_answer = format!(r#"{{"status":{{"code":404,"status":"{empty_key}"}},"data":""}}"#);
    check(br#"{"key":""}"#, 404, empty_key, &empty_answer);
    check(b"{}", 404, empty_key, &empty_answer);
    check(b"null", 404, empty_key, &empty_answer);
    let unparseable = r#"{"status":{"code":400,"status":"Error Parsing Input"},"data":""}"#;
    for payload in [&b"{"[..], b"zz", br#"{"key":1}"#, b"[]", b"\x0a\x01\xff", br#"{"key":"k"} x"#]
    {
        check(payload, 400, "Error Parsing Input", unparseable);
    }
}

#[test]
fn set_protobuf() {
    let check = |guest: &mut Guest, payload: &[u8], code: i32, text: &str| {
        let error = guest.call("kvstore", "set", payload);
        assert_eq!(error, if code == 200 { "" } else { text }, "{payload:x?}");
        let expected = KvStoreSetResponse { status: status(code, text) };
        assert_eq!(guest.response, expected.encode_to_vec(), "{payload:x?}");
    };
    let mut guest = guest();
    check(&mut guest, &set("k", b"\xff\0"), 200, "OK");
    check(&mut guest, &set("", b"v"), 400, "key cannot be nil");
    // Absent data is said before the empty key.
    check(&mut guest, &set("k", b""), 400, "Data cannot be nil");
    check(&mut guest, b"", 400, "Data cannot be nil");
    check(&mut guest, b"xx", 400, "Data cannot be nil");
    // Present data of length 0 is not.
    check(&mut guest, b"\x0a\x01k\x12\x00", 500, "Unable to store data - data cannot be empty");
    check(&mut guest, b"\x12\x00", 400, "key cannot be nil");
    check(&mut full(), &set("k", b"v"), 500, &format!("Unable to store data - {FULL}"));
    assert_eq!(guest.call("kvstore", "get", &key("k")), "");
    assert!(guest.response.ends_with(b"\x12\x02\xff\0"));
}

#[test]
fn set_json() {
    let check = |guest: &mut Guest, payload: &str, code: u16, text: &str| {
        let answer = format!(r#"{{"status":{{"code":{code},"status":"{text}"}}}}"#);
        check_json(guest, "set", payload.as_bytes(), code, text, &answer);
    };
    let mut guest = guest();
    check(&mut guest, r#"{"key":"k","data":"dmFs\r\ndWU="}"#, 200, "OK");
    check(&mut guest, r#"{"Data":"dmFsdWU=","Key":"k","x":null}"#, 200, "OK");
    assert_eq!(guest.call("kvstore", "get", br#"{"key":"k"}"#), "");
    assert_eq!(guest.response, br#"{"status":{"code":200,"status":"OK"},"data":"dmFsdWU="}"#);

    let store = "Unable to store data using key";
    check(&mut guest, r#"{"key":"","data":"dg=="}"#, 500, &format!("{store}  - key cannot be nil"));
    check(&mut guest, r#"{"data":"dg=="}"#, 500, &format!("{store}  - key cannot be nil"));
    check(&mut guest, r#"{"key":"k"}"#, 500, &format!("{store} k - data cannot be empty"));
    check(
        &mut guest,
        r#"{"key":"k","data":""}"#,
        500,
        &format!("{store} k - data cannot be empty"),
    );
    check(&mut guest, "{}", 500, &format!("{store}  - key cannot be nil"));
    let illegal = "Unable to decode data - illegal base64 data at input byte";
    check(&mut guest, r#"{"key":"k","data":"dg="}"#, 400, &format!("{illegal} 3"));
    check(&mut guest, r#"{"key":"k","data":"_-=="}"#, 400, &format!("{illegal} 0"));
    check(&mut guest, r#"{"key":"","data":"dmFs dg"}"#, 400, &format!("{illegal} 4"));
    // Data that was decoded before another field was refused counts.
    check(&mut guest, r#"{"key":1,"data":"d"}"#, 400, &format!("{illegal} 0"));
    check(&mut guest, r#"{"key":1,"data":"dg=="}"#, 400, "Error Parsing Input");
    check(&mut guest, r#"{"key":"k","data":"dg==""#, 400, "Error Parsing Input");
    check(&mut guest, "zz", 400, "Error Parsing Input");
    check(&mut full(), r#"{"key":"k","data":"dg=="}"#, 500, &format!("{store} k - {FULL}"));
}

#[test]
fn delete_protobuf() {
    let check = |payload: &[u8], code: i32, text: &str| {
        let mut guest = guest();
        let error = guest.call("kvstore", "delete", payload);
        assert_eq!(error, if code == 200 { "" } else { text }, "{payload:x?}");
        let expected = KvStoreDeleteResponse { status: status(code, text) };
        assert_eq!(guest.response, expected.encode_to_vec(), "{payload:x?}");
    };
    check(&key("k"), 200, "OK");
    check(&key("absent"), 200, "OK");
    check(&key(""), 400, "key cannot be nil");
    check(b"", 400, "key cannot be nil");
}

#[test]
fn delete_json() {
    let check = |payload: &str, code: u16, text: &str| {
        let answer = format!(r#"{{"status":{{"code":{code},"status":"{text}"}}}}"#);
        check_json(&mut guest(), "delete", payload.as_bytes(), code, text, &answer);
    };
    check(r#"{"key":"k"}"#, 200, "OK");
    check(r#"{"key":"absent"}"#, 200, "OK");
    check(r#"{"key":""}"#, 404, "Unable to delete key  - key cannot be nil");
    check("{}", 404, "Unable to delete key  - key cannot be nil");
    check("{", 400, "Error Parsing Input");
}

#[test]
fn deleted_keys_are_gone() {
    let mut guest = guest();
    assert_eq!(guest.call("kvstore", "delete", &key("k")), "");
    assert_eq!(guest.call("kvstore", "get", &key("k")), format!("Unable to fetch key {MISSING}"));
}

#[test]
fn keys_choose_their_encoding_by_whether_there_is_a_payload() {
    let protobuf = |keys: &[&str]| {
        let keys = keys.iter().map(|&key| key.to_owned()).collect();
        KvStoreKeysResponse { status: status(200, "OK"), keys }.encode_to_vec()
    };
    let check = |guest: &mut Guest, payload: &[u8], expected: &[u8]| {
        assert_eq!(guest.call("kvstore", "keys", payload), "");
        assert_eq!(guest.response, expected, "{payload:x?}");
    };
    let asks: [Vec<u8>; 4] = [
        KvStoreKeys { return_proto: true }.encode_to_vec(),
        b"\x08\x00".to_vec(),
        b"{}".to_vec(),
        b"zz".to_vec(),
    ];
    let (mut empty, mut one) = (Guest::new(), guest());
    for ask in &asks {
        check(&mut empty, ask, &protobuf(&[]));
        check(&mut one, ask, &protobuf(&["k"]));
    }
    check(&mut empty, b"", br#"{"keys":null,"status":{"code":200,"status":"OK"}}"#);
    check(&mut one, b"", br#"{"keys":["k"],"status":{"code":200,"status":"OK"}}"#);
    assert_eq!(one.call("kvstore", "delete", &key("k")), "");
    assert_eq!(one.call("kvstore", "set", &set("<&>\u{2028}", b"v")), "");
    check(
        &mut one,
        b"",
        br#"{"keys":["\u003c\u0026\u003e\u2028"],"status":{"code":200,"status":"OK"}}"#,
    );
}

/// Every failure of the store has the status of the operation and the store's text.
#[test]
fn failed_stores() {
    const FAILED: &str = "embedded store failed: I/O error: disk on fire";
    let guest = || Guest::with_kv(Some(crate::kv::tests::failed()));
    let check = |operation: &str, payload: &[u8], code: i32, text: &str| {
        let (text, mut guest) = (format!("{text}{FAILED}"), guest());
        assert_eq!(guest.call("kvstore", operation, payload), text);
        // The answers differ only in fields that are empty here.
        let expected = KvStoreSetResponse { status: status(code, &text) };
        assert_eq!(guest.response, expected.encode_to_vec(), "{operation}");
    };
    check("get", &key("k"), 404, "Unable to fetch key ");
    check("set", &set("k", b"v"), 500, "Unable to store data - ");
    check("delete", &key("k"), 404, "Unable to delete key ");
    check("keys", b"\x08\x01", 500, "Unable to fetch keys - ");

    let check = |operation: &str, payload: &str, code: u16, text: &str, around: [&str; 2]| {
        let text = format!("{text}{FAILED}");
        let status = format!(r#""status":{{"code":{code},"status":"{text}"}}"#);
        let answer = around.join(&status);
        check_json(&mut guest(), operation, payload.as_bytes(), code, &text, &answer);
    };
    let pair = r#"{"key":"k","data":"dg=="}"#;
    check("get", pair, 404, "Unable to fetch key k - ", ["{", r#","data":""}"#]);
    check("set", pair, 500, "Unable to store data using key k - ", ["{", "}"]);
    check("delete", pair, 404, "Unable to delete key k - ", ["{", "}"]);
    check("keys", "", 500, "Unable to fetch keys - ", [r#"{"keys":[],"#, "}"]);
}
