//! Prometheus' text format, version 0.0.4.
//!
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use super::{Family, number, write_escaped, write_labels};

pub(super) fn write(families: &[Family]) -> String {
    let mut text = String::new();
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        text.push_str(&format!("# HELP {} ", family.name));
        write_escaped(&mut text, family.help, false);
        text.push_str(&format!("\n# TYPE {} {}\n", family.name, family.kind.name()));
        for sample in &family.samples {
            for line in sample.value.lines() {
                text.push_str(&family.name);
                text.push_str(line.suffix);
                let label = line.label.map(|(name, value)| (name, number::go(value).into()));
                write_labels(&mut text, sample, label);
                text.push(' ');
                text.push_str(&number::go(line.value));
                text.push('\n');
            }
        }
    }
    text
}
