//! Events of a row group, decoded: column by column, without the pages they came from.
//!
//! A column is one allocation whatever the number of its values. Events of their own, made from it
//! one at a time, are short-lived: a reader that takes thousands of events at once would otherwise
//! hold five allocations for each, between which memory that becomes free cannot be given back.

use super::select::Selected;
use super::table::TopicTable;
use crate::event::{EventRef, EventView, StoredEvent};

/// Bytes of an event beside its texts: its place, two times and where three texts end.
const EVENT_BYTES: usize = size_of::<Selected>() + 2 * size_of::<i64>() + 3 * size_of::<u32>();

/// Events in the order in which they were wanted. Columns that were not read are empty in each.
#[derive(Debug, Default)]
pub(crate) struct DecodedEvents {
    pub(super) topics: TopicTable,
    pub(super) order: Vec<Selected>,
    pub(super) event_ids: Option<Texts>,
    pub(super) sources: Option<Texts>,
    pub(super) payloads: Option<Values>,
    pub(super) timestamps_ns: Vec<i64>,
    pub(super) received_at_ns: Vec<i64>,
    /// Whether all of them are known to meet the conditions on payloads.
    pub(super) is_judged: bool,
    /// How many others were found not to meet them, up to the last of these.
    pub(super) passed: u64,
}

impl DecodedEvents {
    /// Number of events.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Bytes of memory, about.
    pub(crate) fn bytes(&self) -> usize {
        let texts = [&self.event_ids, &self.sources].into_iter().flatten().map(|texts| texts.text.capacity());
        let payloads = self.payloads.as_ref().map_or(0, |payloads| payloads.bytes.capacity());
        texts.sum::<usize>() + payloads + self.topics.bytes().len() + self.len() * EVENT_BYTES
    }

    /// Whether all of them are known to meet the conditions on payloads that were asked with them.
    pub(crate) fn is_judged(&self) -> bool {
        self.is_judged
    }

    /// How many other wanted events were found not to meet these conditions, up to the last event.
    pub(crate) fn passed(&self) -> u64 {
        self.passed
    }

    /// The seq of the last event.
    pub(crate) fn last_seq(&self) -> Option<u64> {
        self.order.last().map(|selected| selected.seq)
    }

    /// Seq, `received_at` and event of that number, in the wanted order.
    pub(crate) fn get(&self, number: usize) -> Option<(u64, i64, EventRef<'_>)> {
        let selected = self.order.get(number)?;
        let at = selected.at as usize;
        let event = EventRef {
            topic: self.topics.get(selected.topic as usize)?.0,
            event_id: self.event_ids.as_ref().map_or(Some(""), |texts| texts.get(at))?,
            timestamp_ns: *self.timestamps_ns.get(at)?,
            source: self.sources.as_ref().map_or(Some(""), |texts| texts.get(at))?,
            payload: self.payloads.as_ref().map_or(Some(&[][..]), |values| values.get(at))?,
        };
        Some((selected.seq, *self.received_at_ns.get(at)?, event))
    }

    /// The event of that number, in the wanted order.
    pub(crate) fn view(&self, number: usize) -> Option<EventView<'_>> {
        let (seq, received_at_ns, event) = self.get(number)?;
        let EventRef { topic, event_id, timestamp_ns, source, payload } = event;
        Some(EventView { seq, received_at_ns, topic, event_id, timestamp_ns, source, payload })
    }

    /// The seq of the event of that number.
    pub(crate) fn seq(&self, number: usize) -> Option<u64> {
        self.order.get(number).map(|selected| selected.seq)
    }

    /// Seq, `received_at` and event of all, in the wanted order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, i64, EventRef<'_>)> {
        (0..self.len()).filter_map(|number| self.get(number))
    }

    /// The event of that number, on its own.
    pub(crate) fn event(&self, number: usize) -> Option<StoredEvent> {
        let (seq, received_at_ns, event) = self.get(number)?;
        Some(StoredEvent::new(seq, received_at_ns, &event))
    }

    /// Whether all columns are there for every event.
    pub(super) fn is_sound(&self) -> bool {
        let rows = self.order.len();
        let texts = [&self.event_ids, &self.sources].map(|texts| texts.as_ref().map_or(rows, |texts| texts.ends.len()));
        let payloads = self.payloads.as_ref().map_or(rows, |payloads| payloads.ends.len());
        let columns = [texts[0], texts[1], payloads, self.timestamps_ns.len(), self.received_at_ns.len()];
        let known =
            |selected: &Selected| (selected.at as usize) < rows && (selected.topic as usize) < self.topics.len();
        columns.iter().all(|&len| len == rows) && self.order.iter().all(known)
    }
}

/// Values of a column, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Values {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<u32>,
}

impl Values {
    /// Takes in a value. All of a row group are fewer than 4 GiB.
    pub(super) fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len() as u32);
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).filter_map(|at| self.get(at))
    }

    fn get(&self, at: usize) -> Option<&[u8]> {
        self.bytes.get(range(&self.ends, at)?)
    }
}

/// Values of a column of texts.
#[derive(Debug, Default)]
pub(super) struct Texts {
    text: String,
    /// Where each ends.
    ends: Vec<u32>,
}

impl Texts {
    /// `None` where one of the values is not UTF-8.
    pub(super) fn new(values: Values) -> Option<Self> {
        let text = String::from_utf8(values.bytes).ok()?;
        let whole = values.ends.iter().all(|&end| text.is_char_boundary(end as usize));
        whole.then_some(Self { text, ends: values.ends })
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).filter_map(|at| self.get(at))
    }

    fn get(&self, at: usize) -> Option<&str> {
        self.text.get(range(&self.ends, at)?)
    }
}

fn range(ends: &[u32], at: usize) -> Option<std::ops::Range<usize>> {
    let start = at.checked_sub(1).map_or(Some(&0), |before| ends.get(before))?;
    Some(*start as usize..*ends.get(at)? as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_over_two_values_is_no_text() {
        let values = |parts: &[&[u8]]| {
            let mut values = Values::default();
            parts.iter().for_each(|part| values.push(part));
            values
        };
        assert!(Texts::new(values(&[b"\xc3", b"\xa9"])).is_none());
        assert!(Texts::new(values(&[b"\xff"])).is_none());
        let texts = Texts::new(values(&[b"", "é".as_bytes(), b"", b"e"])).unwrap();
        assert_eq!([0, 1, 2, 3, 4].map(|at| texts.get(at)), [Some(""), Some("é"), Some(""), Some("e"), None]);
    }
}
