//! Where a value lies on an axis, and which values are written at it.

/// How many ticks a linear axis has, about.
const TICKS: f64 = 6.0;
/// A logarithmic axis of fewer decades has ticks at 2 and 5 too.
const FEW_DECADES: f64 = 2.5;
const PERCENTILE_TICKS: [f64; 8] = [0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999, 99.9999];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    Linear,
    Log,
    /// Percentiles, 0 to below 100: each further nine takes as much room as the one before.
    Percentile,
}

/// A scale with its ends, which are among the values that it takes.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    scale: Scale,
    first: f64,
    last: f64,
}

impl Scale {
    /// Where a value is, in the scale's own measure; `None` when it is on no such axis.
    fn position(self, value: f64) -> Option<f64> {
        let position = match self {
            Scale::Linear => value,
            Scale::Log => value.log10(),
            Scale::Percentile => -(1.0 - value / 100.0).log10(),
        };
        position.is_finite().then_some(position)
    }
}

impl Range {
    /// From the least to the largest value; a linear axis begins at 0. `None` without values.
    pub fn of(scale: Scale, values: impl IntoIterator<Item = f64>) -> Option<Range> {
        let positions = values.into_iter().filter_map(|value| scale.position(value));
        let (mut first, mut last) = (f64::INFINITY, f64::NEG_INFINITY);
        for position in positions {
            (first, last) = (first.min(position), last.max(position));
        }
        if first > last {
            return None;
        }
        if scale == Scale::Linear {
            first = first.min(0.0);
        }
        if first == last {
            last += 1.0;
        }
        Some(Range { scale, first, last })
    }

    /// 0 at the first value to 1 at the last.
    pub fn part(&self, value: f64) -> Option<f64> {
        let position = self.scale.position(value)?;
        Some((position - self.first) / (self.last - self.first))
    }

    /// Values to write at the axis, within its ends.
    pub fn ticks(&self) -> Vec<f64> {
        let all = match self.scale {
            Scale::Linear => self.linear_ticks(),
            Scale::Log => self.log_ticks(),
            Scale::Percentile => PERCENTILE_TICKS.to_vec(),
        };
        let within = |part: f64| (-1e-9..=1.0 + 1e-9).contains(&part);
        all.into_iter().filter(|&value| self.part(value).is_some_and(within)).collect()
    }

    /// Steps of 1, 2 or 5 times a power of ten.
    fn linear_ticks(&self) -> Vec<f64> {
        let rough = (self.last - self.first) / TICKS;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power);
        let step = step.into_iter().find(|&step| step >= rough).unwrap_or(rough);
        let (first, last) = ((self.first / step).ceil() as i64, (self.last / step).floor() as i64);
        (first..=last).map(|index| index as f64 * step).collect()
    }

    fn log_ticks(&self) -> Vec<f64> {
        let factors: &[f64] =
            if self.last - self.first < FEW_DECADES { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let decades = self.first.floor() as i32..=self.last.ceil() as i32;
        decades.flat_map(|decade| factors.iter().map(move |f| f * 10f64.powi(decade))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Range, Scale};

    #[track_caller]
    fn check(scale: Scale, values: &[f64], ticks: &[f64]) {
        let range = Range::of(scale, values.iter().copied()).unwrap();
        let got = range.ticks();
        let close = got.iter().zip(ticks).all(|(got, want)| (got - want).abs() < 1e-9);
        assert!(close && got.len() == ticks.len(), "{got:?}, not {ticks:?}");
    }

    #[test]
    fn ticks_are_round_and_within() {
        check(Scale::Linear, &[3.0, 11.0], &[0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        check(Scale::Log, &[150.0, 1500.0], &[200.0, 500.0, 1000.0]);
        check(Scale::Log, &[2.0, 200_000.0], &[10.0, 100.0, 1000.0, 10_000.0, 100_000.0]);
        check(Scale::Percentile, &[0.0, 99.99, 100.0], &[0.0, 50.0, 90.0, 99.0, 99.9, 99.99]);
        check(Scale::Linear, &[0.0], &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
    }

    #[test]
    fn parts() {
        let nines = Range::of(Scale::Percentile, [0.0, 99.99]).unwrap();
        for (value, part) in [(0.0, 0.0), (90.0, 0.25), (99.0, 0.5), (99.99, 1.0)] {
            assert!((nines.part(value).unwrap() - part).abs() < 1e-9, "{value}");
        }
        assert_eq!(nines.part(100.0), None);
        assert!(Range::of(Scale::Log, [0.0, -1.0, f64::NAN]).is_none());
    }
}
