//! Numbers as Prometheus' own libraries write them. It matters where a number is the value of a label: `0.00001` and
//! `1e-05` are different series.

/// A number as Go writes it: the shortest digits that read back the same, with an exponent of two digits at least below
/// 1e-4 and from 1e21 on.
pub(super) fn go(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() };
    }
    let exponential = format!("{value:e}");
    let exponent = exponential
        .split_once('e')
        .and_then(|(mantissa, exponent)| Some((mantissa, exponent.parse::<i32>().ok()?)));
    match exponent {
        Some((mantissa, exponent)) if !(-4..21).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.abs())
        }
        _ => value.to_string(),
    }
}

/// The same where OpenMetrics asks for its canonical form, in the labels `le` and `quantile`: a whole number has a point.
pub(super) fn canonical(value: f64) -> String {
    let mut text = go(value);
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.push_str(".0");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{canonical, go};

    #[test]
    fn numbers_are_written_as_go_does() {
        let check = |value: f64, expected: (&str, &str)| {
            assert_eq!((go(value).as_str(), canonical(value).as_str()), expected);
        };
        check(0.0, ("0", "0.0"));
        check(1.0, ("1", "1.0"));
        check(60.0, ("60", "60.0"));
        check(0.5, ("0.5", "0.5"));
        check(0.000_1, ("0.0001", "0.0001"));
        check(0.000_025, ("2.5e-05", "2.5e-05"));
        check(0.000_01, ("1e-05", "1e-05"));
        check(-1.5e-7, ("-1.5e-07", "-1.5e-07"));
        check(1e20, ("100000000000000000000", "100000000000000000000.0"));
        check(1e21, ("1e+21", "1e+21"));
        check(1e-120, ("1e-120", "1e-120"));
        check(f64::INFINITY, ("+Inf", "+Inf"));
        check(f64::NEG_INFINITY, ("-Inf", "-Inf"));
        check(f64::NAN, ("NaN", "NaN"));
    }
}
