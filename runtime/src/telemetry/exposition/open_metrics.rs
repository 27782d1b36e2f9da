//! The text format of OpenMetrics, version 1.0.0.
//!
//! Source: <https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md>. There a counter's family
//! has a name without `_total` and its samples have one with it. A counter of a guest that is called otherwise is shown as
//! of unknown type, so that its series have the same name in every format.

use super::{Family, Kind, number, write_escaped, write_labels};
use std::collections::HashSet;

/// Units that our names end in.
const UNITS: [&str; 2] = ["seconds", "bytes"];
const TOTAL: &str = "_total";

pub(super) fn write(families: &[Family]) -> String {
    let mut text = String::new();
    let names: HashSet<&str> = families.iter().map(|family| family.name.as_str()).collect();
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        let (name, kind) = announced(family, &names);
        text.push_str(&format!("# TYPE {name} {kind}\n"));
        if let Some(unit) = unit(name) {
            text.push_str(&format!("# UNIT {name} {unit}\n"));
        }
        text.push_str(&format!("# HELP {name} "));
        write_escaped(&mut text, family.help, true);
        text.push('\n');
        for sample in &family.samples {
            for line in sample.value.lines() {
                text.push_str(&family.name);
                text.push_str(line.suffix);
                let label = line.label.map(|(name, value)| (name, number::canonical(value).into()));
                write_labels(&mut text, sample, label);
                text.push(' ');
                text.push_str(&number::go(line.value));
                text.push('\n');
            }
        }
    }
    text.push_str("# EOF\n");
    text
}

/// The name and the type that a family is announced under.
fn announced<'f>(family: &'f Family, names: &HashSet<&str>) -> (&'f str, &'static str) {
    if family.kind != Kind::Counter {
        return (&family.name, family.kind.name());
    }
    match family.name.strip_suffix(TOTAL) {
        Some(name) if !name.is_empty() && !names.contains(name) => (name, Kind::Counter.name()),
        _ => (&family.name, "unknown"),
    }
}

fn unit(name: &str) -> Option<&'static str> {
    let (_, last) = name.rsplit_once('_')?;
    UNITS.into_iter().find(|unit| *unit == last)
}
