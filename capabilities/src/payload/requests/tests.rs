//! prost is the oracle: whatever it makes of a payload, the borrowed decoders make of it too.

use proptest::prelude::*;
use prost::Message;

use super::super::messages::{
    KvStoreGet, KvStoreSet, MetricsCounter, MetricsGauge, MetricsHistogram,
};
use super::*;

/// Bytes that are often close to a message: keys of known and unknown fields, lengths, groups,
/// text, and noise.
fn nearly_protobuf() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            &b"\x0a\x01a"[..],
            b"\x0a\x00",
            b"\x12\x02hi",
            b"\x12\x00",
            b"\x0a\x01\xff",
            b"\x1a\x01x",
            b"\x18\x01",
            b"\x7b",
            b"\x7c",
            b"\x7b\x08\x01\x7c",
            b"\x11\0\0\0\0\0\0\xf0\x3f",
            b"\x15\0\0\0\0",
            b"\x1d\0\0\0\0",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x80\x00",
            b"\x0a\x80\x00",
            b"\x00",
            b"\x0e",
        ])
        .prop_map(<[u8]>::to_vec),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn deep_groups(levels: usize) -> Vec<u8> {
    [b"\x7b".repeat(levels), b"\x7c".repeat(levels)].concat()
}

fn assert_agrees(payload: &[u8]) {
    let set = KvStoreSet::decode(payload).ok();
    let ours = Set::protobuf(payload).ok();
    let ours = ours.map(|(key, data)| (key.to_owned(), data.unwrap_or_default().to_vec()));
    assert_eq!(ours, set.map(|set| (set.key, set.data)), "set {payload:x?}");

    if is_surely_json(payload) {
        return;
    }
    let get = KvStoreGet::decode(payload).ok().map(|get| get.key);
    assert_eq!(protobuf_texts(payload).map(|[key]| key.to_owned()), get, "get {payload:x?}");

    let gauge = MetricsGauge::decode(payload).ok().map(|gauge| [gauge.name, gauge.action]);
    assert_eq!(
        protobuf_texts(payload).map(|texts: [&str; 2]| texts.map(str::to_owned)),
        gauge,
        "gauge {payload:x?}"
    );

    let histogram =
        MetricsHistogram::decode(payload).ok().map(|wanted| (wanted.name, wanted.value.to_bits()));
    let ours =
        histogram_protobuf(payload).ok().map(|(name, value)| (name.to_owned(), value.to_bits()));
    assert_eq!(ours, histogram, "histogram {payload:x?}");
}

#[test]
fn group_depth_limit_is_prosts() {
    for levels in [1, 98, 99, 100, 101, 102] {
        assert_agrees(&deep_groups(levels));
    }
}

#[test]
fn what_is_surely_json_is_no_request_in_protobuf() {
    let check = |payload: &[u8], expected: bool| {
        assert_eq!(is_surely_json(payload), expected, "{}", String::from_utf8_lossy(payload));
    };
    check(b"{}", true);
    check(b" {", true);
    check(b"\t\r\n {", true);
    check(b"", false);
    check(b"xx", false);
    check(b" ", false);
    check(b"\n{", false);
}

/// A key of 123 bytes begins with `\n{`, which looks like JSON after a line break.
#[test]
fn keys_of_any_length_are_protobuf() {
    for len in 1..300 {
        for first in ["k", "{"] {
            let key = format!("{first}{}", "x".repeat(len - 1));
            let payload = KvStoreGet { key: key.clone() }.encode_to_vec();
            let decoded = Key::decode(&payload, "KVStoreGet").unwrap();
            assert_eq!((&*decoded.key, decoded.format), (key.as_str(), Format::Protobuf));
        }
    }
}

#[test]
fn json_is_found_behind_blanks() {
    for blanks in ["", " ", "\t", "\r\n", "\n", "\n  "] {
        let payload = format!("{blanks}{{\"key\":\"{}\"}}", "x".repeat(40));
        let decoded = Key::decode(payload.as_bytes(), "KVStoreGet").unwrap();
        assert_eq!((decoded.key.len(), decoded.format), (40, Format::Json), "{payload:?}");
    }
}

proptest! {
    #[test]
    fn prost_agrees_on_any_bytes(payload: Vec<u8>) {
        assert_agrees(&payload);
    }

    #[test]
    fn prost_agrees_on_nearly_messages(payload in nearly_protobuf()) {
        assert_agrees(&payload);
    }

    #[test]
    fn prost_encodings_decode(
        name: String,
        data: Vec<u8>,
        value in prop::num::f64::POSITIVE | prop::num::f64::NEGATIVE,
    ) {
        let payload = KvStoreSet { key: name.clone(), data: data.clone() }.encode_to_vec();
        let expected = (name.as_str(), Some(&*data).filter(|data| !data.is_empty()));
        prop_assert_eq!(Set::protobuf(&payload).unwrap(), expected);

        let payload = MetricsCounter { name: name.clone() }.encode_to_vec();
        prop_assert_eq!(counter(&payload).unwrap(), name.as_str());

        let payload = MetricsGauge { name: name.clone(), action: name.clone() }.encode_to_vec();
        let (decoded, action) = gauge(&payload).unwrap();
        prop_assert_eq!((&*decoded, &*action), (name.as_str(), name.as_str()));

        let payload = MetricsHistogram { name: name.clone(), value }.encode_to_vec();
        let (decoded, observed) = histogram(&payload).unwrap();
        prop_assert_eq!((&*decoded, observed.to_bits()), (name.as_str(), value.to_bits()));
    }

    #[test]
    fn no_decoder_panics(payload: Vec<u8>) {
        let _ = Key::decode(&payload, "KVStoreGet");
        let _ = Set::decode(&payload);
        let _ = counter(&payload);
        let _ = gauge(&payload);
        let _ = histogram(&payload);
    }
}
