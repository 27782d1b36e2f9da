//! A column's values as JSON: by its type, or in Tarmac's way base64 of its text.

use std::borrow::Cow;

use mysql_async::Value;
use mysql_async::consts::ColumnType;

use super::Style;
use crate::payload::json::push_string;
use crate::sql::SqlError;
use crate::sql::time::Clock;
use crate::sql::value::{push_base64, push_display, push_float};

/// The character set of what is no text.
const BINARY: u16 = 63;

/// How a column's values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Column {
    form: Form,
    /// Digits of a second's fraction.
    decimals: usize,
    /// Without time of day.
    date_only: bool,
}

/// What a column's values become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Integer,
    Float,
    /// A JSON string.
    Text,
    Date,
    /// Base64 of the bytes, or of the text of what has no bytes.
    Bytes,
}

impl Column {
    pub(super) fn of(meta: &mysql_async::Column, style: Style) -> Column {
        use ColumnType as T;
        let form = match meta.column_type() {
            T::MYSQL_TYPE_TINY
            | T::MYSQL_TYPE_SHORT
            | T::MYSQL_TYPE_LONG
            | T::MYSQL_TYPE_INT24
            | T::MYSQL_TYPE_LONGLONG
            | T::MYSQL_TYPE_YEAR => Form::Integer,
            T::MYSQL_TYPE_FLOAT | T::MYSQL_TYPE_DOUBLE => Form::Float,
            T::MYSQL_TYPE_DATE
            | T::MYSQL_TYPE_NEWDATE
            | T::MYSQL_TYPE_DATETIME
            | T::MYSQL_TYPE_TIMESTAMP => Form::Date,
            T::MYSQL_TYPE_TIME => Form::Text,
            T::MYSQL_TYPE_VARCHAR
            | T::MYSQL_TYPE_VAR_STRING
            | T::MYSQL_TYPE_STRING
            | T::MYSQL_TYPE_ENUM
            | T::MYSQL_TYPE_SET
            | T::MYSQL_TYPE_TINY_BLOB
            | T::MYSQL_TYPE_MEDIUM_BLOB
            | T::MYSQL_TYPE_LONG_BLOB
            | T::MYSQL_TYPE_BLOB
                if meta.character_set() != BINARY =>
            {
                Form::Text
            }
            _ => Form::Bytes,
        };
        let form = match form {
            Form::Date if style.parse_time => Form::Date,
            _ if style.compat => Form::Bytes,
            form => form,
        };
        let date_only = matches!(meta.column_type(), T::MYSQL_TYPE_DATE | T::MYSQL_TYPE_NEWDATE);
        // Of what has no fraction it may be anything.
        Column { form, decimals: usize::from(meta.decimals()).min(6), date_only }
    }

    /// Appends a value.
    pub(super) fn push(self, out: &mut Vec<u8>, value: &Value) -> Result<(), SqlError> {
        if *value == Value::NULL {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        let text = || self.text(value);
        match self.form {
            Form::Integer => push_integer(out, value, &text())?,
            Form::Float => match value {
                Value::Double(value) => push_float(out, *value)?,
                _ => push_float(out, number(&text())?)?,
            },
            Form::Text => push_string(out, &text()),
            Form::Date => push_date(out, &text())?,
            Form::Bytes => push_base64(out, &text()),
        }
        Ok(())
    }

    /// What the server writes where values come as text.
    fn text(self, value: &Value) -> Cow<'_, [u8]> {
        let text = match *value {
            Value::NULL => String::new(),
            Value::Bytes(ref bytes) => return Cow::Borrowed(bytes),
            Value::Int(value) => value.to_string(),
            Value::UInt(value) => value.to_string(),
            Value::Float(value) => value.to_string(),
            Value::Double(value) => value.to_string(),
            Value::Date(year, month, day, ..) if self.date_only => {
                format!("{year:04}-{month:02}-{day:02}")
            }
            Value::Date(year, month, day, hour, minute, second, micros) => {
                let fraction = self.fraction(micros);
                format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction}")
            }
            Value::Time(negative, days, hours, minutes, seconds, micros) => {
                let sign = if negative { "-" } else { "" };
                let hours = u64::from(days) * 24 + u64::from(hours);
                let fraction = self.fraction(micros);
                format!("{sign}{hours:02}:{minutes:02}:{seconds:02}{fraction}")
            }
        };
        Cow::Owned(text.into_bytes())
    }

    fn fraction(self, micros: u32) -> String {
        let mut digits = format!(".{micros:06}");
        digits.truncate(if self.decimals == 0 { 0 } else { 1 + self.decimals });
        digits
    }
}

/// The server sent something else than it said that it would.
pub(super) fn malformed() -> SqlError {
    SqlError::Result(String::from("a value is not of its column's type"))
}

/// Text may have leading zeros, which JSON does not take.
fn push_integer(out: &mut Vec<u8>, value: &Value, text: &[u8]) -> Result<(), SqlError> {
    match value {
        Value::Int(value) => push_display(out, *value),
        Value::UInt(value) => push_display(out, *value),
        _ => push_display(out, number::<i128>(text)?),
    }
    Ok(())
}

fn number<T: std::str::FromStr>(text: &[u8]) -> Result<T, SqlError> {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(malformed)
}

