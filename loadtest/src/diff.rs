//! `loadtest diff A.json B.json`: what of two runs of one scenario differs, and whether chance explains it.
//!
//! How to read the table: each line is one figure of one row, with its median (min..max) in A and in B. `B / A` is the
//! ratio of the medians. `p` is that of the exact Mann-Whitney U test on the rounds, two-sided: how likely samples lie
//! as far apart or farther when nothing differs. At `--alpha` and below, and from a change of `--least` on, the line is
//! `better` or `worse`, of B. The rounds of a run share their servers, so what differs from start to start, as memory's
//! layout does, looks like a difference of builds: only more runs can tell. Few rounds cannot give a small p: the least that they can give is below the table. Of many lines a few are below alpha
//! by chance, one in twenty at 0.05: repeat what surprises. The exit code is 1 when a line is worse.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::rows::{Better, Figure, Row};
use crate::significance::{least_p, p_value};
use crate::table::{Spread, Table, fixed, show, whole};

#[derive(clap::Args)]
pub struct Options {
    /// What `--json` wrote, before
    a: PathBuf,
    /// and after.
    b: PathBuf,
    #[command(flatten)]
    limits: Limits,
}

/// What counts as a difference.
#[derive(clap::Args, Clone, Copy)]
pub struct Limits {
    /// The largest p at which a difference counts.
    #[arg(long, default_value_t = 0.05)]
    alpha: f64,
    /// The least change of a median that counts, in percent.
    #[arg(long = "least", default_value_t = 1.0)]
    least_percent: f64,
}

#[derive(Deserialize)]
struct Run {
    scenario: String,
    stage: Value,
    rows: Vec<Row>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Better,
    Worse,
    /// What was seen is no more than chance gives.
    Open,
}

/// One figure of one row, in both runs.
pub struct Line<'r> {
    row: &'r str,
    a: &'r Figure,
    b: &'r Figure,
    p: Option<f64>,
    verdict: Verdict,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let (a, b) = (read(&options.a)?, read(&options.b)?);
    ensure!(a.scenario == b.scenario, "{} and {} do not compare", a.scenario, b.scenario);
    let lines = lines(&a.rows, &b.rows, options.limits);
    ensure!(!lines.is_empty(), "the two runs have no row in common");
    println!("{}", table(&lines));
    for note in test_notes(&lines, options.limits).into_iter().chain(run_notes(&a, &b)) {
        println!("{note}");
    }
    Ok(if worse(&lines) > 0 { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// How many figures chance does not explain and are worse in the second run.
pub fn worse(lines: &[Line]) -> usize {
    lines.iter().filter(|line| line.verdict == Verdict::Worse).count()
}

fn read(path: &Path) -> Result<Run> {
    let text = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    serde_json::from_slice(&text)
        .with_context(|| format!("{} is not what `loadtest --json` writes", path.display()))
}

/// What both runs have.
pub fn lines<'r>(a: &'r [Row], b: &'r [Row], limits: Limits) -> Vec<Line<'r>> {
    let mut lines = Vec::new();
    for row in a {
        let Some(other) = b.iter().find(|other| other.name == row.name) else { continue };
        for figure in &row.figures {
            let after = other.figures.iter().find(|after| after.name == figure.name);
            lines.extend(after.map(|after| line(&row.name, figure, after, limits)));
        }
    }
    lines
}

fn line<'r>(row: &'r str, a: &'r Figure, b: &'r Figure, limits: Limits) -> Line<'r> {
    let p = p_value(&a.samples, &b.samples);
    let grew = median(b) > median(a);
    let change = (median(b) - median(a)).abs() * 100.0;
    let small = change < limits.least_percent * median(a).abs();
    let verdict = match a.better {
        _ if small || p.is_none_or(|p| p > limits.alpha) => Verdict::Open,
        Better::Higher if grew => Verdict::Better,
        Better::Lower if !grew => Verdict::Better,
        _ => Verdict::Worse,
    };
    Line { row, a, b, p, verdict }
}

fn median(figure: &Figure) -> f64 {
    Spread::of(figure.samples.iter().copied()).map_or(f64::NAN, |spread| spread.median)
}

pub fn table(lines: &[Line]) -> Table {
    let mut table = Table::new(&["row", "figure", "A", "B", "B / A", "p", "B is"]);
    for line in lines {
        let spread = |figure: &Figure| show(Spread::of(figure.samples.iter().copied()), short);
        let ratio = median(line.b) / median(line.a);
        let verdict = match line.verdict {
            Verdict::Better => "better",
            Verdict::Worse => "WORSE",
            Verdict::Open => "",
        };
        table.push([
            line.row.to_owned(),
            line.a.name.clone(),
            spread(line.a),
            spread(line.b),
            if ratio.is_finite() { fixed(3)(ratio) } else { "-".to_owned() },
            line.p.map_or_else(|| "-".to_owned(), fixed(4)),
            verdict.to_owned(),
        ]);
    }
    table
}

