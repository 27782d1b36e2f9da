//! `HTTPClient`, from either encoding and with either form of headers.

use std::borrow::Cow;

use super::Form;
use crate::http_client::AskedHeader;
use crate::payload::is_surely_json;
use crate::payload::json::{self, JsonError, Slot};
use crate::payload::protobuf::{Fields, Malformed, Value};

/// A decoded request. What could be decoded is there even when the payload had an error.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) form: Form,
    pub(crate) method: Cow<'a, str>,
    pub(crate) url: Cow<'a, str>,
    pub(crate) headers: Vec<AskedHeader<'a>>,
    /// In base64 if the form is JSON.
    pub(crate) body: Cow<'a, [u8]>,
    pub(crate) insecure: bool,
    /// Only JSON can fail: what is not protobuf is tried as JSON.
    pub(crate) decoded: Result<(), JsonError>,
}

impl<'a> Call<'a> {
    pub(crate) fn decode(payload: &'a [u8]) -> Call<'a> {
        if !is_surely_json(payload)
            && let Ok(call) = Call::protobuf(payload)
        {
            return call;
        }
        Call::json(payload)
    }

    fn json(payload: &'a [u8]) -> Call<'a> {
        let (mut method, mut url, mut body) = (Cow::default(), Cow::default(), Cow::default());
        let (mut headers, mut insecure) = (Vec::new(), false);
        let fields = [
            ("method", Slot::Text(&mut method)),
            ("headers", Slot::Texts(&mut headers)),
            ("url", Slot::Text(&mut url)),
            ("body", Slot::Text(&mut body)),
            ("insecure", Slot::Flag(&mut insecure)),
        ];
        let decoded = json::decode(payload, "HTTPClient", fields);
        let body = match body {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        let first = |(name, value)| AskedHeader { name, value, is_further: false };
        let headers = headers.into_iter().map(first).collect();
        Call { form: Form::Json, method, url, headers, body, insecure, decoded }
    }

    fn protobuf(payload: &'a [u8]) -> Result<Call<'a>, Malformed> {
        let (mut method, mut url, mut body, mut insecure) = ("", "", &b""[..], false);
        let mut entries = Vec::new();
        let mut fields = Fields::new(payload);
        while let Some((number, value)) = fields.next_field()? {
            match number {
                1 => method = value.text()?,
                2 => entries.push(Entry::decode(value.bytes()?)?),
                3 => url = value.text()?,
                4 => body = value.bytes()?,
                5 => insecure = value.flag()?,
                _ => {}
            }
        }
        let (form, headers) = headers(&entries)?;
        Ok(Call {
            form,
            method: Cow::Borrowed(method),
            url: Cow::Borrowed(url),
            headers,
            body: Cow::Borrowed(body),
            insecure,
            decoded: Ok(()),
        })
    }
}

/// One entry of the map, its value still of unknown form.
#[derive(Debug, Clone, Copy)]
struct Entry<'a> {
    name: &'a str,
    value: &'a [u8],
}

impl<'a> Entry<'a> {
    fn decode(message: &'a [u8]) -> Result<Entry<'a>, Malformed> {
        let mut entry = Entry { name: "", value: b"" };
        let mut fields = Fields::new(message);
        while let Some((number, value)) = fields.next_field()? {
            match number {
                1 => entry.name = value.text()?,
                2 => entry.value = value.bytes()?,
                _ => {}
            }
        }
        Ok(entry)
    }

    /// Appends the values of a `Header`.
    fn push_values(self, headers: &mut Vec<AskedHeader<'a>>) -> Result<(), Malformed> {
        /// The key of field 1, a string.
        const VALUE: u8 = 0x0a;
        if self.value.first().is_some_and(|&first| first != VALUE) {
            return Err(Malformed);
        }
        let mut fields = Fields::new(self.value);
        let mut is_further = false;
        while let Some((number, value)) = fields.next_field()? {
            if number == 1 {
                headers.push(asked(self.name, value.text()?, is_further));
                is_further = true;
            }
        }
        Ok(())
    }
}

/// The headers, in the form that all the values have.
fn headers<'a>(entries: &[Entry<'a>]) -> Result<(Form, Vec<AskedHeader<'a>>), Malformed> {
    let mut headers = Vec::with_capacity(entries.len());
    if entries.iter().all(|entry| entry.push_values(&mut headers).is_ok()) {
        return Ok((Form::Headers, headers));
    }
    headers.clear();
    for entry in entries {
        headers.push(asked(entry.name, Value::Bytes(entry.value).text()?, false));
    }
    Ok((Form::Texts, headers))
}

fn asked<'a>(name: &'a str, value: &'a str, is_further: bool) -> AskedHeader<'a> {
    AskedHeader { name: Cow::Borrowed(name), value: Cow::Borrowed(value), is_further }
}
