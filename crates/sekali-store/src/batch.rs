//! The events of one publish request, encoded and hashed where they were parsed.

use crate::bytes::Fields;
use crate::comparisons::Comparisons;
use crate::event::EventRef;
use crate::hash::{EventHash, KeyHasher};
use crate::log::row;

/// Events of one request for one partition, ready to be committed: the rows as they will stand in
/// the log, and their hashes.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    rows: Vec<u8>,
    events: Vec<Slot>,
    /// How some of the events compare with stored ones, once that was needed.
    comparisons: Option<Box<Comparisons>>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    hash: EventHash,
    /// Where its row ends; it begins where the one before ends.
    end: usize,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty batch with room for that many bytes of rows and that many events.
    pub fn with_capacity(bytes: usize, events: usize) -> Self {
        Self { rows: Vec::with_capacity(bytes), events: Vec::with_capacity(events), comparisons: None }
    }

    /// Appends an event, which the caller has checked against [`crate::limits`].
    pub fn push(&mut self, hasher: &KeyHasher, event: &EventRef<'_>) {
        row::encode(event, &mut self.rows);
        self.events.push(Slot { hash: hasher.hash(event), end: self.rows.len() });
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there are no events.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Bytes it holds in memory, for queues that are bounded by bytes.
    pub fn bytes(&self) -> usize {
        self.rows.len() + self.events.len() * size_of::<Slot>()
    }

    /// Notes how its events compare with stored ones.
    pub(crate) fn set_comparisons(&mut self, comparisons: Comparisons) {
        self.comparisons = Some(Box::new(comparisons));
    }

    /// How its events compare with stored ones, as it was noted last.
    pub(crate) fn comparisons(&self) -> Option<&Comparisons> {
        self.comparisons.as_deref()
    }

    /// Each event's hashes and encoded row, in order.
    pub(crate) fn events(&self) -> impl Iterator<Item = (EventHash, &[u8])> {
        let mut start = 0;
        self.events.iter().map(move |slot| (slot.hash, &self.rows[std::mem::replace(&mut start, slot.end)..slot.end]))
    }
}

/// The event that [`Batch::events`] gave as a row.
pub(crate) fn event_of(row: &[u8]) -> Option<EventRef<'_>> {
    row::decode(&mut Fields::new(row))
}
