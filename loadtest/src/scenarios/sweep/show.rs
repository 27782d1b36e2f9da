//! Tables, bars, rows and plots of a sweep.

use super::point::Point;
use super::{STEADY_PART, Sweep};
use crate::open_loop::Sample;
use crate::peers::Peer;
use crate::plot::{self, Axis, Line, Plot, Scale};
use crate::report::Bar;
use crate::rows::Row;
use crate::spectrum::Spectrum;
use crate::table::{Spread, Table, fixed, mebibytes, show, whole};

const P999_X_NGINX_MAX: f64 = 1.5;
/// Those of oha that are set beside airside's own.
const BESIDE: [f64; 7] = [25.0, 50.0, 75.0, 90.0, 99.0, 99.9, 99.99];
/// airside's stretch of a request lies within the client's; it may seem longer by what bins and ranks round.
const OWN_X_CLIENT_MAX: f64 = 1.05;
/// What a client has more than the server's own histogram is the way and its own queue. Both it has of nginx too, at the same
/// rate, so no percentile may be above the sum by more than this. Higher percentiles are of too few requests to be added.
const CLIENT_X_OWN_AND_WAY_MAX: f64 = 1.05;
const ADDED: [f64; 5] = [25.0, 50.0, 75.0, 90.0, 99.0];
/// A core that is used so far has nothing left to give.
const FULL: f64 = 0.95;

pub fn table(points: &[Point], p99_max_us: f64) -> Table {
    let mut table = Table::new(&[
        "rate",
        "peer",
        "requests/s",
        "p50 us",
        "p99 us",
        "p99.9 us",
        "server p50",
        "server p99",
        "server p99.9",
        "CPU us/request",
        "server core",
        "load core",
        "RSS",
        "errors",
        "shed",
        "held",
    ]);
    for point in points {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        let total = |count: fn(&Sample) -> u64| point.rounds.iter().map(count).sum::<u64>();
        table.push([
            whole(point.rate as f64),
            point.peer.name().to_owned(),
            show(point.spread(|sample| sample.requests_per_s), whole),
            show(point.client(50.0), whole),
            show(point.client(99.0), whole),
            show(point.client(99.9), whole),
            show(point.own(50.0), whole),
            show(point.own(99.0), whole),
            show(point.own(99.9), whole),
            show(point.spread(|sample| sample.cpu_us_per_request), fixed(2)),
            show(point.spread(|sample| sample.server_core), percent),
            show(point.spread(|sample| sample.load_core), percent),
            show(point.spread(|sample| sample.resident_bytes as f64), |b| mebibytes(b as u64)),
            total(|sample| sample.errors).to_string(),
            total(|sample| sample.shed).to_string(),
            if point.held(p99_max_us) { "yes" } else { "no" }.to_owned(),
        ]);
    }
    table
}

impl Sweep {
    fn of(&self, peer: Peer) -> impl Iterator<Item = &Point> {
        self.points.iter().filter(move |point| point.peer == peer)
    }

