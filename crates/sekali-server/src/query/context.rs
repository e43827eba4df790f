//! The events before and behind one event.

use std::sync::Arc;

use sekali_store::{Order, Reader, Scan, StoredEvent};

use super::scan_budget::BYTES_BETWEEN_LOOKS;
use super::{EventCursor, EventQuery, Field, Positions, QueryError, ScanBudget, Step};
use crate::clients::HeldShare;

/// A stored event and its partition.
#[derive(Debug, Clone)]
pub(crate) struct PlacedEvent {
    /// Number of the partition.
    pub(crate) partition: u32,
    /// The event.
    pub(crate) event: StoredEvent,
}

/// The values that other events must have in common with one.
#[derive(Debug)]
pub(crate) struct SameValues(Vec<(Field, Option<Vec<u8>>)>);

impl SameValues {
    /// The values of `event` in these fields. Where it has none, others must have none.
    pub(crate) fn of(event: &StoredEvent, fields: Vec<Field>) -> Self {
        let value = |field: Field| {
            let value = value_of(&field, event);
            (field, value)
        };
        Self(fields.into_iter().map(value).collect())
    }

    fn are_in(&self, event: &StoredEvent) -> bool {
        self.0.iter().all(|(field, value)| value_of(field, event) == *value)
    }
}

fn value_of(field: &Field, event: &StoredEvent) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    field.append_key(&event.view(), &mut value).then_some(value)
}

/// Positions to read on from at an event, back and forth, in the order of events of all partitions.
/// `reserved` is the topic that is read, if it is a reserved one. Reads a few events of each of the
/// other partitions. Blocks.
///
/// # Errors
/// Those of the engine.
pub(crate) fn positions_around(
    readers: &[Reader],
    place: &PlacedEvent,
    reserved: Option<&str>,
) -> Result<(Positions, Positions), QueryError> {
    let (mut before, mut after) = (Positions::new(), Positions::new());
    for (partition, reader) in (0..).zip(readers) {
        if partition == place.partition {
            before.push((partition, place.event.seq));
            after.push((partition, place.event.seq));
            continue;
        }
        // See `Merge`.
        let event = (place.event.received_at_ns, place.partition);
        let first = first_behind(reader, reserved, |other| (other.received_at_ns, partition) > event)?;
        before.push((partition, first));
        after.push((partition, first - 1));
    }
    Ok((before, after))
}

/// A seq that all events are before but those that are `behind`, which are the last ones.
fn first_behind(
    reader: &Reader,
    topic: Option<&str>,
    behind: impl Fn(&StoredEvent) -> bool,
) -> Result<u64, QueryError> {
    let (mut low, mut high) = (1, reader.last_seq() + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let scan = Scan { topic: topic.map(str::to_owned), after: Some(middle - 1), ..Scan::default() };
        let next = reader.scan(scan).next().transpose()?;
        match next.filter(|event| !behind(event)) {
            Some(event) => low = event.seq + 1,
            None => high = middle,
        }
    }
    Ok(low)
}

/// The events next to one, in one direction, as far as they were read.
#[derive(Debug, Default)]
pub(crate) struct Neighbours {
    /// Those that match, nearest first.
    pub(crate) events: Vec<StoredEvent>,
    /// Whether there may be more.
    pub(crate) more: bool,
    /// Whether reading ended before it was known.
    pub(crate) is_cut: bool,
    /// Events that were looked at.
    pub(crate) read: u64,
}

/// How much of one direction is read.
pub(crate) struct NeighbourLimits {
    /// Most events that match.
    pub(crate) events: usize,
    /// Most bytes of their payloads, but for one event.
    pub(crate) bytes: usize,
    /// How long to look for them.
    pub(crate) budget: ScanBudget,
    /// Takes up the memory that they take.
    pub(crate) memory: HeldShare,
}

/// Reads the neighbours of an event in one direction, in turns.
pub(crate) struct NeighbourScan {
    cursor: EventCursor,
    same: SameValues,
    limits: NeighbourLimits,
    bytes: usize,
    found: Neighbours,
}

/// The rest of a scan, for that in the other direction, and the memory of what was found.
pub(crate) type ScanRest = (Arc<EventQuery>, SameValues, HeldShare);

impl NeighbourScan {
    /// Reads on from `positions`.
    pub(crate) fn new(
        readers: &Arc<[Reader]>,
        query: Arc<EventQuery>,
        same: SameValues,
        (order, positions): (Order, Positions),
        limits: NeighbourLimits,
    ) -> Self {
        let cursor = EventCursor::new(readers, query, order, positions);
        Self { cursor, same, limits, bytes: 0, found: Neighbours::default() }
    }

    /// Reads on. Returns whether it is at its end; `false` if only the turn is over.
    ///
    /// # Errors
    /// Those of the engine; [`QueryError::AnswersFull`].
    pub(crate) fn turn(&mut self) -> Result<bool, QueryError> {
        self.limits.budget.begin_turn();
        loop {
            let bytes = match self.cursor.step()? {
                Step::End => return Ok(true),
                Step::Passed(bytes) => bytes,
                Step::PassedMany(events) => {
                    self.found.read += events.saturating_sub(1);
                    BYTES_BETWEEN_LOOKS
                }
                Step::Columns(_) => BYTES_BETWEEN_LOOKS,
                Step::Event(event) => {
                    let bytes = event.payload.len();
                    if self.same.are_in(&event) && !self.take(event)? {
                        return Ok(true);
                    }
                    bytes
                }
            };
            self.found.read += 1;
            if !self.limits.budget.lasts(bytes) {
                (self.found.more, self.found.is_cut) = (true, true);
                return Ok(true);
            }
            if self.limits.budget.is_turn_over() {
                return Ok(false);
            }
        }
    }

    /// Takes an event, unless there are enough.
    fn take(&mut self, event: StoredEvent) -> Result<bool, QueryError> {
        if self.found.events.len() >= self.limits.events || self.bytes >= self.limits.bytes {
            self.found.more = true;
            return Ok(false);
        }
        self.bytes += event.payload.len() + size_of::<StoredEvent>();
        if !self.limits.memory.resize(self.bytes) {
            return Err(QueryError::AnswersFull);
        }
        self.found.events.push(event);
        Ok(true)
    }

    /// The neighbours that were found, and the rest.
    pub(crate) fn finish(self) -> (Neighbours, ScanRest) {
        (self.found, (self.cursor.into_query(), self.same, self.limits.memory))
    }
}
