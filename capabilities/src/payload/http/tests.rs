//! prost is the oracle for both forms of the messages; which form a request has is found by
//! property.

use std::collections::HashMap;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::http_client::HttpResponse;
use crate::payload::messages::{
    Header, HttpClient, HttpClientResponse, HttpClientResponseWithTexts, HttpClientWithTexts,
};

fn with_texts(headers: &[(&str, &str)]) -> Vec<u8> {
    let headers = headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
    HttpClientWithTexts { headers: headers.collect(), ..HttpClientWithTexts::default() }
        .encode_to_vec()
}

fn with_headers(headers: HashMap<String, Vec<String>>) -> Vec<u8> {
    let headers = headers.into_iter().map(|(name, values)| (name, Header { values }));
    HttpClient { headers: headers.collect(), ..HttpClient::default() }.encode_to_vec()
}

/// Names and values as they will be sent, in order of the names.
fn asked(call: &Call<'_>) -> Vec<(String, Vec<String>)> {
    let mut headers: Vec<(String, Vec<String>)> = Vec::new();
    for header in &call.headers {
        let value = header.value.clone().into_owned();
        match headers.last_mut().filter(|_| header.is_further) {
            Some((_, values)) => values.push(value),
            None => headers.push((header.name.clone().into_owned(), vec![value])),
        }
    }
    headers.sort();
    headers
}

#[test]
fn the_form_is_told_by_the_values() {
    let check = |payload: &[u8], form: Form, headers: &[(&str, &[&str])]| {
        let call = Call::decode(payload);
        assert_eq!(call.form, form, "{payload:x?}");
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, values)| ((*name).to_owned(), values.iter().map(|&v| v.into()).collect()))
            .collect();
        assert_eq!(asked(&call), headers, "{payload:x?}");
        assert!(call.decoded.is_ok());
    };
    check(&with_texts(&[("A", "text/plain")]), Form::Texts, &[("A", &["text/plain"])]);
    check(&with_texts(&[("A", ""), ("B", "b")]), Form::Texts, &[("A", &[""]), ("B", &["b"])]);
    // Values that would be messages, but for their first byte.
    let odd = format!("*!{}", "x".repeat(33));
    check(&with_texts(&[("A", &odd)]), Form::Texts, &[("A", &[&odd])]);
    check(&with_texts(&[("A", "\t12345678")]), Form::Texts, &[("A", &["\t12345678"])]);
    // A line feed in one value makes a `Header` of none; the other one cannot be one.
    check(
        &with_texts(&[("A", "\n\u{1}x"), ("B", "b")]),
        Form::Texts,
        &[("A", &["\n\u{1}x"]), ("B", &["b"])],
    );
    let header = |values: &[&str]| {
        let values = values.iter().map(|&value| value.to_owned()).collect();
        with_headers(HashMap::from([("A".to_owned(), values)]))
    };
    check(&header(&["1", "2"]), Form::Headers, &[("A", &["1", "2"])]);
    check(&header(&[""]), Form::Headers, &[("A", &[""])]);
    check(&header(&[]), Form::Headers, &[]);
    check(b"", Form::Headers, &[]);
    check(&with_texts(&[("A", "")]), Form::Headers, &[]);
    check(br#"{"headers":{"A":"1","B":null}}"#, Form::Json, &[("A", &["1"]), ("B", &[""])]);
}

/// What HTTP lets a value be: anything but control characters, tabs excepted.
const LEGAL: &str = "[\t -~\u{a0}-\u{ff}]{0,40}";

