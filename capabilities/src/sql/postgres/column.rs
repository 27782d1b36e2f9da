//! A column's values as JSON: which types are more than base64, and how to read each in the two
//! formats that PostgreSQL sends, binary for prepared statements and text for simple queries.

use tokio_postgres::types::{Kind, Type};

use super::numeric;
use crate::payload::json::push_string;
use crate::sql::SqlError;
use crate::sql::time::Clock;
use crate::sql::value::{push_base64, push_display, push_float};

/// What a column's values become, by its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Bool,
    Int2,
    Int4,
    Int8,
    Float4,
    Float8,
    /// A JSON string.
    Text,
    Bytes,
    Date,
    Time,
    TimeTz,
    Timestamp,
    TimestampTz,
    /// Base64 of the text, as all below; its binary form is its text.
    Same,
    Jsonb,
    Numeric,
    Oid,
    Uuid,
    /// A type whose binary form is not known here.
    Other,
}

impl Column {
    pub(super) fn of(kind: &Type) -> Column {
        match *kind {
            Type::BOOL => Column::Bool,
            Type::INT2 => Column::Int2,
            Type::INT4 => Column::Int4,
            Type::INT8 => Column::Int8,
            Type::FLOAT4 => Column::Float4,
            Type::FLOAT8 => Column::Float8,
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::CHAR => Column::Text,
            Type::BYTEA => Column::Bytes,
            Type::DATE => Column::Date,
            Type::TIME => Column::Time,
            Type::TIMETZ => Column::TimeTz,
            Type::TIMESTAMP => Column::Timestamp,
            Type::TIMESTAMPTZ => Column::TimestampTz,
            Type::JSON | Type::NAME | Type::UNKNOWN | Type::VOID => Column::Same,
            Type::JSONB => Column::Jsonb,
            Type::NUMERIC => Column::Numeric,
            Type::OID => Column::Oid,
            Type::UUID => Column::Uuid,
            _ if matches!(kind.kind(), Kind::Enum(_)) => Column::Same,
            _ => Column::Other,
        }
    }

    /// Whether [`Self::push_binary`] knows it. A point in time comes in binary without the offset
    /// that the session's zone had then; in a zone that is UTC there is none.
    pub(super) fn has_binary(self, utc: bool) -> bool {
        match self {
            Column::Other => false,
            Column::TimestampTz => utc,
            _ => true,
        }
    }

    /// Appends a value that came in binary.
    pub(super) fn push_binary(self, out: &mut Vec<u8>, raw: &[u8]) -> Result<(), SqlError> {
        match self {
            Column::Bool => push_display(out, int::<1>(raw)? != [0]),
            Column::Int2 => push_display(out, i16::from_be_bytes(int(raw)?)),
            Column::Int4 => push_display(out, i32::from_be_bytes(int(raw)?)),
            Column::Int8 => push_display(out, i64::from_be_bytes(int(raw)?)),
            Column::Float4 => push_float4(out, f32::from_be_bytes(int(raw)?))?,
            Column::Float8 => push_float(out, f64::from_be_bytes(int(raw)?))?,
            Column::Text => push_string(out, raw),
            Column::Bytes | Column::Same => push_base64(out, raw),
            Column::Date => push_date(out, i32::from_be_bytes(int(raw)?))?,
            Column::Time => {
                Clock::from_micros_of_day(i64::from_be_bytes(int(raw)?), 0).push(out)?;
            }
            Column::TimeTz => push_time_with_zone(out, raw)?,
            Column::Timestamp | Column::TimestampTz => {
                push_timestamp(out, i64::from_be_bytes(int(raw)?))?;
            }
            // A version comes before the text.
            Column::Jsonb => push_base64(out, raw.get(1..).unwrap_or_default()),
            Column::Numeric => {
                push_base64(out, numeric::text(raw).ok_or_else(malformed)?.as_bytes())
            }
            Column::Oid => push_base64(out, u32::from_be_bytes(int(raw)?).to_string().as_bytes()),
            Column::Uuid => push_base64(out, &uuid(int(raw)?)),
            Column::Other => return Err(malformed()),
        }
        Ok(())
    }

