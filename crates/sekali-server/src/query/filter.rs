//! Which events a reader is looking for: conditions on single events, all of which must hold.

mod ascii;
mod builder;
mod name;
mod number;
mod parameter;
mod path;
mod pattern;
mod place;
mod text;
mod topics;
mod wanted;

use std::ops::RangeInclusive;

use sekali_store::StoredEvent;

use self::place::PlaceConditions;
pub use builder::{FilterBuilder, WrongFilter};
use name::NameConditions;
pub(super) use number::parse_number;
pub use parameter::{FILTER_PARAMETERS, is_filter};
pub(crate) use path::{Path, append_path_name};
pub use text::TextSearch;
pub use topics::TopicConditions;

/// Conditions on an event beside its topic. Without any, every event matches.
#[derive(Debug, Default)]
pub struct Filter {
    /// Its timestamp is this or later: nanoseconds since 1970-01-01T00:00:00Z.
    pub since_ns: Option<i64>,
    /// Its timestamp is earlier than this.
    pub until_ns: Option<i64>,
    source: NameConditions,
    pub(in crate::query) event_id: NameConditions,
    places: Vec<PlaceConditions>,
    /// One of these places is in the payload.
    has: Vec<Path>,
    /// None of these is.
    has_not: Vec<Path>,
    /// One of these texts is anywhere in the payload.
    text: Vec<TextSearch>,
    /// None of these is.
    text_not: Vec<TextSearch>,
}

impl Filter {
    /// The timestamps that it lets pass, and no others that it does not.
    pub fn timestamps_ns(&self) -> RangeInclusive<i64> {
        let last = self.until_ns.map_or(i64::MAX, |until| until.saturating_sub(1));
        self.since_ns.unwrap_or(i64::MIN)..=last
    }

    /// Whether every event matches.
    pub fn is_empty(&self) -> bool {
        let Self { since_ns, until_ns, source, event_id, places, has, has_not, text, text_not } = self;
        since_ns.is_none()
            && until_ns.is_none()
            && source.is_empty()
            && event_id.is_empty()
            && places.is_empty()
            && has.is_empty()
            && has_not.is_empty()
            && text.is_empty()
            && text_not.is_empty()
    }

    /// Whether all conditions hold. Cheap ones are looked at first.
    pub fn matches(&self, event: &StoredEvent) -> bool {
        self.since_ns.is_none_or(|since| event.timestamp_ns >= since)
            && self.until_ns.is_none_or(|until| event.timestamp_ns < until)
            && self.source.hold(&event.source)
            && self.event_id.hold(&event.event_id)
            && self.places.iter().all(|place| place.hold(&event.payload))
            && (self.has.is_empty() || self.has.iter().any(|path| path.find(&event.payload).is_some()))
            && self.has_not.iter().all(|path| path.find(&event.payload).is_none())
            && (self.text.is_empty() || self.text.iter().any(|text| text.is_in(&event.payload)))
            && !self.text_not.iter().any(|text| text.is_in(&event.payload))
    }
}

#[cfg(test)]
mod tests;
