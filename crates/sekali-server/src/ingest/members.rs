//! The members of a JSON object, by name.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::problem::excerpt;

/// The members of an event; the last two are added by the server.
pub(super) const EVENT: [&str; 7] = ["topic", "event_id", "timestamp", "source", "payload", "seq", "received_at"];
/// The members of an envelope.
pub(super) const ENVELOPE: [&str; 1] = ["events"];

/// The members of an object: those with known names as text, and the names of the others.
pub(super) struct Members<'a> {
    names: &'static [&'static str],
    values: Vec<Option<&'a str>>,
    /// Known names that come more than once.
    pub(super) repeated: Vec<&'static str>,
    /// Other names, shortened; the first [`UNKNOWN_LISTED_MAX`].
    pub(super) unknown: Vec<String>,
    /// Whether a name could not be read, so that members may be missing here.
    pub(super) unreadable: bool,
}

/// How many unknown names are kept.
pub(super) const UNKNOWN_LISTED_MAX: usize = 16;

impl<'a> Members<'a> {
    /// Takes apart `json`, which is a valid object.
    pub(super) fn of(json: &'a str, names: &'static [&'static str]) -> Self {
        let mut members = Self {
            names,
            values: vec![None; names.len()],
            repeated: Vec::new(),
            unknown: Vec::new(),
            unreadable: false,
        };
        let outcome = serde_json::Deserializer::from_str(json).deserialize_map(Collect(&mut members));
        members.unreadable = outcome.is_err();
        members
    }

    /// The text of a member.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        let at = self.names.iter().position(|&known| known == name)?;
        self.values.get(at).copied().flatten()
    }

    /// How many of the known names are there.
    pub(super) fn known(&self) -> usize {
        self.values.iter().flatten().count()
    }

    fn add(&mut self, name: &str, value: &'a str) {
        let Some(at) = self.names.iter().position(|&known| known == name) else {
            if self.unknown.len() < UNKNOWN_LISTED_MAX {
                self.unknown.push(excerpt(name));
            }
            return;
        };
        let (name, is_again) = (self.names[at], self.values[at].replace(value).is_some());
        if is_again && !self.repeated.contains(&name) {
            self.repeated.push(name);
        }
    }
}

struct Collect<'m, 'a>(&'m mut Members<'a>);

impl<'a> Visitor<'a> for Collect<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<Cow<'a, str>>()? {
            let value: &'a RawValue = members.next_value()?;
            self.0.add(&name, value.get());
        }
        Ok(())
    }
}