    /// Appends a value that came as text. Were the column's type another by now, the value would
    /// not be read as what it was: then it is a string.
    pub(super) fn push_text(self, out: &mut Vec<u8>, text: &str) -> Result<(), SqlError> {
        match self {
            Column::Bool => match text {
                "t" => push_display(out, true),
                "f" => push_display(out, false),
                other => push_string(out, other.as_bytes()),
            },
            Column::Int2 | Column::Int4 | Column::Int8 => match text.parse::<i64>() {
                Ok(value) => push_display(out, value),
                Err(_) => push_string(out, text.as_bytes()),
            },
            Column::Float4 | Column::Float8 => match text.parse() {
                Ok(value) => push_float(out, value)?,
                Err(_) => push_string(out, text.as_bytes()),
            },
            Column::Text => push_string(out, text.as_bytes()),
            Column::Bytes => match bytes(text) {
                Some(bytes) => push_base64(out, &bytes),
                None => push_string(out, text.as_bytes()),
            },
            Column::Date
            | Column::Time
            | Column::TimeTz
            | Column::Timestamp
            | Column::TimestampTz => match (text, Clock::parse(text)) {
                ("infinity" | "-infinity", _) => push_base64(out, text.as_bytes()),
                (_, Some(clock)) => clock.push(out)?,
                (_, None) => push_string(out, text.as_bytes()),
            },
            Column::Same
            | Column::Jsonb
            | Column::Numeric
            | Column::Oid
            | Column::Uuid
            | Column::Other => push_base64(out, text.as_bytes()),
        }
        Ok(())
    }
}

/// The server sent something else than it said that it would.
fn malformed() -> SqlError {
    SqlError::Result(String::from("pq: a value is not of its column's type"))
}

/// The bytes of a number.
fn int<const N: usize>(raw: &[u8]) -> Result<[u8; N], SqlError> {
    raw.try_into().map_err(|_| malformed())
}

/// The shortest digits that mean this float, read as a longer one: what comes of its text.
fn push_float4(out: &mut Vec<u8>, value: f32) -> Result<(), SqlError> {
    let text = value.to_string();
    push_float(out, text.parse().unwrap_or_else(|_| f64::from(value)))
}

fn push_date(out: &mut Vec<u8>, days: i32) -> Result<(), SqlError> {
    match days {
        i32::MAX => push_base64(out, b"infinity"),
        i32::MIN => push_base64(out, b"-infinity"),
        days => Clock::from_days_of_2000(i64::from(days)).push(out)?,
    }
    Ok(())
}

fn push_timestamp(out: &mut Vec<u8>, micros: i64) -> Result<(), SqlError> {
    match micros {
        i64::MAX => push_base64(out, b"infinity"),
        i64::MIN => push_base64(out, b"-infinity"),
        micros => Clock::from_micros_of_2000(micros).push(out)?,
    }
    Ok(())
}

/// Microseconds of the day, then how many seconds the zone is behind UTC.
fn push_time_with_zone(out: &mut Vec<u8>, raw: &[u8]) -> Result<(), SqlError> {
    let (micros, behind) = raw.split_at_checked(8).ok_or_else(malformed)?;
    let behind = i32::from_be_bytes(int(behind)?);
    let offset = behind.checked_neg().ok_or_else(malformed)?;
    Clock::from_micros_of_day(i64::from_be_bytes(int(micros)?), offset).push(out)
}

fn uuid(raw: [u8; 16]) -> [u8; 36] {
    let mut text = [b'-'; 36];
    let places = (0..36).filter(|place| !matches!(place, 8 | 13 | 18 | 23));
    let digits = raw.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    for (place, digit) in places.zip(digits) {
        text[place] = b"0123456789abcdef"[usize::from(digit)];
    }
    text
}

/// Bytes in PostgreSQL's hexadecimal text form, or in the older one with octal escapes.
fn bytes(text: &str) -> Option<Vec<u8>> {
    if let Some(digits) = text.strip_prefix("\\x") {
        let pair = |pair: &[u8]| {
            let digit = |at: usize| char::from(*pair.get(at)?).to_digit(16);
            u8::try_from(digit(0)? * 16 + digit(1)?).ok()
        };
        return digits.as_bytes().chunks(2).map(pair).collect();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = match (byte, after) {
            (b'\\', [b'\\', after @ ..]) => {
                bytes.push(b'\\');
                after
            }
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                after
            }
            (b'\\', _) => return None,
            (byte, after) => {
                bytes.push(byte);
                after
            }
        };
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
