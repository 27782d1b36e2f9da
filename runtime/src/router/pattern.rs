//! One route pattern: httprouter's syntax, checked, and its translation for the tree.
//!
//! `:name` takes the rest of its segment, at least one byte, and may follow fixed text
//! (`/img-:name`); `*name` takes the rest of the path, may be empty, and is a whole last segment.

use std::collections::HashSet;

use super::path::decode;

/// Longer patterns are typing errors: a request line that long would be refused.
const PATTERN_BYTES_MAX: usize = 4096;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) text: String,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Fixed(String),
    /// Fixed text, then the parameter's name.
    Parameter(String, String),
    CatchAll(String),
}

impl Pattern {
    /// Parses `text`, or says what is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        check_characters(text)?;
        let Some(rest) = text.strip_prefix('/') else {
            return Err("a path starts with `/`".to_owned());
        };
        let segments = rest.split('/').map(parse_segment).collect::<Result<Vec<_>, _>>()?;
        check_order(&segments)?;
        Ok(Self { text: text.to_owned(), segments })
    }

    /// The same pattern in the tree's syntax. A catch-all is two entries, because the tree's own
    /// does not take an empty rest.
    pub(super) fn tree_patterns(&self) -> Vec<String> {
        let mut pattern = String::with_capacity(self.text.len() + 8);
        let mut patterns = Vec::with_capacity(2);
        for segment in &self.segments {
            pattern.push('/');
            match segment {
                Segment::Fixed(text) => push_escaped(&mut pattern, text),
                Segment::Parameter(prefix, name) => {
                    push_escaped(&mut pattern, prefix);
                    pattern.extend(["{", name, "}"]);
                }
                Segment::CatchAll(name) => {
                    patterns.push(pattern.clone());
                    pattern.extend(["{*", name, "}"]);
                }
            }
        }
        patterns.push(pattern);
        patterns
    }

    /// The pattern that matches the same paths in lower case.
    pub(super) fn to_lower_case(&self) -> Self {
        let lower = |segment: &Segment| match segment {
            Segment::Fixed(text) => Segment::Fixed(text.to_ascii_lowercase()),
            Segment::Parameter(prefix, name) => {
                Segment::Parameter(prefix.to_ascii_lowercase(), name.clone())
            }
            Segment::CatchAll(name) => Segment::CatchAll(name.clone()),
        };
        Self { text: self.text.clone(), segments: self.segments.iter().map(lower).collect() }
    }

    /// Each parameter as (all that stands before it, without the names of other parameters; its
    /// own name): two patterns that agree on the first must agree on the second.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (String, &str)> {
        let mut before = String::new();
        self.segments.iter().filter_map(move |segment| {
            before.push('/');
            let (prefix, name) = match segment {
                Segment::Fixed(text) => (text, None),
                Segment::Parameter(prefix, name) => (prefix, Some(name.as_str())),
                Segment::CatchAll(_) => return None,
            };
            before.push_str(prefix);
            let place = before.clone();
            if name.is_some() {
                // No fixed text has a colon.
                before.push(':');
            }
            name.map(|name| (place, name))
        })
    }

    /// Does a path that starts with the segment `first` fit, whatever follows it?
    pub(super) fn may_start_with(&self, first: &str) -> bool {
        self.segments.first().is_some_and(|segment| segment.fits(first))
    }

    /// Does the whole decoded `path` fit?
    pub(super) fn fits(&self, path: &str) -> bool {
        self.respell_with(path, Segment::fits).is_some()
    }

    /// `path` with this pattern's fixed text, if it fits but for the case of ASCII letters.
    pub(super) fn respell(&self, path: &str) -> Option<String> {
        self.respell_with(path, Segment::fits_any_case)
    }

    fn respell_with(&self, path: &str, fits: fn(&Segment, &str) -> bool) -> Option<String> {
        let mut rest = path.strip_prefix('/');
        let mut respelled = String::with_capacity(path.len());
        for segment in &self.segments {
            let left = rest?;
            let (part, after) = match (segment, left.split_once('/')) {
                (Segment::CatchAll(_), _) | (_, None) => (left, None),
                (_, Some((part, after))) => (part, Some(after)),
            };
            if !fits(segment, part) {
                return None;
            }
            respelled.push('/');
            respelled.push_str(segment.fixed_text());
            respelled.push_str(part.get(segment.fixed_text().len()..)?);
            rest = after;
        }
        rest.is_none().then_some(respelled)
    }
}

