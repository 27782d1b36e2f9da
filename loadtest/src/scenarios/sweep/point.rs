//! One rate with one peer, in all rounds.

use serde::Serialize;

use crate::open_loop::Sample;
use crate::peers::Peer;
use crate::rows::Row;
use crate::table::Spread;

/// Of the rate: what must be achieved for it to count as held.
const ACHIEVED_MIN: f64 = 0.99;

/// All rounds of one rate with one peer.
#[derive(Serialize)]
pub struct Point {
    pub rate: u64,
    pub peer: Peer,
    pub rounds: Vec<Sample>,
}

impl Point {
    pub fn new(rate: u64, peer: Peer) -> Point {
        Point { rate, peer, rounds: Vec::new() }
    }

    pub fn spread(&self, value: impl Fn(&Sample) -> f64) -> Option<Spread> {
        Spread::of(self.rounds.iter().map(value))
    }

    pub fn client(&self, percentile: f64) -> Option<Spread> {
        self.spread(|sample| sample.client.at(percentile).unwrap_or(f64::NAN))
    }

    pub fn own(&self, percentile: f64) -> Option<Spread> {
        let own = self.rounds.iter().filter_map(|sample| sample.own.as_ref());
        Spread::of(own.filter_map(|own| own.spectrum.at(percentile)))
    }

    /// By the medians of its rounds.
    pub fn held(&self, p99_max_us: f64) -> bool {
        let achieved = self.spread(|sample| sample.requests_per_s);
        let achieved = achieved.is_some_and(|s| s.median >= ACHIEVED_MIN * self.rate as f64);
        achieved && self.client(99.0).is_some_and(|p99| p99.median <= p99_max_us)
    }

    pub fn row(&self, name: String) -> Row {
        let all = |value: fn(&Sample) -> f64| self.rounds.iter().map(value);
        let client =
            |percentile| self.rounds.iter().filter_map(move |sample| sample.client.at(percentile));
        Row::new(name)
            .higher("requests/s", all(|sample| sample.requests_per_s))
            .lower("p50 us", client(50.0))
            .lower("p99 us", client(99.0))
            .lower("p99.9 us", client(99.9))
            .lower("CPU us/request", all(|sample| sample.cpu_us_per_request))
            .lower("errors and shed", all(|sample| (sample.errors + sample.shed) as f64))
    }
}
