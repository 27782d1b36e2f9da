//! JSON as Go's `encoding/json` reads and writes it, for guests that speak the older payloads: keys
//! match in any case, unknown keys are passed over, bytes that are not UTF-8 become U+FFFD, and
//! errors have the texts that Go's guests know. Strings without escapes are borrowed from the
//! payload.

mod scan;
mod text;

use std::borrow::Cow;

use scan::Scanner;
pub use scan::SyntaxError;
pub(crate) use text::push_string;

/// Why a JSON payload could not be decoded, in the words of Go's decoder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The payload is not JSON.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// The payload is JSON but not an object.
    #[error("json: cannot unmarshal {found} into Go value of type tarmac.{message}")]
    NotObject { found: &'static str, message: &'static str },
    /// A field has a value of another type, or a number outside of the type's range.
    #[error(
        "json: cannot unmarshal {found} into Go struct field {message}.{field} of type {expected}"
    )]
    Field { found: String, message: &'static str, field: &'static str, expected: &'static str },
}

/// Where a field's value goes. A field that is absent or null leaves it as it was.
#[derive(Debug)]
pub(crate) enum Slot<'s, 'a> {
    Text(&'s mut Cow<'a, str>),
    Number(&'s mut f64),
    Flag(&'s mut bool),
    /// An object of strings: its members in their order.
    Texts(&'s mut Vec<(Cow<'a, str>, Cow<'a, str>)>),
}

/// Fills the fields of one message. As in Go, nothing is filled when the syntax is wrong,
/// and everything that fits is filled when a value has the wrong type.
pub(crate) fn decode<'a, const N: usize>(
    payload: &'a [u8],
    message: &'static str,
    mut fields: [(&'static str, Slot<'_, 'a>); N],
) -> Result<(), JsonError> {
    Scanner::check(payload)?;
    let mut scanner = Scanner::new(payload);
    let first = scanner.token()?;
    if first != b'{' {
        return match kind(first) {
            "null" => Ok(()),
            found => Err(JsonError::NotObject { found, message }),
        };
    }
    let mut mismatch = Ok(());
    scanner.advance();
    while let Some(key) = scanner.member_key()? {
        let value = scanner.value()?;
        let key = text::unquote(key);
        if let Some((field, slot)) = fields.iter_mut().find(|(name, _)| text::folds(name, &key)) {
            let filled = fill(slot, value).map_err(|(found, expected)| JsonError::Field {
                found,
                message,
                field,
                expected,
            });
            mismatch = mismatch.and(filled);
        }
    }
    mismatch
}

/// On a mismatch: what was found and what was expected.
fn fill<'a>(slot: &mut Slot<'_, 'a>, value: &'a [u8]) -> Result<(), (String, &'static str)> {
    let found = kind(value[0]);
    match slot {
        _ if found == "null" => Ok(()),
        Slot::Text(text) if found == "string" => {
            **text = text::unquote(value);
            Ok(())
        }
        Slot::Number(number) if found == "number" => {
            // Checked by the scanner, so these are digits; only the range can be wrong.
            let digits = String::from_utf8_lossy(value);
            match digits.parse::<f64>() {
                Ok(parsed) if parsed.is_finite() => **number = parsed,
                _ => return Err((format!("number {digits}"), "float64")),
            }
            Ok(())
        }
        Slot::Flag(flag) if found == "bool" => {
            **flag = value == b"true";
            Ok(())
        }
        Slot::Texts(texts) if found == "object" => fill_texts(texts, value),
        Slot::Text(_) => Err((found.to_owned(), "string")),
        Slot::Number(_) => Err((found.to_owned(), "float64")),
        Slot::Flag(_) => Err((found.to_owned(), "bool")),
        Slot::Texts(_) => Err((found.to_owned(), "map[string]string")),
    }
}

/// As in Go, a null makes an empty text, and a value of another type spoils none of the others.
fn fill_texts<'a>(
    texts: &mut Vec<(Cow<'a, str>, Cow<'a, str>)>,
    object: &'a [u8],
) -> Result<(), (String, &'static str)> {
    let mut mismatch = Ok(());
    let mut scanner = Scanner::new(object);
    scanner.advance();
    // The syntax has been checked, so an error cannot come.
    while let Ok(Some(key)) = scanner.member_key() {
        let Ok(value) = scanner.value() else { break };
        match kind(value[0]) {
            "string" => texts.push((text::unquote(key), text::unquote(value))),
            "null" => texts.push((text::unquote(key), Cow::default())),
            found => mismatch = mismatch.and_then(|()| Err((found.to_owned(), "string"))),
        }
    }
    mismatch
}

/// What a value is, by its first byte.
fn kind(first: u8) -> &'static str {
    match first {
        b'{' => "object",
        b'[' => "array",
        b'"' => "string",
        b't' | b'f' => "bool",
        b'n' => "null",
        _ => "number",
    }
}

#[cfg(test)]
mod tests;