/// Three digits at least.
fn short(value: f64) -> String {
    if value.abs() < 100.0 { fixed(2)(value) } else { whole(value) }
}

/// What the test of these lines can tell.
pub fn test_notes(lines: &[Line], limits: Limits) -> Vec<String> {
    let alpha = limits.alpha;
    let rounds = |figure: fn(&Line) -> usize| lines.iter().map(figure).max().unwrap_or(0);
    let (of_a, of_b) = (rounds(|line| line.a.samples.len()), rounds(|line| line.b.samples.len()));
    let mut notes = vec![format!(
        "Mann-Whitney U over {of_a} and {of_b} rounds, exact, two-sided; {} lines, of which about {:.0} have p <= {alpha} by \
         chance alone",
        lines.len(),
        lines.len() as f64 * alpha
    )];
    if let Some(least) = least_p(of_a, of_b) {
        let enough = if least > alpha { ": too few rounds to tell anything" } else { "" };
        notes.push(format!("the least p that so many rounds can give is {least:.4}{enough}"));
    }
    notes
}

fn run_notes(a: &Run, b: &Run) -> Vec<String> {
    let mut notes = Vec::new();
    if a.stage != b.stage {
        notes.push(format!("WARNING: the stages differ\n  A: {}\n  B: {}", a.stage, b.stage));
    }
    for (one, other, name) in [(a, b, "A"), (b, a, "B")] {
        let only = |row: &&Row| other.rows.iter().all(|theirs| theirs.name != row.name);
        let only: Vec<&str> = one.rows.iter().filter(only).map(|row| row.name.as_str()).collect();
        if !only.is_empty() {
            notes.push(format!("only in {name}: {}", only.join("; ")));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Limits, Run, Verdict, lines, run_notes, table, test_notes, worse};
    use crate::rows::Row;

    fn run(rows: Vec<Row>) -> Run {
        // As `--json` writes it and `diff` reads it.
        let text = json!({ "scenario": "x", "stage": {}, "rows": rows }).to_string();
        serde_json::from_str(&text).unwrap()
    }

    fn row(requests_per_s: &[f64], cpu_us: &[f64]) -> Row {
        Row::new("nginx")
            .higher("requests/s", requests_per_s.iter().copied())
            .lower("CPU us", cpu_us.iter().copied())
    }

    #[test]
    fn only_what_chance_does_not_explain_is_called_worse() {
        let a = run(vec![row(&[10.0, 11.0, 12.0, 13.0], &[4.0, 4.1, 4.2, 4.3]), Row::new("gone")]);
        let b = run(vec![row(&[14.0, 15.0, 16.0, 17.0], &[4.05, 4.4, 4.5, 4.6])]);
        let limits = |alpha, least_percent| Limits { alpha, least_percent };
        let verdicts = |a: &Run, b: &Run, alpha| -> Vec<Verdict> {
            lines(&a.rows, &b.rows, limits(alpha, 1.0)).iter().map(|line| line.verdict).collect()
        };
        // All four beyond all four: p is 2/70. The CPU time: 6/70.
        assert_eq!(verdicts(&a, &b, 0.05), [Verdict::Better, Verdict::Open]);
        assert_eq!(verdicts(&a, &b, 0.2), [Verdict::Better, Verdict::Worse]);
        assert_eq!(verdicts(&b, &a, 0.05), [Verdict::Worse, Verdict::Open]);
        assert_eq!(verdicts(&a, &b, 0.01), [Verdict::Open, Verdict::Open]);
        // The median rises from 11.5 to 15.5.
        assert_eq!(lines(&a.rows, &b.rows, limits(0.05, 40.0))[0].verdict, Verdict::Open);
        assert_eq!(worse(&lines(&a.rows, &b.rows, limits(0.2, 1.0))), 1);
        let lines = lines(&a.rows, &b.rows, limits(0.05, 1.0));
        let text = table(&lines).to_string();
        assert!(text.contains("0.0286") && text.contains("better"), "{text}");
        let notes = [test_notes(&lines, limits(0.01, 1.0)), run_notes(&a, &b)].concat().join("\n");
        assert!(notes.contains("too few rounds") && notes.contains("only in A: gone"), "{notes}");
    }
}
