//! All conditions of a query on payloads, on whole ones or on single members of them, and on
//! sources: the engine keeps columns of these.

use sekali_store::{Need, PayloadConditions, Texting};
use sekali_wire::json::append_string;

use super::path::Path;
use super::place::PlaceConditions;
use super::{NameConditions, TextSearch};

/// Conditions on payloads and sources, all of which must hold.
#[derive(Debug, Default)]
pub(in crate::query) struct PayloadFilter {
    pub(super) source: NameConditions,
    pub(super) places: Vec<PlaceConditions>,
    /// One of these places is in the payload.
    pub(super) has: Vec<Path>,
    /// None of these is.
    pub(super) has_not: Vec<Path>,
    /// One of these texts is anywhere in the payload.
    pub(super) text: Vec<TextSearch>,
    /// None of these is.
    pub(super) text_not: Vec<TextSearch>,
}

/// A condition on the value at one path.
enum MemberCondition<'a> {
    Source(&'a NameConditions),
    Place(&'a PlaceConditions),
    Has(&'a Path),
    HasNot(&'a Path),
}

impl MemberCondition<'_> {
    fn path(&self) -> String {
        match self {
            Self::Source(_) => String::new(),
            Self::Place(place) => place.path().text(),
            Self::Has(path) | Self::HasNot(path) => path.text(),
        }
    }

    /// Of a payload that meets it, one of these is at the path. `None` where that cannot be told.
    fn needs(&self) -> Option<Vec<Need>> {
        if let Self::Place(place) = self { place.needs() } else { None }
    }

    fn holds(&self, value: Option<&[u8]>) -> bool {
        match self {
            Self::Source(source) => {
                value.and_then(|text| std::str::from_utf8(text).ok()).is_some_and(|text| source.hold(text))
            }
            Self::Place(place) => place.hold_for(value),
            Self::Has(_) => value.is_some(),
            Self::HasNot(_) => value.is_none(),
        }
    }
}

impl PayloadFilter {
    /// Whether every payload and every source passes.
    pub(super) fn is_empty(&self) -> bool {
        self.source.is_empty() && !self.ask_payloads()
    }

    /// Whether all conditions on payloads hold. Cheap ones are looked at first.
    pub(super) fn holds(&self, payload: &[u8]) -> bool {
        self.places.iter().all(|place| place.hold(payload))
            && (self.has.is_empty() || self.has.iter().any(|path| path.find(payload).is_some()))
            && self.has_not.iter().all(|path| path.find(payload).is_none())
            && (self.text.is_empty() || self.text.iter().any(|text| text.is_in(payload)))
            && !self.text_not.iter().any(|text| text.is_in(payload))
    }

    fn searches(&self, kind: Texting) -> &[TextSearch] {
        match kind {
            Texting::Any => &self.text,
            Texting::None => &self.text_not,
        }
    }

    /// The conditions that each concern one path.
    fn by_path(&self) -> impl Iterator<Item = MemberCondition<'_>> {
        let only = if let [path] = self.has.as_slice() { Some(path) } else { None };
        let source = Some(&self.source).filter(|source| !source.is_empty()).map(MemberCondition::Source);
        let places = self.places.iter().map(MemberCondition::Place);
        source
            .into_iter()
            .chain(places)
            .chain(self.has_not.iter().map(MemberCondition::HasNot))
            .chain(only.map(MemberCondition::Has))
    }
}

impl PayloadConditions for PayloadFilter {
    fn paths(&self) -> Vec<String> {
        self.by_path().map(|condition| condition.path()).collect()
    }

    fn hold(&self, number: usize, value: Option<&[u8]>) -> bool {
        self.by_path().nth(number).is_none_or(|condition| condition.holds(value))
    }

    fn ask_payloads(&self) -> bool {
        let Self { source: _, places, has, has_not, text, text_not } = self;
        !(places.is_empty() && has.is_empty() && has_not.is_empty() && text.is_empty() && text_not.is_empty())
    }

    fn needs(&self, number: usize) -> Option<Vec<Need>> {
        self.by_path().nth(number)?.needs()
    }

    fn texts(&self, kind: Texting) -> Vec<Vec<u8>> {
        self.searches(kind).iter().map(|search| search.text().to_vec()).collect()
    }

    fn has_text(&self, kind: Texting, value: &[u8]) -> bool {
        self.searches(kind).iter().any(|text| text.is_in(value))
    }

    fn may_name(&self, kind: Texting, path: &str) -> bool {
        let (mut names, mut chars) = (String::new(), path.chars());
        while let Some(char) = chars.next() {
            names.extend(if char == '\\' { chars.next() } else { Some(char) });
        }
        let mut quoted = Vec::new();
        append_string(&mut quoted, &names);
        self.has_text(kind, &quoted)
    }

    fn are_all(&self) -> bool {
        self.has.len() <= 1
    }
}