    fn steady(&self, peer: Peer) -> Option<&Point> {
        self.steady.iter().find(|point| point.peer == peer)
    }

    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = [Peer::Nginx, Peer::Airside]
            .into_iter()
            .filter_map(|peer| self.knee_note(peer))
            .collect();
        if !self.steady.is_empty() {
            notes.push(format!("\nat {:.0} % of the lower knee:\n", STEADY_PART * 100.0));
            notes.push(table(&self.steady, self.p99_max_us).to_string());
        }
        let nginx = self.steady(Peer::Nginx);
        notes.extend(self.steady(Peer::Airside).map(|airside| beside(airside, nginx)));
        notes
    }

    /// Where it is, and whose. `None` for a peer that was not there.
    fn knee_note(&self, peer: Peer) -> Option<String> {
        let name = peer.name();
        let bound = self.p99_max_us / 1e3;
        self.of(peer).next()?;
        let Some(knee) = self.knee(peer) else {
            return Some(format!("{name} holds no rate with a p99 of {bound} ms"));
        };
        let rate = whole(knee as f64);
        let Some(beyond) = self.of(peer).find(|point| point.rate > knee) else {
            return Some(format!(
                "{name} holds the highest rate, {rate}: its knee is beyond (--to)"
            ));
        };
        let full = |core: fn(&Sample) -> f64| beyond.spread(core).is_some_and(|s| s.median >= FULL);
        let whose = match (full(|sample| sample.server_core), full(|sample| sample.load_core)) {
            (true, _) => "its core is full beyond it",
            (false, true) => {
                "WARNING: oha's core is full beyond it, not the server's, so this is the load's knee"
            }
            (false, false) => "no core is full beyond it: was the machine busy?",
        };
        Some(format!("knee of {name}, p99 <= {bound} ms: {rate}/s; {whose}"))
    }

    pub(super) fn bars(&self) -> Vec<Bar> {
        let mut bars = Vec::new();
        let promise = format!("p99.9 at {:.0} % of the knee, x nginx", STEADY_PART * 100.0);
        match (self.steady(Peer::Airside), self.steady(Peer::Nginx)) {
            (Some(airside), Some(nginx)) => {
                let x = p999_x(airside, nginx);
                bars.extend(x.map(|x| Bar::at_most(&promise, x.median, P999_X_NGINX_MAX)));
            }
            (None, _) => bars.push(Bar::that(&promise, "no knee was found".to_owned(), false)),
            (Some(_), None) => {}
        }
        bars.extend(self.steady(Peer::Airside).into_iter().flat_map(own_bars));
        let both = self.steady(Peer::Airside).zip(self.steady(Peer::Nginx));
        bars.extend(both.map(|(airside, nginx)| way_bar(airside, nginx)));
        let within = |point: &&Point| point.held(self.p99_max_us);
        let held = self.points.iter().filter(within).chain(&self.steady);
        let failed = held.flat_map(|point| &point.rounds).map(|round| round.errors + round.shed);
        bars.push(Bar::none("no request fails or is shed at rates that are held", failed.sum()));
        bars
    }

    pub(super) fn rows(&self) -> Vec<Row> {
        let named = |point: &Point| {
            point.row(format!("{}/s, {}", whole(point.rate as f64), point.peer.name()))
        };
        let steady = |point: &Point| {
            point.row(format!("{:.0} % of the knee, {}", STEADY_PART * 100.0, point.peer.name()))
        };
        self.points.iter().map(named).chain(self.steady.iter().map(steady)).collect()
    }

    pub(super) fn plots(&self) -> Vec<Plot> {
        let peers = || [Peer::Nginx, Peer::Airside].into_iter();
        let line = |peer: Peer, what: &str, value: &dyn Fn(&Point) -> Option<Spread>| {
            let point = |point: &Point| Some((point.rate as f64, value(point)?.median));
            Line::new(format!("{} {what}", peer.name()).trim(), self.of(peer).filter_map(point))
        };
        let rate = || Axis { title: "requests/s that are due", scale: Scale::Linear };
        let plot = |name: &str, title: &str, y: Axis, lines: Vec<Line>| Plot {
            name: name.to_owned(),
            title: title.to_owned(),
            x: rate(),
            y,
            lines,
        };
        let achieved = peers()
            .map(|peer| line(peer, "", &|point| point.spread(|sample| sample.requests_per_s)));
        let latencies = peers().flat_map(|peer| {
            let tail = line(peer, "p99.9", &|point| point.client(99.9));
            [line(peer, "p99", &|point| point.client(99.0)), Line { dashed: true, ..tail }]
        });
        let us = Axis { title: "latency, us", scale: Scale::Log };
        let per_s = Axis { title: "requests/s that are answered", scale: Scale::Linear };
        let mut plots = vec![
            plot("rate", "what is achieved", per_s, achieved.collect()),
            plot("latency", "latency over rate, open loop", us, latencies.collect()),
        ];
        if let Some(point) = self.steady.first() {
            let title = format!("open loop, {}/s", whole(point.rate as f64));
            plots.push(plot::spectrum("spectrum", title, self.spectra()));
        }
        plots
    }

    /// At 70 % of the knee, as clients see it and as airside does.
    fn spectra(&self) -> Vec<Line> {
        let line =
            |name: String, spectrum: Spectrum| Line::new(name, spectrum.points().iter().copied());
        let client = self.steady.iter().map(|point| {
            let rounds = point.rounds.iter().map(|sample| &sample.client);
            line(format!("{}, client's", point.peer.name()), Spectrum::median(rounds))
        });
        let own = self.steady(Peer::Airside).map(|point| {
            let rounds = point.rounds.iter().filter_map(|sample| sample.own.as_ref());
            let own = Spectrum::median(rounds.map(|own| &own.spectrum));
            Line { dashed: true, ..line("airside, its own".to_owned(), own) }
        });
        client.chain(own).collect()
    }
}

/// Round by round.
fn p999_x(airside: &Point, nginx: &Point) -> Option<Spread> {
    let rounds = airside.rounds.iter().zip(&nginx.rounds);
    Spread::of(rounds.filter_map(|(ours, its)| Some(ours.client.at(99.9)? / its.client.at(99.9)?)))
}

/// The client's percentiles beside airside's own, and beside those that it has of nginx.
fn beside(airside: &Point, nginx: Option<&Point>) -> String {
    let head = ["percentile", "client us", "airside us", "client has more", "client us of nginx"];
    let mut table = Table::new(&head);
    for percentile in BESIDE {
        let (client, own) = (airside.client(percentile), airside.own(percentile));
        let more = client.zip(own).map(|(client, own)| whole(client.median - own.median));
        table.push([
            percentile.to_string(),
            show(client, whole),
            show(own, whole),
            more.unwrap_or_else(|| "-".to_owned()),
            show(nginx.and_then(|nginx| nginx.client(percentile)), whole),
        ]);
    }
    format!("\nairside's own histogram beside oha's, at the same rate:\n\n{table}")
}

fn way_bar(airside: &Point, nginx: &Point) -> Bar {
    let x = ADDED.into_iter().filter_map(|percentile| {
        let (own, way) = (airside.own(percentile)?, nginx.client(percentile)?);
        Some(airside.client(percentile)?.median / (own.median + way.median))
    });
    Bar::at_most(
        "the most that a percentile of the client's is, x airside's own and the client's of nginx",
        x.fold(0.0, f64::max),
        CLIENT_X_OWN_AND_WAY_MAX,
    )
}

fn own_bars(point: &Point) -> Vec<Bar> {
    let answered: u64 = point.rounds.iter().map(|round| round.answered + round.shed).sum();
    let own = point.rounds.iter().filter_map(|round| round.own.as_ref());
    let counted: u64 = own.map(|own| own.count).sum();
    let x = BESIDE.into_iter().filter_map(|percentile| {
        Some(point.own(percentile)?.median / point.client(percentile)?.median)
    });
    vec![
        Bar::that(
            "airside's histogram has the requests that oha saw answered",
            format!("{} and {}", whole(counted as f64), whole(answered as f64)),
            counted == answered,
        ),
        Bar::at_most(
            "the most that a percentile of airside's own is, x the client's",
            x.fold(0.0, f64::max),
            OWN_X_CLIENT_MAX,
        ),
    ]
}
