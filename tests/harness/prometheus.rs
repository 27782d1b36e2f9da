//! A reader of Prometheus' text format that shares nothing with the server's writer and forgives nothing.

use std::collections::BTreeMap;

/// One metric with all of its series.
#[derive(Debug, Clone, Default)]
pub struct Family {
    /// `counter`, `gauge`, `histogram` or `summary`.
    pub kind: String,
    pub samples: Vec<Sample>,
}

/// One line with a value.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The name as written, with `_sum`, `_count` or `_bucket`.
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

impl Family {
    /// The value of the one sample with this name and, among others, these labels.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let has = |sample: &Sample| {
            labels.iter().all(|&(key, value)| sample.labels.get(key).is_some_and(|v| v == value))
        };
        let mut found = self.samples.iter().filter(|sample| sample.name == name && has(sample));
        let value = found.next()?.value;
        assert!(found.next().is_none(), "{name} {labels:?} names several series");
        Some(value)
    }
}

/// Reads a page. Every sample must stand below the `# TYPE` line of its family, every series must be there once.
pub fn parse_metrics(page: &str) -> Result<BTreeMap<String, Family>, String> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current = String::new();
    if !page.is_empty() && !page.ends_with('\n') {
        return Err("the last line does not end".to_owned());
    }
    for line in page.lines() {
        let fail = |why: &str| format!("{why}: {line}");
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or_else(|| fail("no type"))?;
            check_name(name).map_err(|why| fail(&why))?;
            if !["counter", "gauge", "histogram", "summary", "untyped"].contains(&kind) {
                return Err(fail("unknown type"));
            }
            let family = Family { kind: kind.to_owned(), samples: Vec::new() };
            if families.insert(name.to_owned(), family).is_some() {
                return Err(fail("a family comes twice"));
            }
            name.clone_into(&mut current);
        } else if !line.starts_with('#') && !line.is_empty() {
            let sample = parse_sample(line).map_err(|why| fail(&why))?;
            let family = families.get_mut(&current).ok_or_else(|| fail("no type before it"))?;
            if !belongs(&sample.name, &current, &family.kind) {
                return Err(fail("not of the family above it"));
            }
            let same = |s: &Sample| s.name == sample.name && s.labels == sample.labels;
            if family.samples.iter().any(same) {
                return Err(fail("a series comes twice"));
            }
            family.samples.push(sample);
        }
    }
    Ok(families)
}

fn belongs(name: &str, family: &str, kind: &str) -> bool {
    let Some(suffix) = name.strip_prefix(family) else { return false };
    match kind {
        "histogram" => ["_bucket", "_sum", "_count"].contains(&suffix),
        "summary" => ["", "_sum", "_count"].contains(&suffix),
        _ => suffix.is_empty(),
    }
}

fn parse_sample(line: &str) -> Result<Sample, String> {
    let end = line.find(['{', ' ']).ok_or("no value")?;
    let name = &line[..end];
    check_name(name)?;
    let (labels, rest) = match line[end..].strip_prefix('{') {
        Some(rest) => parse_labels(rest)?,
        None => (BTreeMap::new(), &line[end..]),
    };
    let value = rest.strip_prefix(' ').ok_or("no space before the value")?;
    let value = match value {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        "NaN" => f64::NAN,
        number => number.parse().map_err(|_| "the value is no number")?,
    };
    Ok(Sample { name: name.to_owned(), labels, value })
}

/// Labels up to the closing brace, and what follows it.
fn parse_labels(text: &str) -> Result<(BTreeMap<String, String>, &str), String> {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    while !rest.starts_with('}') {
        let (key, value) = rest.split_once("=\"").ok_or("a label without a value")?;
        check_name(key)?;
        let mut read = String::new();
        let mut characters = value.char_indices();
        let end = loop {
            match characters.next().ok_or("a label's value does not end")? {
                (at, '"') => break at,
                (_, '\\') => read.push(match characters.next().map(|(_, escaped)| escaped) {
                    Some('n') => '\n',
                    Some(escaped @ ('"' | '\\')) => escaped,
                    _ => return Err("an unknown escape".to_owned()),
                }),
                (_, character) => read.push(character),
            }
        };
        if labels.insert(key.to_owned(), read).is_some() {
            return Err("a label comes twice".to_owned());
        }
        rest = &value[end + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    Ok((labels, &rest[1..]))
}

fn check_name(name: &str) -> Result<(), String> {
    let valid = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    valid.then_some(()).ok_or_else(|| format!("{name:?} is no name"))
}

#[cfg(test)]
mod tests {
    use super::parse_metrics;

    #[test]
    fn samples_have_labels_and_values() {
        let page = "# HELP a An a.\n# TYPE a counter\na 1\na{b=\"x\\\"y\\n\",c=\"\"} 2.5\n";
        let families = parse_metrics(page).unwrap();
        assert_eq!(families["a"].value("a", &[("b", "x\"y\n"), ("c", "")]), Some(2.5));
        assert_eq!(families["a"].samples.len(), 2);
    }

    #[test]
    fn what_prometheus_would_refuse_is_refused() {
        for page in [
            "a 1\n",
            "# TYPE a counter\na 1",
            "# TYPE a counter\na 1\na 1\n",
            "# TYPE a counter\na\n",
            "# TYPE a counter\na one\n",
            "# TYPE a counter\na{b=\"} 1\n",
            "# TYPE a counter\na{b=\"\\x\"} 1\n",
            "# TYPE a counter\na_sum 1\n",
            "# TYPE a summary\nab 1\n",
            "# TYPE 1a counter\n1a 1\n",
            "# TYPE a counter\n# TYPE a counter\n",
        ] {
            assert!(parse_metrics(page).is_err(), "{page:?}");
        }
    }
}