/// MySQL knows dates without a month or a day; Go's driver takes the first. Of the date that is all
/// zeros it makes Go's zero time.
fn push_date(out: &mut Vec<u8>, text: &[u8]) -> Result<(), SqlError> {
    let text = std::str::from_utf8(text).map_err(|_| malformed())?;
    let (date, time) = text.split_at_checked(10).ok_or_else(malformed)?;
    let date = match date {
        "0000-00-00" => Cow::Borrowed("0001-01-01"),
        date => Cow::Owned(date.replace("-00", "-01")),
    };
    Clock::parse(&format!("{date}{time}")).ok_or_else(malformed)?.push(out)
}

#[cfg(test)]
mod tests {
    use mysql_async::Value;
    use proptest::prelude::*;

    use super::{Column, Form};
    use crate::sql::mysql::Style;

    fn json(form: Form, value: Value) -> String {
        let column = Column { form, decimals: 6, date_only: false };
        let mut out = Vec::new();
        match column.push(&mut out, &value) {
            Ok(()) => String::from_utf8(out).unwrap(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn values_become_json() {
        let bytes = |text: &str| Value::Bytes(text.into());
        for (form, value, expected) in [
            (Form::Integer, bytes("-1"), "-1"),
            (Form::Integer, bytes("007"), "7"),
            (Form::Integer, bytes("18446744073709551615"), "18446744073709551615"),
            (Form::Integer, Value::UInt(7), "7"),
            (Form::Integer, Value::NULL, "null"),
            (Form::Integer, bytes("x"), "a value is not of its column's type"),
            (Form::Float, bytes("1.5"), "1.5"),
            (Form::Float, bytes("1e30"), "1e+30"),
            (Form::Float, Value::Float(1.1), "1.1"),
            (Form::Text, bytes("a<b"), r#""a\u003cb""#),
            (Form::Text, Value::Time(true, 1, 2, 3, 4, 5), r#""-26:03:04.000005""#),
            (Form::Bytes, bytes("1.50"), r#""MS41MA==""#),
            (Form::Bytes, Value::Int(1), r#""MQ==""#),
            (Form::Date, bytes("2024-01-02"), r#""2024-01-02T00:00:00Z""#),
            (Form::Date, bytes("2024-01-02 03:04:05.5"), r#""2024-01-02T03:04:05.5Z""#),
            (Form::Date, bytes("0000-00-00 00:00:00"), r#""0001-01-01T00:00:00Z""#),
            (Form::Date, bytes("2024-00-00"), r#""2024-01-01T00:00:00Z""#),
            (Form::Date, Value::Date(2024, 1, 2, 3, 4, 5, 6), r#""2024-01-02T03:04:05.000006Z""#),
        ] {
            assert_eq!(json(form, value.clone()), expected, "{form:?} {value:?}");
        }
    }

    #[test]
    fn types_decide_and_tarmacs_way_overrides() {
        use mysql_async::consts::ColumnType as T;
        let check = |kind, charset, compat, parse_time, expected| {
            let meta = mysql_async::Column::new(kind).with_character_set(charset);
            let style = Style { compat, parse_time, several: false };
            assert_eq!(Column::of(&meta, style).form, expected, "{kind:?} {style:?}");
        };
        check(T::MYSQL_TYPE_LONG, 63, false, false, Form::Integer);
        check(T::MYSQL_TYPE_LONG, 63, true, false, Form::Bytes);
        check(T::MYSQL_TYPE_BLOB, 63, false, false, Form::Bytes);
        check(T::MYSQL_TYPE_BLOB, 45, false, false, Form::Text);
        check(T::MYSQL_TYPE_VAR_STRING, 45, true, true, Form::Bytes);
        check(T::MYSQL_TYPE_NEWDECIMAL, 63, false, false, Form::Bytes);
        check(T::MYSQL_TYPE_DATETIME, 63, false, false, Form::Date);
        check(T::MYSQL_TYPE_DATETIME, 63, true, false, Form::Bytes);
        check(T::MYSQL_TYPE_DATETIME, 63, true, true, Form::Date);
    }

    #[test]
    fn binary_values_have_the_text_that_text_would_have() {
        use mysql_async::consts::ColumnType as T;
        let check = |kind, decimals, value: Value, expected: &str| {
            let meta = mysql_async::Column::new(kind).with_decimals(decimals);
            let style = Style { compat: true, parse_time: false, several: false };
            let text = Column::of(&meta, style).text(&value).into_owned();
            assert_eq!(String::from_utf8(text).unwrap(), expected);
        };
        check(T::MYSQL_TYPE_DATE, 0, Value::Date(2024, 1, 2, 0, 0, 0, 0), "2024-01-02");
        let noon = Value::Date(2024, 1, 2, 12, 0, 0, 500_000);
        check(T::MYSQL_TYPE_DATETIME, 0, noon.clone(), "2024-01-02 12:00:00");
        check(T::MYSQL_TYPE_DATETIME, 1, noon, "2024-01-02 12:00:00.5");
        check(T::MYSQL_TYPE_TIME, 6, Value::Time(true, 1, 2, 3, 4, 5), "-26:03:04.000005");
    }

    proptest! {
        #[test]
        fn any_bytes_are_written_without_panic(bytes: Vec<u8>) {
            let forms =
                [Form::Integer, Form::Float, Form::Text, Form::Date, Form::Bytes];
            for form in forms {
                json(form, Value::Bytes(bytes.clone()));
            }
        }
    }
}
