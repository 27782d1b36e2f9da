//! From a window's histograms to the series that a query asks for. A series is added up when it is written, one after
//! the other: all of them together would double the memory of the histograms.

use super::dimension::{Dimension, Place, Values, capability_index};
use super::query::Query;
use super::window::{Recorded, View};
use crate::telemetry::bins::Bins;
use crate::telemetry::history::ShardHistogramKey;
use crate::telemetry::stretch::{Phase, Stretch};
use std::collections::BTreeMap;
use std::thread;

/// The series of one window.
#[derive(Debug)]
pub(super) struct Selection<'c> {
    series: BTreeMap<Place, Vec<Recorded<'c>>>,
}

impl<'c> Selection<'c> {
    pub(super) fn of(view: &View<'c>, query: &Query, values: &Values) -> Selection<'c> {
        let mut series: BTreeMap<Place, Vec<Recorded<'c>>> = BTreeMap::new();
        for &(key, recorded) in &view.histograms {
            let Some(place) = place(key, query, values) else { continue };
            let mut kept = Place::default();
            query.by.iter().for_each(|&by| kept[by as usize] = place[by as usize]);
            series.entry(kept).or_default().push(recorded);
        }
        Selection { series }
    }

    pub(super) fn len(&self) -> usize {
        self.series.len()
    }

    /// Each series with where it lies in the dimensions that the query splits by.
    pub(super) fn series(&self) -> impl Iterator<Item = (&Place, Bins)> {
        self.series.iter().map(|(place, recorded)| {
            // Where shards have all cores, whoever renders has one of theirs.
            thread::yield_now();
            let mut sum = Bins::default();
            recorded.iter().for_each(|one| one.add_to(&mut sum));
            (place, sum)
        })
    }
}

/// Where a histogram lies; none if it does not count. The time in host calls counts once: as a whole, or in its parts
/// by capability.
fn place(key: ShardHistogramKey, query: &Query, values: &Values) -> Option<Place> {
    let mut place = values.source(key.histogram.source);
    let stretch = Stretch::from_index(usize::from(key.histogram.stretch));
    let left_out = match stretch {
        Stretch::Phase(phase) => phase == Phase::Host && query.is_by_capability(),
        Stretch::HostOf(_) => !query.is_by_capability(),
    };
    if left_out {
        return None;
    }
    if stretch.capability().is_some() {
        place[Dimension::Capability as usize] = capability_index(stretch.capability());
    }
    place[Dimension::Phase as usize] = stretch.phase() as u32 + 1;
    place[Dimension::Status as usize] = key.histogram.status as u32 + 1;
    place[Dimension::Shard as usize] = u32::from(key.shard) + 1;
    query.includes(&place).then_some(place)
}
