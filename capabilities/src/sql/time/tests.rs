//! Expected values are what Go's `lib/pq` and `encoding/json` give for the same text.

use proptest::prelude::*;

use super::{Clock, date, days};

fn json(clock: Clock) -> String {
    let mut out = Vec::new();
    match clock.push(&mut out) {
        Ok(()) => String::from_utf8(out).unwrap(),
        Err(error) => error.to_string(),
    }
}

const YEAR: &str = "json: error calling MarshalJSON for type time.Time: \
                    Time.MarshalJSON: year outside of range [0,9999]";

#[test]
fn texts_become_rfc_3339() {
    for (text, expected) in [
        ("2024-01-02", "2024-01-02T00:00:00Z"),
        ("2024-01-02 03:04:05", "2024-01-02T03:04:05Z"),
        ("2024-01-02 01:04:05.123456+00", "2024-01-02T01:04:05.123456Z"),
        ("2024-07-02 03:04:05.1200+02", "2024-07-02T03:04:05.12+02:00"),
        ("1800-01-01 00:53:28+00:53:28", "1800-01-01T00:53:28+00:53"),
        ("2024-01-02 03:04:05-03:30", "2024-01-02T03:04:05-03:30"),
        ("03:04:05.5", "0000-01-01T03:04:05.5Z"),
        ("03:04:05+05:30", "0000-01-01T03:04:05+05:30"),
        ("03:04:05-05", "0000-01-01T03:04:05-05:00"),
        ("24:00:00", "0000-01-02T00:00:00Z"),
        ("0001-03-15 BC", "0000-03-15T00:00:00Z"),
    ] {
        assert_eq!(json(Clock::parse(text).unwrap()), format!("\"{expected}\""), "{text}");
    }
    for text in ["0044-03-15 BC", "12000-01-01", "12000-01-01 00:00:00"] {
        assert_eq!(json(Clock::parse(text).unwrap()), YEAR, "{text}");
    }
    for text in ["", "infinity", "2024-13-01", "2024-01", "3:x:5", "1:2:3:4", "2024-01-02 "] {
        assert_eq!(Clock::parse(text), None, "{text}");
    }
}

#[test]
fn counts_become_rfc_3339() {
    for (micros, expected) in [
        (0, "2000-01-01T00:00:00Z"),
        (-1, "1999-12-31T23:59:59.999999Z"),
        (757_479_845_123_456, "2024-01-02T03:04:05.123456Z"),
        (-63_082_281_600_000_000, "0001-01-01T00:00:00Z"),
    ] {
        assert_eq!(json(Clock::from_micros_of_2000(micros)), format!("\"{expected}\""));
    }
    assert_eq!(json(Clock::from_days_of_2000(59)), "\"2000-02-29T00:00:00Z\"");
    assert_eq!(json(Clock::from_days_of_2000(-1)), "\"1999-12-31T00:00:00Z\"");
    let end = Clock::from_micros_of_day(86_400_000_000, 0);
    assert_eq!(json(end), "\"0000-01-02T00:00:00Z\"");
    assert_eq!(
        json(Clock::from_micros_of_day(1_500_000, -12_600)),
        "\"0000-01-01T00:00:01.5-03:30\""
    );
}

proptest! {
    #[test]
    fn dates_and_their_numbers_agree(number in -3_000_000_i64..5_000_000) {
        let (year, month, day) = date(number);
        prop_assert_eq!(days(year, month, day), number);
        prop_assert!((1..=12).contains(&month) && (1..=31).contains(&day));
    }

    #[test]
    fn any_text_is_read_without_panic(text in "[-+:. 0-9BCé]{0,30}", any: String) {
        for text in [text, any] {
            if let Some(clock) = Clock::parse(&text) {
                let _ = clock.push(&mut Vec::new());
            }
        }
    }

    #[test]
    fn any_count_is_written_without_panic(micros: i64, days in any::<i32>()) {
        let _ = Clock::from_micros_of_2000(micros).push(&mut Vec::new());
        let _ = Clock::from_days_of_2000(i64::from(days)).push(&mut Vec::new());
        let _ = Clock::from_micros_of_day(micros, days).push(&mut Vec::new());
    }
}
