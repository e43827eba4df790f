//! Which events a reader is looking for: conditions on single events, all of which must hold.

mod ascii;
mod builder;
mod name;
mod number;
mod parameter;
mod path;
mod pattern;
mod payload;
mod place;
mod text;
mod topics;
mod wanted;

use std::ops::RangeInclusive;
use std::sync::Arc;

use sekali_store::{EventView, PayloadConditions, Unread};

pub use builder::{FilterBuilder, WrongFilter};
use name::NameConditions;
pub(crate) use number::parse_number;
pub use parameter::{FILTER_PARAMETERS, is_filter};
pub(crate) use path::Path;
use payload::PayloadFilter;
pub use text::TextSearch;
pub use topics::TopicConditions;

/// Conditions on an event beside its topic. Without any, every event matches.
#[derive(Debug, Default)]
pub struct Filter {
    /// Its timestamp is this or later: nanoseconds since 1970-01-01T00:00:00Z.
    pub since_ns: Option<i64>,
    /// Its timestamp is earlier than this.
    pub until_ns: Option<i64>,
    pub(in crate::query) event_id: NameConditions,
    payload: Arc<PayloadFilter>,
}

impl Filter {
    /// The timestamps that it lets pass, and no others that it does not.
    pub fn timestamps_ns(&self) -> RangeInclusive<i64> {
        let last = self.until_ns.map_or(i64::MAX, |until| until.saturating_sub(1));
        self.since_ns.unwrap_or(i64::MIN)..=last
    }

    /// Whether every event matches.
    pub fn is_empty(&self) -> bool {
        let Self { since_ns, until_ns, event_id, payload } = self;
        since_ns.is_none() && until_ns.is_none() && event_id.is_empty() && payload.is_empty()
    }

    /// The columns that it does not look at, payloads left aside: see [`Filter::conditions`].
    pub(super) fn unread(&self) -> Unread {
        Unread { event_ids: self.event_id.is_empty(), sources: self.payload.source.is_empty(), payloads: true }
    }

    /// The conditions on payloads and sources, if there are any.
    pub(crate) fn conditions(&self) -> Option<Arc<dyn PayloadConditions>> {
        if self.payload.is_empty() { None } else { Some(Arc::<PayloadFilter>::clone(&self.payload)) }
    }

    /// Whether all conditions hold. Cheap ones are looked at first.
    pub fn matches(&self, event: &EventView<'_>) -> bool {
        self.matches_beside_payload(event) && self.payload.holds(event.payload)
    }

    /// Whether all conditions hold but those on the payload.
    pub(super) fn matches_beside_payload(&self, event: &EventView<'_>) -> bool {
        self.since_ns.is_none_or(|since| event.timestamp_ns >= since)
            && self.until_ns.is_none_or(|until| event.timestamp_ns < until)
            && self.payload.source.hold(event.source)
            && self.event_id.hold(event.event_id)
    }
}

#[cfg(test)]
mod tests;
