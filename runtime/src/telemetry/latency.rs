//! The latency page: every histogram, split, filtered and added up as the client asks, in the window it asks for, as a
//! table for people or in a format that programs and HdrHistogram's tools read.

mod csv;
mod dimension;
mod exchange;
mod follow;
mod format;
mod hgrm;
mod hlog;
mod json;
mod query;
mod select;
mod summary;
mod text;
mod window;

pub use follow::{FOLLOWERS_MAX, FollowError, Followers};
pub use format::Format;
pub use query::{QueryError, requested_format};

use super::backends::BackendStatus;
use super::collected::Collected;
use dimension::{Place, Values};
use query::Query;
use select::Selection;
use window::View;

/// The whole page for a query, without its `?`. Its window ends at the last collection; what is said of the back ends is of
/// now.
///
/// # Errors
/// When the query names something that there is not.
pub fn render(
    collected: &Collected,
    backends: &[BackendStatus],
    format: Format,
    query: &str,
) -> Result<String, QueryError> {
    let values = Values::of(collected.labels(), collected.shards());
    let query = Query::parse(query, format, &values)?;
    if format == Format::Hlog {
        return Ok(hlog::render(collected, &query, &values));
    }
    let view = View::of(collected, query.window);
    let mut page = Page::of(view, &query, &values, collected.shards());
    page.backends = backends.iter().filter(|one| query.shows_backend(one.capability)).collect();
    Ok(match format {
        Format::Text => text::render(&page),
        Format::Json => json::render(&page),
        Format::Csv => csv::render(&page),
        Format::Hgrm | Format::Hlog => hgrm::render(&page),
    })
}

/// What the page shows, before it has a format.
struct Page<'c> {
    view: View<'c>,
    query: &'c Query,
    values: &'c Values,
    shards: usize,
    selection: Selection<'c>,
    /// Those behind the capabilities that the query asks for.
    backends: Vec<&'c BackendStatus>,
}

impl<'c> Page<'c> {
    fn of(view: View<'c>, query: &'c Query, values: &'c Values, shards: usize) -> Page<'c> {
        let selection = Selection::of(&view, query, values);
        Page { view, query, values, shards, selection, backends: Vec::new() }
    }

    /// The labels of a series: names and values of the dimensions that the query splits by.
    fn labels(&self, place: &Place) -> impl Iterator<Item = (&'static str, &str)> {
        labels(self.query, self.values, place)
    }
}

/// Names and values of the dimensions that a query splits by; a value is empty where there is none.
fn labels<'v>(
    query: &Query,
    values: &'v Values,
    place: &Place,
) -> impl Iterator<Item = (&'static str, &'v str)> {
    let labels = query.by.iter().map(|&by| (by.label(), values.name(by, place[by as usize])));
    labels.collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests;
