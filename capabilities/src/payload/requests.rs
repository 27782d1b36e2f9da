//! Requests of the kv, sql and metrics capabilities, decoded from whichever encoding the guest uses.
//! Protobuf is tried first and JSON when that fails, unless the payload can be nothing but JSON.

use std::borrow::Cow;

use super::json::{self, JsonError, Slot};
use super::protobuf::{Fields, Malformed};
use super::{Format, base64, is_surely_json};

/// `KVStoreGet` and `KVStoreDelete`: a key and nothing else.
#[derive(Debug)]
pub(crate) struct Key<'a> {
    pub(crate) key: Cow<'a, str>,
    pub(crate) format: Format,
}

impl<'a> Key<'a> {
    /// `message` is the name that JSON errors show.
    pub(crate) fn decode(payload: &'a [u8], message: &'static str) -> Result<Self, JsonError> {
        if let Some([key]) = protobuf_texts(payload) {
            return Ok(Key { key: Cow::Borrowed(key), format: Format::Protobuf });
        }
        let mut key = Cow::default();
        json::decode(payload, message, [("key", Slot::Text(&mut key))])?;
        Ok(Key { key, format: Format::Json })
    }
}

/// `KVStoreSet`. The encodings differ in what absent data means, so they stay apart.
#[derive(Debug)]
pub(crate) enum Set<'a> {
    /// Data is `None` when the field is absent.
    Protobuf { key: &'a str, data: Option<&'a [u8]> },
    /// Data is still in base64. What could be decoded is there even when the payload had an error.
    Json { key: Cow<'a, str>, data: Cow<'a, str>, decoded: Result<(), JsonError> },
}

impl<'a> Set<'a> {
    pub(crate) fn decode(payload: &'a [u8]) -> Self {
        if !is_surely_json(payload)
            && let Ok((key, data)) = Self::protobuf(payload)
        {
            return Set::Protobuf { key, data };
        }
        let (mut key, mut data) = (Cow::default(), Cow::default());
        let fields = [("key", Slot::Text(&mut key)), ("data", Slot::Text(&mut data))];
        let decoded = json::decode(payload, "KVStoreSet", fields);
        Set::Json { key, data, decoded }
    }

    fn protobuf(payload: &'a [u8]) -> Result<(&'a str, Option<&'a [u8]>), Malformed> {
        let (mut key, mut data) = ("", None);
        let mut fields = Fields::new(payload);
        while let Some((number, value)) = fields.next_field()? {
            match number {
                1 => key = value.text()?,
                2 => data = Some(value.bytes()?),
                _ => {}
            }
        }
        Ok((key, data))
    }
}

/// `SQLQuery`. Guests who speak JSON send the query in base64.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    /// What could be decoded of it.
    pub(crate) query: Cow<'a, [u8]>,
    pub(crate) format: Format,
    /// Why it is not the whole query. Always `Ok` in protobuf.
    pub(crate) decoded: Result<(), QueryError>,
}

/// A query in JSON that could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QueryError {
    #[error("Error Parsing Input")]
    Json(JsonError),
    #[error("Unable to decode query - {0}")]
    Base64(base64::IllegalBase64),
}

impl<'a> Query<'a> {
    pub(crate) fn decode(payload: &'a [u8]) -> Self {
        if let Some(query) = sql_text(payload) {
            return Query {
                query: Cow::Borrowed(query),
                format: Format::Protobuf,
                decoded: Ok(()),
            };
        }
        let mut text = Cow::default();
        let parsed = json::decode(payload, "SQLQuery", [("query", Slot::Text(&mut text))]);
        let (query, whole) = base64::decode_start(text.as_bytes());
        // Of two errors Tarmac reports the later.
        let whole = whole.map_err(QueryError::Base64);
        let decoded = whole.and_then(|()| parsed.map_err(QueryError::Json));
        Query { query: Cow::Owned(query), format: Format::Json, decoded }
    }
}

/// The text of `SQLExec` or `SQLQuery` in protobuf; `None` if the payload is neither.
pub(crate) fn sql_text(payload: &[u8]) -> Option<&[u8]> {
    if is_surely_json(payload) {
        return None;
    }
    let mut query: &[u8] = b"";
    let mut fields = Fields::new(payload);
    while let Some((number, value)) = fields.next_field().ok()? {
        if number == 1 {
            query = value.bytes().ok()?;
        }
    }
    Some(query)
}

/// `MetricsCounter`: the counter's name.
pub(crate) fn counter(payload: &[u8]) -> Result<Cow<'_, str>, JsonError> {
    if let Some([name]) = protobuf_texts(payload) {
        return Ok(Cow::Borrowed(name));
    }
    let mut name = Cow::default();
    json::decode(payload, "MetricsCounter", [("name", Slot::Text(&mut name))])?;
    Ok(name)
}

/// `MetricsGauge`: the gauge's name and the action.
pub(crate) fn gauge(payload: &[u8]) -> Result<(Cow<'_, str>, Cow<'_, str>), JsonError> {
    if let Some([name, action]) = protobuf_texts(payload) {
        return Ok((Cow::Borrowed(name), Cow::Borrowed(action)));
    }
    let (mut name, mut action) = (Cow::default(), Cow::default());
    let fields = [("name", Slot::Text(&mut name)), ("action", Slot::Text(&mut action))];
    json::decode(payload, "MetricsGauge", fields)?;
    Ok((name, action))
}

/// `MetricsHistogram`: the histogram's name and the observed value.
pub(crate) fn histogram(payload: &[u8]) -> Result<(Cow<'_, str>, f64), JsonError> {
    if !is_surely_json(payload)
        && let Ok((name, value)) = histogram_protobuf(payload)
    {
        return Ok((Cow::Borrowed(name), value));
    }
    let (mut name, mut value) = (Cow::default(), 0.0);
    let fields = [("name", Slot::Text(&mut name)), ("value", Slot::Number(&mut value))];
    json::decode(payload, "MetricsHistogram", fields)?;
    Ok((name, value))
}

fn histogram_protobuf(payload: &[u8]) -> Result<(&str, f64), Malformed> {
    let (mut name, mut observed) = ("", 0.0);
    let mut fields = Fields::new(payload);
    while let Some((number, value)) = fields.next_field()? {
        match number {
            1 => name = value.text()?,
            2 => observed = value.double()?,
            _ => {}
        }
    }
    Ok((name, observed))
}

/// A protobuf message whose fields 1 to N are strings; `None` if it is not one.
fn protobuf_texts<const N: usize>(payload: &[u8]) -> Option<[&str; N]> {
    if is_surely_json(payload) {
        return None;
    }
    let mut texts = [""; N];
    let mut fields = Fields::new(payload);
    while let Some((number, value)) = fields.next_field().ok()? {
        if let Some(text) = texts.get_mut(number as usize - 1) {
            *text = value.text().ok()?;
        }
    }
    Some(texts)
}

#[cfg(test)]
mod tests;
