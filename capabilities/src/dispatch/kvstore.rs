//! The kv operations as guests see them. The two encodings differ in more than form: which fields
//! may be empty, which status an error has, and what its text says are each a rule of their own,
//! and guests depend on all of them.

use std::borrow::Cow;

use crate::error::CallError;
use crate::kv::{Kv, KvError};
use crate::payload::responses::{self, Keys, Shape};
use crate::payload::{Format, base64, requests};

/// An answer that is not 200.
struct Refusal {
    code: u16,
    text: Cow<'static, str>,
}

impl Refusal {
    fn new(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Refusal { code, text: text.into() }
    }

    /// The payload is neither protobuf nor JSON.
    fn unparseable() -> Self {
        Refusal::new(400, "Error Parsing Input")
    }

    /// What protobuf guests are told before the store is asked.
    fn empty_key() -> Self {
        Refusal::new(400, "key cannot be nil")
    }

    /// A get or delete that failed, for whatever reason.
    fn of_key(verb: &str, key: &str, format: Format, error: KvError) -> Self {
        match (format, error) {
            (Format::Protobuf, KvError::EmptyKey) => Refusal::empty_key(),
            (Format::Protobuf, error) => Refusal::new(404, format!("Unable to {verb} key {error}")),
            (Format::Json, error) => {
                Refusal::new(404, format!("Unable to {verb} key {key} - {error}"))
            }
        }
    }

    fn answer(self, response: &mut Vec<u8>, format: Format, shape: Shape) -> CallError {
        response.clear();
        responses::refused(response, format, shape, self.code, &self.text);
        CallError::Status { code: self.code, text: self.text }
    }
}

pub(super) async fn get(kv: &Kv, payload: &[u8], response: &mut Vec<u8>) -> Result<(), CallError> {
    let request = match requests::Key::decode(payload, "KVStoreGet") {
        Ok(request) => request,
        Err(_) => return Err(Refusal::unparseable().answer(response, Format::Json, Shape::Get)),
    };
    let (key, format) = (&*request.key, request.format);
    let found = match key {
        "" => Err(KvError::EmptyKey),
        key => kv.get(key.as_bytes(), |data| responses::found(response, format, data)).await,
    };
    found.map_err(|error| {
        Refusal::of_key("fetch", key, format, error).answer(response, format, Shape::Get)
    })
}

pub(super) async fn set(kv: &Kv, payload: &[u8], response: &mut Vec<u8>) -> Result<(), CallError> {
    let (format, stored) = match requests::Set::decode(payload) {
        requests::Set::Protobuf { key, data } => {
            (Format::Protobuf, set_protobuf(kv, key, data).await)
        }
        requests::Set::Json { key, data, decoded } => {
            (Format::Json, set_json(kv, &key, &data, decoded.is_ok()).await)
        }
    };
    match stored {
        Ok(()) => {
            responses::written(response, format);
            Ok(())
        }
        Err(refusal) => Err(refusal.answer(response, format, Shape::Write)),
    }
}

async fn set_protobuf(kv: &Kv, key: &str, data: Option<&[u8]>) -> Result<(), Refusal> {
    let data = data.ok_or_else(|| Refusal::new(400, "Data cannot be nil"))?;
    if key.is_empty() {
        return Err(Refusal::empty_key());
    }
    let stored = store(kv, key, data).await;
    stored.map_err(|error| Refusal::new(500, format!("Unable to store data - {error}")))
}

/// Data that is not base64 is said first, even of a payload that has another error too.
async fn set_json(kv: &Kv, key: &str, data: &str, decoded: bool) -> Result<(), Refusal> {
    let data = base64::decode(data.as_bytes())
        .map_err(|error| Refusal::new(400, format!("Unable to decode data - {error}")))?;
    if !decoded {
        return Err(Refusal::unparseable());
    }
    let stored = store(kv, key, &data).await;
    stored.map_err(|error| {
        Refusal::new(500, format!("Unable to store data using key {key} - {error}"))
    })
}

/// No store is ever given an empty key or empty data.
async fn store(kv: &Kv, key: &str, data: &[u8]) -> Result<(), KvError> {
    match (key, data) {
        ("", _) => Err(KvError::EmptyKey),
        (_, []) => Err(KvError::EmptyData),
        (key, data) => kv.set(key.as_bytes(), data).await,
    }
}

pub(super) async fn delete(
    kv: &Kv,
    payload: &[u8],
    response: &mut Vec<u8>,
) -> Result<(), CallError> {
    let request = match requests::Key::decode(payload, "KVStoreDelete") {
        Ok(request) => request,
        Err(_) => return Err(Refusal::unparseable().answer(response, Format::Json, Shape::Write)),
    };
    let (key, format) = (&*request.key, request.format);
    let deleted = match key {
        "" => Err(KvError::EmptyKey),
        key => kv.delete(key.as_bytes()).await,
    };
    match deleted {
        Ok(()) => {
            responses::written(response, format);
            Ok(())
        }
        Err(error) => {
            let refusal = Refusal::of_key("delete", key, format, error);
            Err(refusal.answer(response, format, Shape::Write))
        }
    }
}

/// An empty payload asks for JSON; anything else asks for protobuf, whatever it says.
pub(super) async fn keys(kv: &Kv, payload: &[u8], response: &mut Vec<u8>) -> Result<(), CallError> {
    let format = if payload.is_empty() { Format::Json } else { Format::Protobuf };
    let mut keys = Keys::begin(response, format);
    match kv.keys(|key| keys.push(key)).await {
        Ok(()) => {
            keys.end();
            Ok(())
        }
        Err(error) => {
            let refusal = Refusal::new(500, format!("Unable to fetch keys - {error}"));
            Err(refusal.answer(response, format, Shape::Keys))
        }
    }
}
