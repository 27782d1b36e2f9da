//! Values: what is set is read, whatever its bytes.

use airside_tests::harness::Client;
use serde_json::json;

use super::store::Store;
use crate::it::wire::{Refusal, ask, ask_in_json, delete, get, keys, set};

/// What each store gives as the reason for which a missing key is not found.
const MISSING: &str = "nil value returned from database";

pub(super) fn what_is_set_is_read(store: &Store) {
    let mut client = store.server.client();
    assert_eq!(keys(&mut client), Ok(vec![]));
    for data in ["first", "second, and longer", "3"] {
        assert_eq!(set(&mut client, "key", data), Ok(()));
        assert_eq!(get(&mut client, "key"), Ok(data.into()));
    }
    assert_eq!(set(&mut client, "another", "value"), Ok(()));
    assert_eq!(get(&mut client, "key"), Ok("3".into()));
    assert_eq!(keys(&mut client), Ok(vec!["another".to_owned(), "key".to_owned()]));
}

pub(super) fn what_is_deleted_is_gone(store: &Store) {
    let mut client = store.server.client();
    for data in ["once", "again"] {
        assert_eq!(set(&mut client, "key", data), Ok(()));
        assert_eq!(delete(&mut client, "key"), Ok(()));
        check_missing(&mut client, "key");
        assert_eq!(keys(&mut client), Ok(vec![]));
    }
    assert_eq!(set(&mut client, "key", "back"), Ok(()));
    assert_eq!(get(&mut client, "key"), Ok("back".into()));
}

pub(super) fn a_missing_key_is_said_to_be_missing(store: &Store) {
    let mut client = store.server.client();
    check_missing(&mut client, "missing");
    assert_eq!(delete(&mut client, "missing"), Ok(()), "no error");
    let refusal = ask_in_json(&mut client, "kvstore", "get", &json!({ "key": "missing" }));
    let text = format!("Unable to fetch key missing - {MISSING}");
    assert_eq!(refusal.unwrap_err().text, text);
}

#[track_caller]
fn check_missing(client: &mut Client, key: &str) {
    let refusal = get(client, key).unwrap_err();
    assert_eq!(refusal.text, format!("Unable to fetch key {MISSING}"));
}

pub(super) fn empty_values_and_keys_are_refused(store: &Store) {
    let mut client = store.server.client();
    for data in ["\"data\":\"\"", "\"other\":1"] {
        let refusal = ask(&mut client, "kvstore", "set", format!("{{\"key\":\"key\",{data}}}"));
        let text = refusal.unwrap_err().text;
        assert_eq!(text, "Unable to store data using key key - data cannot be empty");
    }
    assert!(set(&mut client, "key", "").is_err());
    let nil = |refusal: Refusal| assert_eq!(refusal.text, "key cannot be nil");
    nil(set(&mut client, "", "data").unwrap_err());
    nil(get(&mut client, "").unwrap_err());
    nil(delete(&mut client, "").unwrap_err());
    assert_eq!(keys(&mut client), Ok(vec![]), "nothing is stored");
}

pub(super) fn any_bytes_are_kept(store: &Store) {
    let all: Vec<u8> = (0..=255).collect();
    let rows: [(&str, &[u8]); 7] = [
        ("all", &all),
        ("nul", b"\0"),
        ("nuls", &[0; 100]),
        ("line", b"\r\n"),
        ("space", b" "),
        ("notUtf8", b"\xff\xfe\x80"),
        ("protobuf", b"\x0a\x03key\x12\x04data"),
    ];
    let mut client = store.server.client();
    for (key, data) in rows {
        assert_eq!(set(&mut client, key, data), Ok(()), "{key}");
    }
    for (key, data) in rows {
        assert_eq!(get(&mut client, key), Ok(data.to_vec()), "{key}");
    }
}

pub(super) fn a_value_of_a_mebibyte_is_kept(store: &Store) {
    // Without a period that a lost or doubled piece could hide behind.
    let data: Vec<u8> =
        (0..1_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut client = store.server.client();
    assert_eq!(set(&mut client, "large", &data), Ok(()));
    assert!(get(&mut client, "large").is_ok_and(|found| found == data));
    assert_eq!(keys(&mut client), Ok(vec!["large".to_owned()]));
}

pub(super) fn json_is_answered_as_tarmac_does(store: &Store) {
    let rows = [
        ("keys", "", r#"{"keys":null,"status":{"code":200,"status":"OK"}}"#),
        ("set", r#"{"key":"k","data":"djE="}"#, r#"{"status":{"code":200,"status":"OK"}}"#),
        (
            "get",
            r#"{"Key":"k","more":1}"#,
            r#"{"status":{"code":200,"status":"OK"},"data":"djE="}"#,
        ),
        ("keys", "", r#"{"keys":["k"],"status":{"code":200,"status":"OK"}}"#),
        ("delete", r#"{"key":"k"}"#, r#"{"status":{"code":200,"status":"OK"}}"#),
        ("keys", "", r#"{"keys":null,"status":{"code":200,"status":"OK"}}"#),
    ];
    let mut client = store.server.client();
    for (operation, request, expected) in rows {
        let response = ask(&mut client, "kvstore", operation, request);
        assert_eq!(response, Ok(expected.into()), "{operation} {request}");
    }
    let text = format!("Unable to fetch key k - {MISSING}");
    let response = format!(r#"{{"status":{{"code":404,"status":"{text}"}},"data":""}}"#).into();
    let refusal = ask(&mut client, "kvstore", "get", r#"{"key":"k"}"#);
    assert_eq!(refusal, Err(Refusal { text, response }));
}
