//! Which events a reader is looking for: conditions on single events, all of which must hold.

mod ascii;
mod condition;
mod path;
mod text;

use std::ops::RangeInclusive;

use sekali_store::StoredEvent;

pub use condition::Condition;
pub use text::TextSearch;

/// Conditions on an event. Without any, every event matches.
#[derive(Debug, Default)]
pub struct Filter {
    /// Its timestamp is this or later: nanoseconds since 1970-01-01T00:00:00Z.
    pub since_ns: Option<i64>,
    /// Its timestamp is earlier than this.
    pub until_ns: Option<i64>,
    /// It has exactly this source.
    pub source: Option<String>,
    /// It has exactly this id.
    pub event_id: Option<String>,
    /// Conditions on places in its payload.
    pub payload: Vec<Condition>,
    /// Text anywhere in its payload.
    pub text: Option<TextSearch>,
}

impl Filter {
    /// The timestamps that it lets pass, and no others that it does not.
    pub fn timestamps_ns(&self) -> RangeInclusive<i64> {
        let last = self.until_ns.map_or(i64::MAX, |until| until.saturating_sub(1));
        self.since_ns.unwrap_or(i64::MIN)..=last
    }

    /// Whether every event matches.
    pub fn is_empty(&self) -> bool {
        let Self { since_ns, until_ns, source, event_id, payload, text } = self;
        since_ns.is_none()
            && until_ns.is_none()
            && source.is_none()
            && event_id.is_none()
            && payload.is_empty()
            && text.is_none()
    }

    /// Whether all conditions hold. Cheap ones are looked at first.
    pub fn matches(&self, event: &StoredEvent) -> bool {
        self.since_ns.is_none_or(|since| event.timestamp_ns >= since)
            && self.until_ns.is_none_or(|until| event.timestamp_ns < until)
            && self.source.as_ref().is_none_or(|source| *source == event.source)
            && self.event_id.as_ref().is_none_or(|event_id| *event_id == event.event_id)
            && self.payload.iter().all(|condition| condition.holds(&event.payload))
            && self.text.as_ref().is_none_or(|text| text.is_in(&event.payload))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn damaged_payloads_neither_panic_nor_hang(
            tokens in proptest::collection::vec(
                proptest::sample::select(&["{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\\", "\\u00", "5", "-", "tru", " ", "\u{7f}"][..]),
                0..20,
            ),
        ) {
            let payload = tokens.concat();
            for path in ["a", "0", "a.0", "18446744073709551615"] {
                Condition::parse(path, "5").unwrap().holds(payload.as_bytes());
            }
            TextSearch::new("A\"").is_in(payload.as_bytes());
        }
    }
}
