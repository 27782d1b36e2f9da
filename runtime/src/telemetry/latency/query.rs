//! What a client asks of the page: the parameters of the query, checked against what there is.

use super::dimension::{Dimension, Place, Values, capability_index};
use super::format::Format;
use super::window::Window;
use crate::telemetry::labels::Trigger;
use crate::telemetry::stretch::{Capability, Phase};
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::time::Duration;

/// Followed intervals: up to what [`crate::telemetry::history`] keeps in intervals of a second.
const FOLLOW_SECONDS_MAX: u64 = 10;
/// Known values that an error lists; there may be thousands of routes.
const LISTED_MAX: usize = 30;

/// A query that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) window: Window,
    /// What the series are split by, in the order of [`Dimension::ALL`].
    pub(super) by: Vec<Dimension>,
    /// For each dimension the values that count, all if there are none.
    pub(super) filter: [Vec<u32>; Dimension::COUNT],
    /// For an interval log: the length of the intervals that are to be sent until the client leaves.
    pub(super) follow: Option<Duration>,
}

/// Why a query cannot be answered. The text is for the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    #[error("{name}: no such parameter; there are format, window, by, follow, {}", dimensions())]
    UnknownParameter { name: String },
    #[error("{parameter}: {value:?} is not known; known: {known}")]
    UnknownValue { parameter: &'static str, value: String, known: String },
    #[error("{parameter}: {reason}")]
    Misplaced { parameter: &'static str, reason: &'static str },
}

fn dimensions() -> String {
    Dimension::ALL.map(Dimension::label).join(", ")
}

/// The parameters of a query in their order, percent-escapes decoded. A comma separates values.
fn parameters(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Vec<Cow<'_, str>>)> {
    let decode = |text| percent_decode_str(text).decode_utf8_lossy();
    query.split('&').filter(|pair| !pair.is_empty()).map(move |pair| {
        let (name, values) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), values.split(',').map(decode).collect())
    })
}

/// The value of `format=`, if the query has one.
pub fn requested_format(query: &str) -> Option<String> {
    let mut formats = parameters(query).filter(|(name, _)| name == "format");
    formats.next().map(|(_, values)| values.join(","))
}

impl Query {
    /// Reads a query for a page of this format.
    pub(super) fn parse(query: &str, format: Format, values: &Values) -> Result<Query, QueryError> {
        let mut parsed = Query {
            window: Window::All,
            by: default_split(format).to_vec(),
            filter: Default::default(),
            follow: None,
        };
        for (name, given) in parameters(query) {
            match &*name {
                "format" => {}
                "window" => parsed.window = one("window", &given, Window::named, &Window::list())?,
                "by" => parsed.by = split(&given)?,
                "follow" => parsed.follow = Some(follow(&given, format)?),
                _ => parsed.add_filter(&name, &given, values)?,
            }
        }
        if parsed.follow.is_some() && parsed.window != Window::All {
            let reason = "goes with follow only if it is all";
            return Err(QueryError::Misplaced { parameter: "window", reason });
        }
        parsed.check_split(format)?;
        parsed.keep_unlike_apart();
        Ok(parsed)
    }

    /// A spectrum is of one histogram.
    fn check_split(&self, format: Format) -> Result<(), QueryError> {
        if format == Format::Hgrm && !self.by.is_empty() {
            let reason = "does not go with format=hgrm, which shows one histogram";
            return Err(QueryError::Misplaced { parameter: "by", reason });
        }
        Ok(())
    }

