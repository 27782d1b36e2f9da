//! All rounds of one subject under one load: what tables, bars, plots and other runs want of them.

use serde::Serialize;

use crate::measure::Sample;
use crate::rows::Row;
use crate::spectrum::Spectrum;
use crate::table::{Spread, fixed, mebibytes, show, whole};

#[derive(Clone, Debug, Default, Serialize)]
pub struct Rounds(Vec<Sample>);

impl Rounds {
    /// The heads of the columns that `cells` fills.
    pub const HEAD: [&'static str; 8] =
        ["requests/s", "p50 us", "p99 us", "p99.9 us", "CPU us/request", "RSS", "errors", "shed"];

    pub fn push(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// Median and both ends of each figure, and the failures of all rounds.
    pub fn cells(&self) -> [String; Rounds::HEAD.len()] {
        let total = |count: fn(&Sample) -> u64| self.0.iter().map(count).sum::<u64>().to_string();
        let mib = |bytes: f64| mebibytes(bytes as u64);
        [
            show(self.spread(|sample| sample.requests_per_s), whole),
            show(self.spread(|sample| sample.p50_us), whole),
            show(self.spread(|sample| sample.p99_us), whole),
            show(self.spread(|sample| sample.p999_us), whole),
            show(self.spread(|sample| sample.cpu_us_per_request), fixed(2)),
            show(self.spread(|sample| sample.resident_bytes as f64), mib),
            total(|sample| sample.errors),
            total(|sample| sample.shed),
        ]
    }

    pub fn spread(&self, value: impl Fn(&Sample) -> f64) -> Option<Spread> {
        Spread::of(self.0.iter().map(value))
    }

    /// Round by round over those of another subject, which were measured in turn with these.
    pub fn over(&self, other: &Rounds, value: impl Fn(&Sample) -> f64) -> Option<Spread> {
        let rounds = self.0.iter().zip(&other.0);
        Spread::of(rounds.map(|(ours, its)| value(ours) / value(its)))
    }

    /// The same of CPU time per request.
    pub fn cpu_x(&self, other: &Rounds) -> Option<Spread> {
        self.over(other, |sample| sample.cpu_us_per_request)
    }

    /// Requests that got another answer than they should, or none.
    pub fn failed(&self) -> u64 {
        self.0.iter().map(|sample| sample.errors + sample.shed).sum()
    }

    /// Each percentile's median.
    pub fn spectrum(&self) -> Spectrum {
        Spectrum::median(self.0.iter().map(|sample| &sample.spectrum))
    }

    /// The row that another run is compared by.
    pub fn row(&self, name: impl Into<String>) -> Row {
        let all = |value: fn(&Sample) -> f64| self.0.iter().map(value);
        // One process served all rounds: more than its last figure would seem to be more than one fact.
        let mib = |sample: &Sample| sample.resident_bytes as f64 / f64::from(1 << 20);
        let last_rss_mib = self.0.last().map(mib);
        Row::new(name)
            .higher("requests/s", all(|sample| sample.requests_per_s))
            .lower("p50 us", all(|sample| sample.p50_us))
            .lower("p99 us", all(|sample| sample.p99_us))
            .lower("p99.9 us", all(|sample| sample.p999_us))
            .lower("CPU us/request", all(|sample| sample.cpu_us_per_request))
            .lower("RSS MiB", last_rss_mib)
            .lower("errors and shed", all(|sample| (sample.errors + sample.shed) as f64))
    }

    /// For tests of tables and bars: runs that differ in CPU time per request.
    #[cfg(test)]
    pub fn costing(cpu_us: &[f64]) -> Rounds {
        let sample = |&cpu_us_per_request: &f64| Sample {
            requests_per_s: 100_000.0,
            p50_us: cpu_us_per_request * 10.0,
            p99_us: 900.0,
            cpu_us_per_request,
            core_share: 1.0,
            ..Sample::default()
        };
        Rounds(cpu_us.iter().map(sample).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Rounds;
    use crate::measure::Sample;

    #[test]
    fn errors_and_shed_requests_are_apart() {
        let mut rounds = Rounds::costing(&[4.0, 8.0]);
        rounds.push(Sample { errors: 3, shed: 4, p999_us: 7.0, ..Sample::default() });
        let cells = rounds.cells();
        assert_eq!((&*cells[6], &*cells[7], rounds.failed()), ("3", "4", 7));
        assert_eq!(cells[4], "4.00 (0.00..8.00)");
        assert_eq!(rounds.row("x").figures.len(), 7);
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        // The machine halves its speed in round 2: the ratio does not see it.
        let (ours, its) = (Rounds::costing(&[4.0, 8.0, 4.2]), Rounds::costing(&[4.0, 8.0, 4.0]));
        let x = ours.cpu_x(&its).unwrap();
        assert_eq!((x.median, x.min, (x.max * 100.0).round()), (1.0, 1.0, 105.0));
        assert_eq!(ours.cpu_x(&Rounds::default()), None);
    }
}
