//! The latency percentiles of one run, as a load generator or a server gives them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::table::Spread;

/// Those that wrk and airside are asked for; closer together where the tail is.
pub const PERCENTILES: [f64; 19] = [
    0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 95.0, 98.0, 99.0, 99.5, 99.8, 99.9,
    99.95, 99.98, 99.99,
];

/// Percentiles, 0 to 100 and ascending, each with its latency in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Spectrum(Vec<(f64, f64)>);

impl Spectrum {
    /// Points in any order; those that are no number are left out.
    pub fn new(points: impl IntoIterator<Item = (f64, f64)>) -> Spectrum {
        let known = |&(percentile, us): &(f64, f64)| percentile.is_finite() && us.is_finite();
        let mut points: Vec<(f64, f64)> = points.into_iter().filter(known).collect();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        Spectrum(points)
    }

    /// Of so many values in each bin, which are microseconds.
    pub fn of_bins(bins: &BTreeMap<u64, u64>) -> Spectrum {
        let all: u64 = bins.values().sum();
        let reached = |percentile: f64| {
            // The value at this rank, counted from 1, is the least that so many percent reach.
            let rank = (percentile / 100.0 * all as f64).ceil().max(1.0) as u64;
            let mut seen = 0;
            let mut bins = bins.iter();
            bins.find_map(|(&us, &count)| {
                seen += count;
                (seen >= rank).then_some((percentile, us as f64))
            })
        };
        Spectrum::new(PERCENTILES.into_iter().filter_map(reached))
    }

    /// Microseconds; `None` when this percentile is not among those that are known.
    pub fn at(&self, percentile: f64) -> Option<f64> {
        let point = self.0.iter().find(|point| (point.0 - percentile).abs() < 1e-9);
        point.map(|point| point.1)
    }

    pub fn points(&self) -> &[(f64, f64)] {
        &self.0
    }

    /// Each percentile's median over some runs, for those that the first of them has.
    pub fn median<'s>(runs: impl IntoIterator<Item = &'s Spectrum>) -> Spectrum {
        let runs: Vec<&Spectrum> = runs.into_iter().collect();
        let percentiles = runs.first().map_or(&[][..], |first| first.points());
        Spectrum::new(percentiles.iter().filter_map(|&(percentile, _)| {
            let spread = Spread::of(runs.iter().filter_map(|run| run.at(percentile)))?;
            Some((percentile, spread.median))
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Spectrum;

    #[test]
    fn percentiles_of_bins() {
        let bins = BTreeMap::from([(10, 50), (20, 49), (900, 1)]);
        let spectrum = Spectrum::of_bins(&bins);
        for (percentile, us) in [(0.0, 10.0), (50.0, 10.0), (60.0, 20.0), (99.0, 20.0)] {
            assert_eq!(spectrum.at(percentile), Some(us), "{percentile}");
        }
        assert_eq!((spectrum.at(99.5), spectrum.at(42.0)), (Some(900.0), None));
        assert_eq!(Spectrum::of_bins(&BTreeMap::new()), Spectrum::default());
    }

    #[test]
    fn medians_are_taken_percentile_by_percentile() {
        let run = |us: f64| Spectrum::new([(99.0, us * 2.0), (50.0, us), (f64::NAN, 1.0)]);
        let runs = [run(1.0), run(9.0), run(3.0)];
        assert_eq!(Spectrum::median(&runs), Spectrum::new([(50.0, 3.0), (99.0, 6.0)]));
        assert_eq!(Spectrum::median([]), Spectrum::default());
    }
}