    fn add_filter(
        &mut self,
        name: &str,
        given: &[Cow<'_, str>],
        values: &Values,
    ) -> Result<(), QueryError> {
        let dimension = Dimension::named(name)
            .ok_or_else(|| QueryError::UnknownParameter { name: name.to_owned() })?;
        for value in given {
            let index = values.index(dimension, value).ok_or_else(|| {
                let names = values.names(dimension);
                let more = if names.len() > LISTED_MAX { ", ..." } else { "" };
                let known = names[..names.len().min(LISTED_MAX)].join(", ") + more;
                unknown(dimension.label(), value, &known)
            })?;
            self.filter[dimension as usize].push(index);
        }
        Ok(())
    }

    /// Phases of a request are not alike, nor are a request and a call that it led to: added up they would mean nothing.
    /// Who does not ask for them gets the totals of requests from outside.
    fn keep_unlike_apart(&mut self) {
        // Single host calls belong to a capability as wholes.
        let host_calls_only =
            self.filter[Dimension::Trigger as usize] == [Trigger::Host as u32 + 1];
        let is_of_parts = self.is_by_capability() && !host_calls_only;
        let phase = if is_of_parts { Phase::Host } else { Phase::Total };
        let defaults =
            [(Dimension::Trigger, Trigger::Http as u32), (Dimension::Phase, phase as u32)];
        for (dimension, value) in defaults {
            let asked = &mut self.filter[dimension as usize];
            if asked.is_empty() && !self.by.contains(&dimension) {
                asked.push(value + 1);
            }
        }
    }

    /// Whether the time in host calls is wanted by capability, or as one.
    pub(super) fn is_by_capability(&self) -> bool {
        let dimension = Dimension::Capability;
        self.by.contains(&dimension) || !self.filter[dimension as usize].is_empty()
    }

    /// Whether the back end behind a capability belongs on the page.
    pub(super) fn shows_backend(&self, capability: Capability) -> bool {
        let asked = &self.filter[Dimension::Capability as usize];
        let is_asked = asked.is_empty() || asked.contains(&capability_index(Some(capability)));
        self.is_by_capability() && is_asked
    }

    /// Whether a histogram that lies here counts.
    pub(super) fn includes(&self, place: &Place) -> bool {
        let asked = self.filter.iter().zip(place);
        asked.into_iter().all(|(asked, index)| asked.is_empty() || asked.contains(index))
    }

    /// For each dimension that is not open, the values that count.
    pub(super) fn filters<'v>(
        &self,
        values: &'v Values,
    ) -> impl Iterator<Item = (&'static str, Vec<&'v str>)> {
        let asked = Dimension::ALL.into_iter().zip(&self.filter);
        asked.filter(|(_, asked)| !asked.is_empty()).map(|(dimension, asked)| {
            let names = asked.iter().map(|&index| values.name(dimension, index));
            (dimension.label(), names.collect())
        })
    }
}

/// What the series of a page are split by when the client does not say: a spectrum is of one histogram.
fn default_split(format: Format) -> &'static [Dimension] {
    match format {
        Format::Hgrm => &[],
        Format::Text | Format::Json | Format::Csv | Format::Hlog => &[
            Dimension::Function,
            Dimension::Route,
            Dimension::Trigger,
            Dimension::Phase,
            Dimension::Status,
        ],
    }
}

/// An empty `by=` splits by nothing.
fn split(given: &[Cow<'_, str>]) -> Result<Vec<Dimension>, QueryError> {
    let given = given.iter().filter(|name| !name.is_empty());
    let asked =
        given.map(|name| Dimension::named(name).ok_or_else(|| unknown("by", name, &dimensions())));
    let asked = asked.collect::<Result<Vec<_>, _>>()?;
    Ok(Dimension::ALL.into_iter().filter(|dimension| asked.contains(dimension)).collect())
}

fn follow(given: &[Cow<'_, str>], format: Format) -> Result<Duration, QueryError> {
    if format != Format::Hlog {
        let reason = "goes with format=hlog only";
        return Err(QueryError::Misplaced { parameter: "follow", reason });
    }
    let seconds = |text: &str| {
        let seconds = text.strip_suffix('s')?.parse().ok()?;
        (1..=FOLLOW_SECONDS_MAX).contains(&seconds).then(|| Duration::from_secs(seconds))
    };
    one("follow", given, seconds, &format!("1s to {FOLLOW_SECONDS_MAX}s"))
}

/// The value of a parameter that has only one.
fn one<T>(
    parameter: &'static str,
    given: &[Cow<'_, str>],
    named: impl Fn(&str) -> Option<T>,
    known: &str,
) -> Result<T, QueryError> {
    let given = given.join(",");
    named(&given).ok_or_else(|| unknown(parameter, &given, known))
}

fn unknown(parameter: &'static str, value: &str, known: &str) -> QueryError {
    QueryError::UnknownValue { parameter, value: value.to_owned(), known: known.to_owned() }
}

#[cfg(test)]
mod tests;
