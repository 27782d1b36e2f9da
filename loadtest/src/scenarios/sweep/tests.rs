//! Knees and bars of sweeps that were never made.

use super::Sweep;
use super::point::Point;
use super::show::table;
use crate::open_loop::{Own, Sample};
use crate::peers::Peer;
use crate::spectrum::Spectrum;

fn point(rate: u64, peer: Peer, achieved: f64, p99_us: f64, cores: (f64, f64)) -> Point {
    let spectrum = |x: f64| {
        let all = [25.0, 50.0, 75.0, 90.0, 99.0, 99.9, 99.99];
        Spectrum::new(all.map(|percentile| (percentile, p99_us * x)))
    };
    let sample = Sample {
        requests_per_s: achieved,
        client: spectrum(1.0),
        own: (peer == Peer::Airside).then(|| Own { count: 100, spectrum: spectrum(0.8) }),
        server_core: cores.0,
        load_core: cores.1,
        answered: 100,
        ..Sample::default()
    };
    Point { rate, peer, rounds: vec![sample.clone(), sample] }
}

fn sweep() -> Sweep {
    let points = vec![
        point(1000, Peer::Nginx, 1000.0, 500.0, (0.1, 0.1)),
        point(1000, Peer::Airside, 995.0, 400.0, (0.1, 0.1)),
        point(2000, Peer::Nginx, 2000.0, 900.0, (0.2, 0.3)),
        // Within 1 %, but too slow.
        point(2000, Peer::Airside, 1990.0, 1100.0, (0.3, 1.0)),
        // Fast enough, but not all of it.
        point(4000, Peer::Nginx, 3900.0, 900.0, (0.99, 0.8)),
        point(4000, Peer::Airside, 3000.0, 9000.0, (0.5, 1.0)),
    ];
    let steady = vec![
        point(700, Peer::Nginx, 700.0, 500.0, (0.1, 0.1)),
        point(700, Peer::Airside, 700.0, 800.0, (0.1, 0.1)),
    ];
    Sweep { points, steady, p99_max_us: 1000.0 }
}

#[test]
fn the_knee_is_the_highest_rate_that_is_held() {
    let sweep = sweep();
    assert_eq!((sweep.knee(Peer::Nginx), sweep.knee(Peer::Airside)), (Some(2000), Some(1000)));
    assert_eq!(sweep.steady_rate(), Some(700));
    let notes = sweep.notes().join("\n");
    assert!(notes.contains("knee of nginx, p99 <= 1 ms: 2,000/s; its core is full"), "{notes}");
    assert!(notes.contains("1,000/s; WARNING: oha's core is full"), "{notes}");
    assert!(
        notes.contains(
            "|       99.9 |       800 |        640 |             160 |                500 |"
        ),
        "{notes}"
    );
    assert_eq!(table(&sweep.points, 1000.0).to_string().matches(" yes |").count(), 3);
}

#[test]
fn bars_are_about_the_rate_below_the_knee() {
    let bars = format!("{:?}", sweep().bars());
    // 800 over 500 us; 100 of 100 requests twice; 0.8 of the client's; 800 over 640 + 500; no errors.
    assert!(bars.contains("\"1.60\", met: false"), "{bars}");
    assert_eq!(bars.matches("met: true").count(), 4, "{bars}");
    assert!(bars.contains("\"0.70\", met: true"), "{bars}");
    let none = Sweep { steady: Vec::new(), ..sweep() };
    assert!(format!("{:?}", none.bars()).contains("no knee was found"));
}

#[test]
fn all_is_drawn_and_can_be_compared() {
    let sweep = sweep();
    let lines: Vec<usize> = sweep.plots().iter().map(|plot| plot.lines.len()).collect();
    assert_eq!(lines, [2, 4, 3]);
    let rows = sweep.rows();
    assert_eq!((rows.len(), rows[7].name.as_str()), (8, "70 % of the knee, airside"));
    assert_eq!(rows[0].figures[2].samples, [500.0, 500.0]);
}
