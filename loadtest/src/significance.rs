//! The exact Mann-Whitney U test: could the samples of two runs be from the same source?
//!
//! All samples are ranked together, equal ones sharing the mean of their ranks. If both runs had the
//! same source, each way to deal the ranks out to the runs would be as likely as any other; p is the
//! share of the ways whose sum of ranks lies as far from the middle as what was seen, or farther, to
//! either side. The ways are counted, not approximated, so p is right for few rounds and with ties;
//! nothing is supposed about how samples are distributed.

/// More samples than this in both runs together are refused: counts of ways would leave what an f64 holds (2^1024).
pub const SAMPLES_MAX: usize = 1000;

/// `None` when a run has no samples, or both together have too many.
pub fn p_value(one: &[f64], other: &[f64]) -> Option<f64> {
    let total = one.len() + other.len();
    if one.is_empty() || other.is_empty() || total > SAMPLES_MAX {
        return None;
    }
    let ranks = doubled_ranks(one, other);
    let seen: usize = ranks[..one.len()].iter().sum();
    let ways = ways_by_sum(&ranks, one.len());
    // The mean of the sums, doubled as the ranks are: n (N + 1).
    let middle = one.len() * (total + 1);
    let far = seen.abs_diff(middle);
    let as_far = ways.iter().enumerate().filter(|(sum, _)| sum.abs_diff(middle) >= far);
    Some(as_far.map(|(_, ways)| ways).sum::<f64>() / ways.iter().sum::<f64>())
}

/// The smallest p that runs of so many samples can give: every sample of one beyond all of the other.
pub fn least_p(one: usize, other: usize) -> Option<f64> {
    let low: Vec<f64> = (0..one).map(|index| index as f64).collect();
    let high: Vec<f64> = (one..one + other).map(|index| index as f64).collect();
    p_value(&low, &high)
}

/// Twice the rank of each sample, so that the mean of two ranks is a whole number too; those of `one` first.
fn doubled_ranks(one: &[f64], other: &[f64]) -> Vec<usize> {
    let all = || one.iter().chain(other);
    let rank = |sample: &f64| {
        let below = all().filter(|&other| other < sample).count();
        let equal = all().filter(|&other| other == sample).count();
        // Ranks below + 1 to below + equal.
        2 * below + equal + 1
    };
    all().map(rank).collect()
}

/// For each sum, in how many ways `count` of the ranks have it.
fn ways_by_sum(ranks: &[usize], count: usize) -> Vec<f64> {
    let sum_max: usize = ranks.iter().sum();
    let mut ways = vec![vec![0.0; sum_max + 1]; count + 1];
    ways[0][0] = 1.0;
    for &rank in ranks {
        // Downwards, so that no rank is taken twice.
        for taken in (1..=count).rev() {
            let (fewer, more) = ways.split_at_mut(taken);
            let fewer = &fewer[taken - 1];
            for (way, before) in more[0][rank..].iter_mut().zip(fewer) {
                *way += before;
            }
        }
    }
    ways.swap_remove(count)
}

#[cfg(test)]
mod tests {
    use super::{SAMPLES_MAX, least_p, p_value};

    #[track_caller]
    fn check(one: &[f64], other: &[f64], want: Option<f64>) {
        let close = |got: f64, want: f64| (got - want).abs() < 1e-9;
        let got = p_value(one, other);
        assert!(
            got.zip(want).map_or(got == want, |(got, want)| close(got, want)),
            "{one:?} {other:?}: {got:?}, not {want:?}"
        );
    }

    #[test]
    fn exact_values() {
        // By hand: of the 20 ways to choose 3 of 6 ranks, 2 are as extreme as 1, 2, 3.
        check(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0], Some(0.1));
        check(&[4.0, 5.0, 6.0], &[1.0, 2.0, 3.0], Some(0.1));
        // Sums of 3 of 6 ranks: 6 or 15 in 1 way each, 7 or 14 too; the sum 7 is 1, 2, 4.
        check(&[1.0, 2.0, 4.0], &[3.0, 5.0, 6.0], Some(0.2));
        check(&[1.0, 3.0], &[2.0, 4.0], Some(2.0 / 3.0));
        check(&[1.0], &[2.0], Some(1.0));
        check(&[7.0, 7.0], &[7.0, 7.0], Some(1.0));
        // Ranks 1.5, 1.5, 3.5, 3.5: of 6 ways, 2 are as extreme.
        check(&[1.0, 1.0], &[2.0, 2.0], Some(1.0 / 3.0));
        check(&[], &[1.0], None);
    }

    #[test]
    fn the_least_p_falls_with_the_rounds() {
        for (rounds, want) in [(3, 2.0 / 20.0), (4, 2.0 / 70.0), (5, 2.0 / 252.0)] {
            assert!((least_p(rounds, rounds).unwrap() - want).abs() < 1e-9, "{rounds}");
        }
        assert_eq!(least_p(SAMPLES_MAX, 1), None);
    }
}
