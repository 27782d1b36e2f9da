//! Points in time as databases give them, and as Go's `time.Time` looks in JSON: RFC 3339 with the
//! digits of the second that are needed, and a year of four digits or an error.

use super::SqlError;
use super::value::push_display;

/// More than any database's calendar has: PostgreSQL's ends in 294276, that of its dates in 5874897.
const YEAR_MAX: i64 = 9_999_999;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// A date and a time of day as a clock shows them, and how far the clock is ahead of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Clock {
    /// Of the Gregorian calendar, where the year before 1 is 0.
    pub(super) year: i64,
    pub(super) month: u32,
    pub(super) day: u32,
    /// Seconds since midnight; a day or more is a later date.
    pub(super) seconds: i64,
    pub(super) nanoseconds: u32,
    /// In seconds.
    pub(super) offset: i32,
}

impl Clock {
    /// The time that a UTC clock shows so many microseconds after the start of 2000.
    pub(super) fn from_micros_of_2000(micros: i64) -> Clock {
        let seconds = micros.div_euclid(1_000_000);
        let mut clock = Clock::from_days_of_2000(seconds.div_euclid(DAY));
        clock.seconds = seconds.rem_euclid(DAY);
        clock.nanoseconds = micros.rem_euclid(1_000_000) as u32 * 1000;
        clock
    }

    /// Midnight, so many days after the first of 2000.
    pub(super) fn from_days_of_2000(days: i64) -> Clock {
        let (year, month, day) = date(days + DAYS_TO_2000);
        Clock { year, month, day, ..Clock::default() }
    }

    /// A time of day without a date, which Go gives the first day of the year 0.
    pub(super) fn from_micros_of_day(micros: i64, offset: i32) -> Clock {
        Clock {
            month: 1,
            day: 1,
            seconds: micros.div_euclid(1_000_000),
            nanoseconds: micros.rem_euclid(1_000_000) as u32 * 1000,
            offset,
            ..Clock::default()
        }
    }

    /// Reads `2024-01-02`, `2024-01-02 03:04:05.123456+02:30 BC`, `03:04:05` and what is between.
    /// `None` if it is none of these.
    pub(super) fn parse(text: &str) -> Option<Clock> {
        let (text, before_christ) = match text.strip_suffix(" BC") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (date, time) = match text.split_once(' ') {
            Some((date, time)) => (Some(date), Some(time)),
            None if text.contains('-') && text.find('-') < text.find(':').or(Some(usize::MAX)) => {
                (Some(text), None)
            }
            None => (None, Some(text)),
        };
        let mut clock = Clock { month: 1, day: 1, ..Clock::default() };
        if let Some(date) = date {
            let mut parts = date.splitn(3, '-');
            clock.year = parts.next()?.parse().ok().filter(|year| (0..=YEAR_MAX).contains(year))?;
            clock.month = parts.next()?.parse().ok().filter(|month| (1..=12).contains(month))?;
            clock.day = parts.next()?.parse().ok().filter(|day| (1..=31).contains(day))?;
        }
        if before_christ {
            clock.year = 1 - clock.year;
        }
        if let Some(time) = time {
            clock.read_time(time)?;
        }
        Some(clock)
    }

    /// `03:04:05.123456+02:30:00`; all but hours, minutes and seconds may be missing.
    fn read_time(&mut self, text: &str) -> Option<()> {
        let (time, offset) = match text.find(['+', '-']) {
            Some(at) => text.split_at(at),
            None => (text, ""),
        };
        let (whole, fraction) = time.split_once('.').unwrap_or((time, ""));
        self.seconds = sexagesimal(whole)?;
        if !fraction.is_empty() {
            let digits = fraction.len().min(9);
            let value: u32 = fraction.get(..digits)?.parse().ok()?;
            self.nanoseconds = value * 10_u32.pow(9 - digits as u32);
        }
        if let Some(ahead) = offset.strip_prefix('+') {
            self.offset = i32::try_from(sexagesimal(ahead)?).ok()?;
        } else if let Some(behind) = offset.strip_prefix('-') {
            self.offset = -i32::try_from(sexagesimal(behind)?).ok()?;
        }
        Some(())
    }

    /// Appends it as a JSON string.
    pub(super) fn push(mut self, out: &mut Vec<u8>) -> Result<(), SqlError> {
        if self.seconds >= DAY {
            // `24:00:00`, which databases allow for the end of a day.
            let days = days(self.year, self.month, self.day) + self.seconds / DAY;
            (self.year, self.month, self.day) = date(days);
            self.seconds %= DAY;
        }
        if !(0..=9999).contains(&self.year) {
            let reason = "Time.MarshalJSON: year outside of range [0,9999]";
            let text = format!("json: error calling MarshalJSON for type time.Time: {reason}");
            return Err(SqlError::Unrepresentable(text));
        }
        let Clock { year, month, day, seconds, .. } = self;
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        push_display(
            out,
            format_args!("\"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"),
        );
        self.push_fraction(out);
        self.push_offset(out);
        out.push(b'"');
        Ok(())
    }

    fn push_fraction(&self, out: &mut Vec<u8>) {
        if self.nanoseconds > 0 {
            push_display(out, format_args!(".{:09}", self.nanoseconds));
            while out.last() == Some(&b'0') {
                out.pop();
            }
        }
    }

    /// Seconds of an offset, which zones had before the railways, have no place in RFC 3339.
    fn push_offset(&self, out: &mut Vec<u8>) {
        if self.offset == 0 {
            return out.push(b'Z');
        }
        let minutes = self.offset / 60;
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
        push_display(out, format_args!("{sign}{hours:02}:{minutes:02}"));
    }
}

/// `3`, `3:04` or `3:04:05` in seconds.
fn sexagesimal(text: &str) -> Option<i64> {
    let mut seconds = 0;
    let mut unit = 3600;
    for part in text.split(':') {
        // Three parts at most: a fourth finds no unit left.
        if part.is_empty() || part.len() > 3 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        seconds += part.parse::<i64>().ok()? * (unit > 0).then_some(unit)?;
        unit /= 60;
    }
    Some(seconds)
}

/// Days are counted from the first of March of the year 0, so that a leap day ends a year; 400 years
/// have 146,097 of them.
const ERA: i64 = 146_097;
const DAYS_TO_2000: i64 = 5 * ERA - 60;

/// The day's number.
fn days(year: i64, month: u32, day: u32) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    // Months from March on have 31, 30, 31, 30, 31 days, and again.
    let day_of_year = i64::from((153 * month + 2) / 5 + day - 1);
    era * ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year
}

/// Year, month and day of the day with this number.
fn date(days: i64) -> (i64, u32, u32) {
    let (era, day_of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let leaps = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / (ERA - 1);
    let year_of_era = (day_of_era - leaps) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month + 2) / 5 + 1) as u32;
    let month = if month < 10 { month + 3 } else { month - 9 } as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests;
