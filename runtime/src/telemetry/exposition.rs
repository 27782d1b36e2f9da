//! Writes the Prometheus text format, version 0.0.4: families of samples, each announced once.
//!
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>. A family whose names are
//! taken is refused, so that no two series can have the same name and labels.

use std::collections::HashSet;
use std::fmt::Write;

/// What the values of a family mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
}

/// The text so far and the names that it uses.
#[derive(Debug, Default)]
pub(super) struct Exposition {
    text: String,
    names: HashSet<String>,
}

/// A family that is open for samples. It appears in the text with its first one.
#[derive(Debug)]
pub(super) struct Family<'e> {
    text: &'e mut String,
    name: &'e str,
    kind: Kind,
    help: &'e str,
    announced: bool,
}

impl Exposition {
    /// Opens a family of this name, or none if it would use a name that another one uses.
    pub(super) fn family<'e>(
        &'e mut self,
        name: &'e str,
        kind: Kind,
        help: &'e str,
    ) -> Option<Family<'e>> {
        let suffixes = kind.suffixes().iter().map(|suffix| format!("{name}{suffix}"));
        let names: Vec<_> = suffixes.collect();
        if names.iter().any(|name| self.names.contains(name)) {
            return None;
        }
        self.names.extend(names);
        Some(Family { text: &mut self.text, name, kind, help, announced: false })
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

impl Family<'_> {
    /// Adds one sample under the family's name and a suffix that belongs to its kind.
    pub(super) fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: f64) {
        self.announce();
        self.text.push_str(self.name);
        self.text.push_str(suffix);
        write_labels(self.text, labels);
        self.text.push(' ');
        write_number(self.text, value);
        self.text.push('\n');
    }

    fn announce(&mut self) {
        if !self.announced {
            self.announced = true;
            let (name, kind) = (self.name, self.kind.name());
            let help = self.help.replace('\\', "\\\\").replace('\n', "\\n");
            // Writing to a string cannot fail.
            let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        }
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
        }
    }

    /// What the names of the family's samples end in.
    fn suffixes(self) -> &'static [&'static str] {
        match self {
            Kind::Counter | Kind::Gauge => &[""],
            Kind::Histogram => &["", "_bucket", "_sum", "_count"],
            Kind::Summary => &["", "_sum", "_count"],
        }
    }
}

/// A name that the format allows: bytes it does not allow become `_`, as the underscore escaping of
/// Prometheus' own libraries has it. Guests may create metrics whose names begin with a digit.
pub(super) fn metric_name(name: &str) -> String {
    let allowed = |(index, character): (usize, char)| match character {
        'a'..='z' | 'A'..='Z' | '_' | ':' => character,
        '0'..='9' if index > 0 => character,
        _ => '_',
    };
    name.chars().enumerate().map(allowed).collect()
}

/// A number as the format wants it, also where it stands in a label (`le`, `quantile`).
pub(super) fn write_number(text: &mut String, value: f64) {
    if value.is_infinite() {
        text.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else {
        // Rust writes the shortest digits that read back the same, and `NaN` as the format does.
        let _ = write!(text, "{value}");
    }
}

fn write_labels(text: &mut String, labels: &[(&str, &str)]) {
    for (index, (name, value)) in labels.iter().enumerate() {
        text.push(if index == 0 { '{' } else { ',' });
        text.push_str(name);
        text.push_str("=\"");
        for character in value.chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                _ => text.push(character),
            }
        }
        text.push('"');
    }
    if !labels.is_empty() {
        text.push('}');
    }
}

#[cfg(test)]
mod tests {
    use super::{Exposition, Kind, metric_name};

    #[test]
    fn a_family_is_announced_once_and_only_with_samples() {
        let mut exposition = Exposition::default();
        let mut family = exposition.family("calls", Kind::Counter, "Calls\nso \\ far").unwrap();
        family.sample("", &[("path", "a\\b\"c\nd"), ("method", "GET")], 3.0);
        family.sample("", &[], f64::INFINITY);
        assert!(exposition.family("empty", Kind::Gauge, "Nothing").is_some());
        let expected = "# HELP calls Calls\\nso \\\\ far\n# TYPE calls counter\n\
             calls{path=\"a\\\\b\\\"c\\nd\",method=\"GET\"} 3\ncalls +Inf\n";
        assert_eq!(exposition.into_text(), expected);
    }

    #[test]
    fn a_taken_name_is_refused() {
        let mut exposition = Exposition::default();
        let mut check = |name, kind, free| {
            assert_eq!(exposition.family(name, kind, "").is_some(), free, "{name}");
        };
        check("latency", Kind::Histogram, true);
        check("latency", Kind::Counter, false);
        check("latency_count", Kind::Counter, false);
        check("latency_bucket", Kind::Gauge, false);
        check("size", Kind::Summary, true);
        check("size_bucket", Kind::Counter, true);
        check("free_sum", Kind::Counter, true);
        check("free", Kind::Summary, false);
    }

    #[test]
    fn names_are_made_valid() {
        let check = |name, expected| assert_eq!(metric_name(name), expected);
        check("plain_name:x9", "plain_name:x9");
        check("9lives", "_lives");
        check("a-b c", "a_b_c");
        check("", "");
    }
}
