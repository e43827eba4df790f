//! Conflicts: the evidence that is kept of them, and the stored events that they are about.

use std::sync::Arc;

use sekali_store::{CONFLICTS_TOPIC, Order, Reader, StoredEvent, partition_of};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::scan_budget::BYTES_BETWEEN_LOOKS;
use super::{Differences, EventCursor, EventQuery, Fill, Positions, QueryError, ScanBudget, Step};

/// A conflict.
#[derive(Debug)]
pub(crate) struct Conflict {
    /// The event that was sent and not stored, with the seq of its evidence and the time when it
    /// came.
    pub(crate) sent: StoredEvent,
    /// The seq of the event that was stored under its key.
    pub(crate) stored_seq: u64,
    /// The event that is stored now. `None` if it has expired or is lost.
    pub(crate) stored: Option<StoredEvent>,
}

impl Conflict {
    /// Where the two events differ. Nothing if the stored one is gone.
    pub(crate) fn differences<'a>(&'a self, sources: &'a ConflictSources) -> Differences<'a> {
        let Some(stored) = &self.stored else { return Differences::default() };
        let mut differences = Differences::between(&stored.payload, &self.sent.payload);
        if stored.source != self.sent.source {
            differences.add("source", &sources.stored, &sources.sent);
        }
        differences
    }
}

/// The sources of both events, as JSON.
#[derive(Debug, Default)]
pub(crate) struct ConflictSources {
    stored: Vec<u8>,
    sent: Vec<u8>,
}

impl ConflictSources {
    /// Those of a conflict.
    pub(crate) fn of(conflict: &Conflict) -> Self {
        let mut sources = Self::default();
        sekali_wire::json::append_string(&mut sources.sent, &conflict.sent.source);
        if let Some(stored) = &conflict.stored {
            sekali_wire::json::append_string(&mut sources.stored, &stored.source);
        }
        sources
    }
}

/// The payload of evidence.
#[derive(Deserialize)]
struct Kept<'a> {
    topic: String,
    event_id: String,
    stored_seq: u64,
    #[serde(borrow)]
    payload: &'a RawValue,
}

/// The event that was sent, and the seq of the stored one.
fn restore(evidence: StoredEvent) -> Option<(StoredEvent, u64)> {
    let Kept { topic, event_id, stored_seq, payload } = serde_json::from_slice(&evidence.payload).ok()?;
    let payload = payload.get().as_bytes().to_vec();
    Some((StoredEvent { topic, event_id, payload, ..evidence }, stored_seq))
}

/// A reading of conflicts, in turns.
pub(crate) struct ConflictScan {
    cursor: EventCursor,
    readers: Arc<[Reader]>,
    /// Which events that were sent.
    query: EventQuery,
    budget: ScanBudget,
    /// Whether the stored events are looked up.
    with_stored: bool,
    read: u64,
}

/// How a reading of conflicts ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConflictsRead {
    /// Conflicts that were looked at.
    pub(crate) read: u64,
    /// Whether there may be more of them.
    pub(crate) more: bool,
    /// Behind the last.
    pub(crate) positions: Positions,
}

impl ConflictScan {
    /// Reads conflicts whose sent events are those of `query`, behind `positions`.
    pub(crate) fn new(
        readers: &Arc<[Reader]>,
        query: EventQuery,
        (order, positions): (Order, Positions),
        budget: ScanBudget,
        with_stored: bool,
    ) -> Self {
        let mut evidence = EventQuery::of_topic(CONFLICTS_TOPIC);
        // Evidence has the timestamp of what was sent.
        (evidence.filter.since_ns, evidence.filter.until_ns) = (query.filter.since_ns, query.filter.until_ns);
        let cursor = EventCursor::new(readers, evidence, order, positions);
        Self { cursor, readers: Arc::clone(readers), query, budget, with_stored, read: 0 }
    }

    /// Reads on, and hands conflicts to `visit` until that is full, the budget is spent or there
    /// are no more. `None` if only the turn is over.
    ///
    /// # Errors
    /// Those of the engine and of `visit`.
    pub(crate) fn turn(
        &mut self,
        mut visit: impl FnMut(&Conflict) -> Result<Fill, QueryError>,
    ) -> Result<Option<ConflictsRead>, QueryError> {
        self.budget.begin_turn();
        loop {
            let (bytes, fill) = match self.cursor.step()? {
                Step::End => return Ok(Some(self.end(false))),
                Step::Passed(bytes) => (bytes, Fill::Room),
                Step::PassedMany(events) => {
                    self.read += events.saturating_sub(1);
                    (BYTES_BETWEEN_LOOKS, Fill::Room)
                }
                Step::Columns(_) => (BYTES_BETWEEN_LOOKS, Fill::Room),
                Step::Event(evidence) => {
                    let bytes = evidence.payload.len();
                    let found = self.conflict(evidence)?;
                    // To look an event up takes about as long as to read so much.
                    let lookup = if found.is_some() && self.with_stored { LOOKUP_BYTES } else { 0 };
                    (bytes + lookup, found.map_or(Ok(Fill::Room), |conflict| visit(&conflict))?)
                }
            };
            self.read += 1;
            if fill == Fill::Full || !self.budget.lasts(bytes) {
                let more = self.cursor.has_more()?;
                return Ok(Some(self.end(more)));
            }
            if self.budget.is_turn_over() {
                return Ok(None);
            }
        }
    }

    /// The conflict that this is evidence of, if it is wanted.
    fn conflict(&self, evidence: StoredEvent) -> Result<Option<Conflict>, QueryError> {
        let Some((sent, stored_seq)) = restore(evidence) else { return Ok(None) };
        if !self.query.matches(&sent.view()) {
            return Ok(None);
        }
        let partition = partition_of(&sent.topic, self.readers.len() as u32) as usize;
        let stored = match self.readers.get(partition).filter(|_| self.with_stored) {
            Some(reader) => reader.find(&sent.topic, &sent.event_id)?,
            None => None,
        };
        Ok(Some(Conflict { sent, stored_seq, stored }))
    }

    fn end(&self, more: bool) -> ConflictsRead {
        ConflictsRead { read: self.read, more, positions: self.cursor.positions().clone() }
    }
}

/// Bytes of payloads that take about as long to read as looking up an event.
const LOOKUP_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_the_event_that_was_sent() {
        let evidence = |payload: &str| StoredEvent {
            seq: 9,
            received_at_ns: 5,
            topic: CONFLICTS_TOPIC.to_owned(),
            event_id: "0af".to_owned(),
            timestamp_ns: 3,
            source: "s".to_owned(),
            payload: payload.as_bytes().to_vec(),
        };
        let (sent, seq) =
            restore(evidence(r#"{"topic":"t\u00e9","event_id":"1","stored_seq":7,"payload":{"a": 1.0}}"#)).unwrap();
        assert_eq!((&*sent.topic, &*sent.event_id, &*sent.payload, seq), ("té", "1", &b"{\"a\": 1.0}"[..], 7));
        assert_eq!((sent.seq, sent.timestamp_ns, &*sent.source), (9, 3, "s"));
        assert_eq!(restore(evidence("{}")), None);
    }
}
