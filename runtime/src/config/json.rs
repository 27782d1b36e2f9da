//! JSON as it was written: object keys in order and repeated ones kept, so that both can be
//! reported. Reading a document reports every fault with its path.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;

use super::problem::{Origin, Problems};
use super::source::nearest;

/// A value of a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl fmt::Display for Json {
    /// On one line, and without the members of arrays and objects: messages show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Array(_) => f.write_str("[...]"),
            Self::Object(_) => f.write_str("{...}"),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(serde_json::Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        while let Some(member) = members.next_element()? {
            array.push(member);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Json::Object(object))
    }
}

/// A value of a document and its path there: `services.demo.routes[0]`, empty for the document.
#[derive(Clone)]
pub(super) struct Place<'j> {
    pub(super) path: String,
    pub(super) json: &'j Json,
}

/// Reads places of one file and reports what is wrong with them.
pub(super) struct Reader<'p> {
    pub(super) origin: Origin,
    pub(super) problems: &'p mut Problems,
}

impl Reader<'_> {
    pub(super) fn refuse(&mut self, place: &Place<'_>, reason: impl Into<String>) {
        let value = Some(place.json.to_string());
        self.problems.error(place.path.as_str(), &self.origin, value, reason);
    }

    /// Reports that `name` should have been in `object`.
    pub(super) fn missing(&mut self, object: &Place<'_>, name: &str) {
        self.problems.error(member_path(&object.path, name), &self.origin, None, "is missing");
    }

    pub(super) fn warn(&mut self, path: &str, warning: &str) {
        self.problems.warn(format!("{path} ({}): {warning}", self.origin));
    }

    /// The members of an object of any keys, in order; repeated keys are reported and left out.
    pub(super) fn members<'j>(&mut self, place: &Place<'j>) -> Vec<(&'j str, Place<'j>)> {
        self.members_by(place, str::to_owned)
    }

    fn members_by<'j>(
        &mut self,
        place: &Place<'j>,
        identity: fn(&str) -> String,
    ) -> Vec<(&'j str, Place<'j>)> {
        let Json::Object(entries) = place.json else {
            self.refuse(place, "must be an object");
            return Vec::new();
        };
        let mut members = Vec::with_capacity(entries.len());
        let mut seen = HashSet::with_capacity(entries.len());
        for (name, json) in entries {
            let member = Place { path: member_path(&place.path, name), json };
            if seen.insert(identity(name)) {
                members.push((name.as_str(), member));
            } else {
                self.refuse(&member, "the key is there twice");
            }
        }
        members
    }

    /// An object with known keys, which are found in any case of their letters, as in Go. Unknown
    /// keys are reported. `null` is as good as nothing.
    pub(super) fn fields<'j>(&mut self, place: &Place<'j>, known: &[&str]) -> Fields<'j> {
        let mut fields = Vec::new();
        for (name, member) in self.members_by(place, str::to_ascii_lowercase) {
            match known.iter().find(|key| key.eq_ignore_ascii_case(name)) {
                Some(_) if *member.json == Json::Null => {}
                Some(_) => fields.push((name, member)),
                None => {
                    let hint = nearest(name, known.iter().copied())
                        .map_or_else(|| known.join(", "), |key| format!("is {key} meant?"));
                    self.refuse(&member, format!("the key is not known here: {hint}"));
                }
            }
        }
        Fields { object: place.clone(), fields }
    }

    pub(super) fn text<'j>(&mut self, place: &Place<'j>) -> Option<&'j str> {
        match place.json {
            Json::Text(text) => Some(text),
            _ => {
                self.refuse(place, "must be a string");
                None
            }
        }
    }

    pub(super) fn array<'j>(&mut self, place: &Place<'j>) -> Vec<Place<'j>> {
        let Json::Array(members) = place.json else {
            self.refuse(place, "must be an array");
            return Vec::new();
        };
        let member = |(index, json)| Place { path: format!("{}[{index}]", place.path), json };
        members.iter().enumerate().map(member).collect()
    }

    /// A field's text, which must be there and not empty.
    pub(super) fn required_text<'j>(
        &mut self,
        fields: &Fields<'j>,
        name: &str,
    ) -> Option<(&'j str, Place<'j>)> {
        let Some(place) = fields.get(name) else {
            self.missing(&fields.object, name);
            return None;
        };
        let text = self.text(&place)?;
        if text.is_empty() {
            self.refuse(&place, "must not be empty");
            return None;
        }
        Some((text, place))
    }
}

/// The known members of an object.
pub(super) struct Fields<'j> {
    pub(super) object: Place<'j>,
    fields: Vec<(&'j str, Place<'j>)>,
}

impl<'j> Fields<'j> {
    pub(super) fn get(&self, name: &str) -> Option<Place<'j>> {
        let same = |(key, _): &&(&str, Place<'j>)| key.eq_ignore_ascii_case(name);
        self.fields.iter().find(same).map(|(_, place)| place.clone())
    }
}

fn member_path(object: &str, name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let dot = if object.is_empty() { "" } else { "." };
    if !name.is_empty() && name.bytes().all(plain) {
        format!("{object}{dot}{name}")
    } else {
        format!("{object}{dot}{name:?}")
    }
}