proptest! {
    #[test]
    fn a_header_that_can_be_sent_is_never_taken_for_a_message(
        headers in prop::collection::hash_map("[A-Za-z-]{1,9}", LEGAL, 1..5)
    ) {
        let pairs: Vec<_> = headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let payload = with_texts(&pairs);
        let call = Call::decode(&payload);
        let any_value = headers.values().any(|value| !value.is_empty());
        prop_assert_eq!(call.form, if any_value { Form::Texts } else { Form::Headers });
        if any_value {
            let mut expected: Vec<_> =
                headers.into_iter().map(|(name, value)| (name, vec![value])).collect();
            expected.sort();
            prop_assert_eq!(asked(&call), expected);
        }
    }

    #[test]
    fn a_message_is_never_taken_for_a_text(
        headers in prop::collection::hash_map("[A-Za-z-]{1,9}", prop::collection::vec(".{0,9}", 0..4), 0..5)
    ) {
        let payload = with_headers(headers.clone());
        let call = Call::decode(&payload);
        prop_assert_eq!(call.form, Form::Headers);
        let mut expected: Vec<_> =
            headers.into_iter().filter(|(_, values)| !values.is_empty()).collect();
        expected.sort();
        prop_assert_eq!(asked(&call), expected);
    }

    /// The other fields, and what is no message at all.
    #[test]
    fn prost_reads_the_same(
        method in ".{0,5}", url in ".{0,9}", body: Vec<u8>, insecure: bool,
        cut in 0_usize..40, noise: Vec<u8>,
    ) {
        let headers = HashMap::from([("A".to_owned(), Header { values: vec!["1".to_owned()] })]);
        let message = HttpClient { method, headers, url, body, insecure };
        let whole = message.encode_to_vec();
        let cut = whole[..whole.len().saturating_sub(cut)].to_vec();
        for payload in [whole, cut, noise] {
            let call = Call::decode(&payload);
            let oracle = HttpClient::decode(&*payload);
            if let Ok(message) = oracle && call.form != Form::Texts {
                prop_assert_ne!(call.form, Form::Json);
                prop_assert_eq!(&*call.method, &*message.method);
                prop_assert_eq!(&*call.url, &*message.url);
                prop_assert_eq!(&*call.body, &*message.body);
                prop_assert_eq!(call.insecure, message.insecure);
            } else if HttpClientWithTexts::decode(&*payload).is_err() {
                prop_assert_eq!(call.form, Form::Json);
            }
        }
    }

    #[test]
    fn prost_reads_what_is_answered(
        code in 100_u16..600,
        headers in prop::collection::hash_map("[a-z]{1,9}", prop::collection::vec(LEGAL, 1..4), 0..5),
        body: Vec<u8>,
    ) {
        let mut map = HeaderMap::new();
        for (name, values) in &headers {
            for value in values {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                map.append(name, HeaderValue::from_str(value).unwrap());
            }
        }
        let body_bytes = crate::http_client::ReadBody::One(body.clone().into());
        let response = HttpResponse { code, headers: map, body: body_bytes };
        let mut out = Vec::new();
        answered(&mut out, Form::Headers, &response);
        let message = HttpClientResponse::decode(&*out).unwrap();
        let status = message.status.unwrap();
        prop_assert_eq!((status.code, &*status.status), (200, "OK"));
        prop_assert_eq!((message.code, &message.body), (i32::from(code), &body));
        let found: HashMap<_, _> =
            message.headers.into_iter().map(|(name, header)| (name, header.values)).collect();
        prop_assert_eq!(&found, &headers);

        out.clear();
        refused(&mut out, Form::Texts, 500, "broken", Some(&response));
        let message = HttpClientResponseWithTexts::decode(&*out).unwrap();
        prop_assert_eq!(message.status.unwrap().status, "broken");
        prop_assert_eq!((message.code, &message.body), (i32::from(code), &body));
        let first: HashMap<_, _> =
            headers.iter().map(|(name, values)| (name.clone(), values[0].clone())).collect();
        prop_assert_eq!(message.headers, first);

        out.clear();
        answered(&mut out, Form::Json, &response);
        let parsed: serde_json::Value = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(&parsed["code"], &serde_json::Value::from(code));
        prop_assert_eq!(parsed["headers"].as_object().unwrap().len(), headers.len());
        for (name, values) in &headers {
            prop_assert_eq!(&parsed["headers"][name], &serde_json::Value::from(&*values[0]));
        }
    }
}

#[test]
fn fields_of_the_json_form() {
    let call = Call::decode(
        br#" {"Method":"POST","URL":"http://h","body":"eA==","insecure":true,"other":1}"#,
    );
    assert_eq!((&*call.method, &*call.url, &*call.body), ("POST", "http://h", &b"eA=="[..]));
    assert!(call.insecure && call.decoded.is_ok());
    // What fits is there even when something does not.
    let call = Call::decode(br#"{"headers":{"A":1,"B":"b"},"body":"!","insecure":"x","url":"u"}"#);
    assert_eq!((&*call.body, &*call.url), (&b"!"[..], "u"));
    assert_eq!(asked(&call), [("B".to_owned(), vec!["b".to_owned()])]);
    assert!(call.decoded.is_err() && !call.insecure);
    assert!(Call::decode(b"zz").decoded.is_err());
}