impl Segment {
    fn fixed_text(&self) -> &str {
        match self {
            Self::Fixed(text) | Self::Parameter(text, _) => text,
            Self::CatchAll(_) => "",
        }
    }

    fn fits(&self, part: &str) -> bool {
        match self {
            Self::Fixed(text) => part == text,
            Self::Parameter(prefix, _) => part.len() > prefix.len() && part.starts_with(prefix),
            Self::CatchAll(_) => true,
        }
    }

    fn fits_any_case(&self, part: &str) -> bool {
        let starts_with = |text: &str| {
            part.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text))
        };
        match self {
            Self::Fixed(text) => part.eq_ignore_ascii_case(text),
            Self::Parameter(prefix, _) => part.len() > prefix.len() && starts_with(prefix),
            Self::CatchAll(_) => true,
        }
    }
}

fn push_escaped(pattern: &mut String, text: &str) {
    for character in text.chars() {
        if matches!(character, '{' | '}') {
            pattern.push(character);
        }
        pattern.push(character);
    }
}

fn check_characters(text: &str) -> Result<(), String> {
    if text.len() > PATTERN_BYTES_MAX {
        return Err(format!("a path has at most {PATTERN_BYTES_MAX} bytes"));
    }
    if text.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER) {
        return Err("a path has no control characters".to_owned());
    }
    if text.contains(['?', '#']) {
        return Err("a path has no query and no fragment: the query is not matched".to_owned());
    }
    let is_escape = |window: &[u8]| window[0] == b'%' && decode(window).is_some();
    if text.as_bytes().windows(3).any(is_escape) {
        return Err(
            "a path is matched after percent-decoding: write the character itself".to_owned()
        );
    }
    Ok(())
}

fn parse_segment(segment: &str) -> Result<Segment, String> {
    let Some(at) = segment.find([':', '*']) else {
        return Ok(Segment::Fixed(segment.to_owned()));
    };
    let (prefix, parameter) = segment.split_at(at);
    let (kind, name) = parameter.split_at(1);
    if name.contains([':', '*']) {
        return Err(format!("only one parameter per segment is possible: `{segment}` has more"));
    }
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || !name.chars().all(valid) {
        return Err(format!(
            "`{segment}`: a parameter's name has letters, digits, `_`, `-` and `.`"
        ));
    }
    match (kind, prefix) {
        (":", prefix) => Ok(Segment::Parameter(prefix.to_owned(), name.to_owned())),
        (_, "") => Ok(Segment::CatchAll(name.to_owned())),
        _ => Err(format!("`{segment}`: `*{name}` must follow a `/`")),
    }
}

fn check_order(segments: &[Segment]) -> Result<(), String> {
    let mut names = HashSet::new();
    for (index, segment) in segments.iter().enumerate() {
        let last = index + 1 == segments.len();
        match segment {
            Segment::CatchAll(name) if !last => {
                return Err(format!("`*{name}` takes the rest of the path: nothing can follow it"));
            }
            Segment::Parameter(_, name) | Segment::CatchAll(name) if !names.insert(name) => {
                return Err(format!("two parameters are called `{name}`"));
            }
            Segment::Fixed(text) if text.is_empty() && !last => {
                return Err("a path has no empty segment (`//`)".to_owned());
            }
            _ => {}
        }
    }
    Ok(())
}
