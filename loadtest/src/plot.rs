//! Line charts as SVG, for `--plot`: each is one file without anything else in it, light or dark as
//! the reader's system is. Drawn by hand: two kinds of chart are less than a crate that draws all.

mod scale;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::table::whole;
use scale::Range;
pub use scale::Scale;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 460.0;
/// Room around the lines for what is written there.
const LEFT: f64 = 80.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;
/// Told apart by people who see few colours too.
const COLOURS: [&str; 8] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a7a7a", "#8a5a00"];
const STYLE: &str = "\
.page{fill:#fff}text{fill:#222;font:12px sans-serif}.title{font-size:15px}\
.grid{stroke:#ddd}.edge{stroke:#888}polyline{fill:none;stroke-width:2}\
@media(prefers-color-scheme:dark){.page{fill:#16181c}text{fill:#ddd}.grid{stroke:#333}}";

pub struct Plot {
    /// Of the file, without what says its format.
    pub name: String,
    pub title: String,
    pub x: Axis,
    pub y: Axis,
    pub lines: Vec<Line>,
}

pub struct Axis {
    /// With its unit.
    pub title: &'static str,
    pub scale: Scale,
}

pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
    pub dashed: bool,
}

impl Line {
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Line {
        Line { name: name.into(), points: points.into_iter().collect(), dashed: false }
    }
}

/// Latencies by percentile: a tail is as wide as all that lies below it.
pub fn spectrum(name: impl Into<String>, title: impl Into<String>, lines: Vec<Line>) -> Plot {
    Plot {
        name: name.into(),
        title: title.into(),
        x: Axis { title: "percentile", scale: Scale::Percentile },
        y: Axis { title: "latency, us", scale: Scale::Log },
        lines,
    }
}

/// Writes them into `folder`, which is made if need be, and returns their paths. One without any
/// points is left out.
pub fn write_all(folder: &Path, scenario: &str, plots: &[Plot]) -> Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    let mut written = Vec::new();
    for plot in plots {
        let Some(svg) = plot.svg() else { continue };
        let path = folder.join(format!("{scenario}-{}.svg", plot.name));
        std::fs::write(&path, svg).with_context(|| format!("write {}", path.display()))?;
        written.push(path);
    }
    Ok(written)
}

impl Plot {
    /// `None` when there is nothing to draw.
    fn svg(&self) -> Option<String> {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let x = Range::of(self.x.scale, points().map(|point| point.0))?;
        let y = Range::of(self.y.scale, points().map(|point| point.1))?;
        let frame = Frame { x, y };
        let title = escape(&self.title);
        let mut svg = format!(
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' role='img'>\
             <title>{title}</title><style>{STYLE}</style>\
             <rect class='page' width='{WIDTH}' height='{HEIGHT}'/>\
             <text class='title' x='{LEFT}' y='24'>{title}</text>\n"
        );
        svg += &frame.axes(&self.x, &self.y);
        for (index, line) in self.lines.iter().enumerate() {
            svg += &frame.line(line, index);
        }
        Some(svg + "</svg>\n")
    }
}

/// The rectangle in which the lines are.
struct Frame {
    x: Range,
    y: Range,
}

impl Frame {
    fn across(&self, value: f64) -> Option<f64> {
        Some(LEFT + self.x.part(value)? * (WIDTH - LEFT - RIGHT))
    }

    fn down(&self, value: f64) -> Option<f64> {
        Some(HEIGHT - BOTTOM - self.y.part(value)? * (HEIGHT - TOP - BOTTOM))
    }

    fn axes(&self, x: &Axis, y: &Axis) -> String {
        let (right, low) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let mut svg = String::new();
        let ticks = self.x.ticks().into_iter().filter_map(|tick| Some((tick, self.across(tick)?)));
        for (tick, at) in ticks {
            svg += &straight("grid", [at, TOP, at, low]);
            svg += &text("middle", at, low + 18.0, &show(tick));
        }
        let ticks = self.y.ticks().into_iter().filter_map(|tick| Some((tick, self.down(tick)?)));
        for (tick, at) in ticks {
            svg += &straight("grid", [LEFT, at, right, at]);
            svg += &text("end", LEFT - 8.0, at + 4.0, &show(tick));
        }
        svg += &straight("edge", [LEFT, TOP, LEFT, low]);
        svg += &straight("edge", [LEFT, low, right, low]);
        svg += &text("middle", LEFT.midpoint(right), HEIGHT - 12.0, x.title);
        svg + &text("start", 8.0, TOP - 4.0, y.title)
    }

    /// The line and, at the right, its name.
    fn line(&self, line: &Line, index: usize) -> String {
        let colour = COLOURS[index % COLOURS.len()];
        let dash = if line.dashed { " stroke-dasharray='6 4'" } else { "" };
        let stroke = format!("stroke='{colour}'{dash}");
        let place = |&(x, y): &(f64, f64)| Some((self.across(x)?, self.down(y)?));
        let mut svg = format!("<polyline {stroke} points='");
        for (x, y) in line.points.iter().filter_map(place) {
            // Writing to a string does not fail.
            let _ = write!(svg, "{x:.1},{y:.1} ");
        }
        let (left, row) = (WIDTH - RIGHT + 16.0, TOP + 10.0 + 20.0 * index as f64);
        let (right, base) = (left + 24.0, row + 4.0);
        svg += "'/>";
        svg += &format!("<polyline {stroke} points='{left},{row} {right},{row}'/>");
        svg + &text("start", right + 8.0, base, &line.name)
    }
}

fn straight(class: &str, [x1, y1, x2, y2]: [f64; 4]) -> String {
    format!("<line class='{class}' x1='{x1:.1}' y1='{y1:.1}' x2='{x2:.1}' y2='{y2:.1}'/>\n")
}

fn text(anchor: &str, x: f64, y: f64, text: &str) -> String {
    let text = escape(text);
    format!("<text text-anchor='{anchor}' x='{x:.1}' y='{y:.1}'>{text}</text>\n")
}

/// Whole numbers in groups of three, others as short as they are.
fn show(value: f64) -> String {
    if value.fract() == 0.0 {
        whole(value)
    } else {
        format!("{:.4}", value).trim_end_matches('0').to_owned()
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::{Line, show, spectrum, write_all};

    #[test]
    fn plots_are_files_with_a_line_for_each_series() {
        let folder = tempfile::tempdir().unwrap();
        let line = |name| Line::new(name, [(50.0, 100.0), (99.0, 900.0), (100.0, 2000.0)]);
        let full = spectrum("all", "a < b & c", vec![line("nginx"), line("airside")]);
        let empty = spectrum("none", "nothing", vec![Line::new("nginx", [])]);
        let written = write_all(&folder.path().join("new"), "compare", &[full, empty]).unwrap();
        assert_eq!(written, [folder.path().join("new/compare-all.svg")]);
        let svg = std::fs::read_to_string(&written[0]).unwrap();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
        // Two lines and their keys; 100 % has no place on the axis.
        assert_eq!(svg.matches("<polyline").count(), 4);
        assert_eq!(svg.matches(",50.0 ").count(), 0, "{svg}");
        assert!(svg.contains("a &lt; b &amp; c") && svg.contains(">99<"), "{svg}");
    }

    #[test]
    fn ticks_are_short() {
        for (value, want) in [(0.0, "0"), (20_000.0, "20,000"), (99.9, "99.9"), (0.25, "0.25")] {
            assert_eq!(show(value), want);
        }
    }
}
