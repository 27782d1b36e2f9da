//! Values of columns as JSON, written as Go's encoder writes them.

use std::io::Write;

use super::SqlError;
use crate::payload::base64;

/// A float. JSON has no infinities and no NaN; Go's encoder fails on them, and so does the query.
pub(super) fn push_float(out: &mut Vec<u8>, value: f64) -> Result<(), SqlError> {
    let unsupported =
        |name: &str| SqlError::Unrepresentable(format!("json: unsupported value: {name}"));
    if value.is_nan() {
        return Err(unsupported("NaN"));
    }
    if value.is_infinite() {
        return Err(unsupported(if value > 0.0 { "+Inf" } else { "-Inf" }));
    }
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        // The shortest digits with an exponent, whose sign Go always writes.
        let text = format!("{value:e}");
        match text.split_once('e') {
            Some((digits, power)) if !power.starts_with('-') => {
                push_display(out, format_args!("{digits}e+{power}"));
            }
            _ => out.extend_from_slice(text.as_bytes()),
        }
    } else {
        push_display(out, value);
    }
    Ok(())
}

/// Anything that displays as JSON: integers and booleans.
pub(super) fn push_display(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    // Writing to a vector cannot fail.
    let _ = write!(out, "{value}");
}

/// Bytes, as a string of base64.
pub(super) fn push_base64(out: &mut Vec<u8>, data: &[u8]) {
    out.push(b'"');
    base64::encode_into(out, data);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::{push_base64, push_float};

    #[test]
    fn floats_are_written_as_go_does() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.5, "1.5"),
            (-1e-6, "-0.000001"),
            (9.99e-7, "9.99e-7"),
            (1e-7, "1e-7"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (-1e-300, "-1e-300"),
            (0.1, "0.1"),
            (123_456_790.0, "123456790"),
        ] {
            let mut out = Vec::new();
            push_float(&mut out, value).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn what_is_no_number_is_an_error() {
        for (value, name) in
            [(f64::NAN, "NaN"), (f64::INFINITY, "+Inf"), (f64::NEG_INFINITY, "-Inf")]
        {
            let error = push_float(&mut Vec::new(), value).unwrap_err();
            assert_eq!(error.to_string(), format!("json: unsupported value: {name}"));
        }
    }

    #[test]
    fn bytes_are_base64_strings() {
        let mut out = Vec::new();
        push_base64(&mut out, b"\x00\xff");
        push_base64(&mut out, b"");
        assert_eq!(out, br#""AP8=""""#);
    }
}
