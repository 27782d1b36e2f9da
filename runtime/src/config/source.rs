//! Where settings come from: the environment over the demo's defaults over the table's.

use std::collections::HashMap;

use super::keys::KEYS;
use super::kind::Kind;
use super::problem::{Origin, Problems};

const PREFIX: &str = "APP_";

/// A misspelled name differs from the right one by no more edits.
const EDITS_MAX: usize = 4;

/// One setting's value and where it was found.
pub(super) struct Setting<T> {
    pub(super) value: T,
    pub(super) key: &'static str,
    pub(super) origin: Origin,
    /// As it was written; none if that may not be shown.
    text: Option<String>,
}

impl<T> Setting<T> {
    /// Set by somebody, even if to what is the default.
    pub(super) fn is_explicit(&self) -> bool {
        matches!(self.origin, Origin::Environment(_) | Origin::File(_))
    }

    /// Reports that the value, though well written, cannot be used.
    pub(super) fn refuse(&self, reason: impl Into<String>, problems: &mut Problems) {
        problems.error(self.key, &self.origin, self.text.clone(), reason);
    }

    pub(super) fn warn(&self, warning: &str, problems: &mut Problems) {
        problems.warn(format!("{} ({}): {warning}", self.key, self.origin));
    }
}

/// What was written for each setting.
pub(super) struct Source {
    texts: HashMap<&'static str, (String, Origin)>,
    /// Directories for caches by the XDG convention and of the user, if they are set.
    pub(super) xdg_cache_home: Option<String>,
    pub(super) home: Option<String>,
}

impl Source {
    /// Takes the settings out of an environment; `demo` has defaults of its own.
    pub(super) fn new(
        environment: impl IntoIterator<Item = (String, String)>,
        demo: Vec<(&'static str, String)>,
        problems: &mut Problems,
    ) -> Self {
        let texts = demo.into_iter().map(|(name, text)| (name, (text, Origin::Demo))).collect();
        let mut source = Self { texts, xdg_cache_home: None, home: None };
        let mut unknown = Vec::new();
        for (variable, text) in environment {
            match variable.as_str() {
                "XDG_CACHE_HOME" => source.xdg_cache_home = Some(text),
                "HOME" => source.home = Some(text),
                _ if !variable.starts_with(PREFIX) => {}
                _ => match KEYS.iter().find(|key| key.variable() == variable) {
                    Some(key) => {
                        source.texts.insert(key.name, (text, Origin::Environment(variable)));
                    }
                    None => unknown.push(variable),
                },
            }
        }
        // An environment has no order, messages should have one.
        unknown.sort();
        unknown.iter().for_each(|variable| warn_unknown(variable, problems));
        source
    }

    /// Reads one setting; one that is wrong is reported and has its default.
    pub(super) fn read<K: Kind>(
        &self,
        key: &'static str,
        kind: &K,
        problems: &mut Problems,
    ) -> Setting<K::Value> {
        let shown = |text: &str| kind.shown(text);
        let Some((text, origin)) = self.texts.get(key) else {
            let (value, text) = (kind.default(), shown(&kind.default_text()));
            return Setting { value, key, origin: Origin::Default, text };
        };
        let value = kind.parse(text).unwrap_or_else(|reason| {
            problems.error(key, origin, shown(text), reason);
            kind.default()
        });
        Setting { value, key, origin: origin.clone(), text: shown(text) }
    }

    /// The variable that sets a setting, if one does.
    pub(super) fn variable(&self, key: &str) -> Option<&str> {
        match self.texts.get(key) {
            Some((_, Origin::Environment(variable))) => Some(variable),
            _ => None,
        }
    }
}

fn warn_unknown(variable: &str, problems: &mut Problems) {
    let names: Vec<String> = KEYS.iter().map(|key| key.variable()).collect();
    let hint = nearest(variable, names.iter().map(String::as_str))
        .map_or_else(String::new, |name| format!("; is {name} meant?"));
    problems.warn(format!("{variable} is not a setting{hint}"));
}

/// The name that `written` probably was to be.
pub(super) fn nearest<'n>(
    written: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    let distance = |name: &str| strsim::osa_distance(written, name);
    let (edits, name) = names.into_iter().map(|name| (distance(name), name)).min()?;
    // Half of a short name changed makes another name.
    (edits <= EDITS_MAX && edits * 3 <= written.len()).then_some(name)
}
