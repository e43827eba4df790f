//! A cursor over the events of a query, one step at a time.

use sekali_store::{Order, Reader, Result, StoredEvent, is_reserved, partition_of};

use super::merge::Merge;
use super::{CursorScope, EventQuery, Filter, Positions};
use crate::access::Topics;

/// Finds the events of a query. Sees one moment of each partition. Blocks.
pub struct EventCursor {
    source: Source,
    filter: Filter,
    limits: Option<Topics>,
}

enum Source {
    Scan(Merge),
    Lookup(Box<KeyLookup>),
}

/// The outcome of one step.
pub enum Step {
    /// An event of the query.
    Event(StoredEvent),
    /// An event that is none, with so many bytes of payload.
    Passed(usize),
    /// There are no more events.
    End,
}

impl EventCursor {
    /// Begins behind `positions`.
    pub fn new(readers: &[Reader], query: EventQuery, order: Order, positions: Positions) -> Self {
        let EventQuery { topic, filter, limits } = query;
        let source = match (topic, &filter.event_id) {
            (Some(topic), Some(event_id)) if !is_reserved(&topic) => {
                Source::Lookup(Box::new(KeyLookup::new(readers, topic, event_id.clone(), order, positions)))
            }
            (topic, _) => {
                let scope = CursorScope { topic: topic.as_deref(), order };
                Source::Scan(Merge::new(readers, scope, &filter.timestamps_ns(), positions))
            }
        };
        Self { source, filter, limits }
    }

    /// Whether events may be passed, so that a scan can go on for long without finding anything.
    pub fn is_filtered(&self) -> bool {
        !self.filter.is_empty() || self.limits.is_some()
    }

    /// Goes on by one event.
    pub fn step(&mut self) -> Result<Step> {
        let next = match &mut self.source {
            Source::Scan(merge) => merge.next().transpose()?,
            Source::Lookup(lookup) => lookup.find()?,
        };
        Ok(match next {
            Some(event) if self.may_show(&event) && self.filter.matches(&event) => Step::Event(event),
            Some(event) => Step::Passed(event.payload.len()),
            None => Step::End,
        })
    }

    fn may_show(&self, event: &StoredEvent) -> bool {
        self.limits.as_ref().is_none_or(|topics| topics.contains(&event.topic))
    }

    /// Whether there are more events, which may match or not.
    pub fn has_more(&mut self) -> Result<bool> {
        match &mut self.source {
            Source::Scan(merge) => Ok(merge.peek()?.is_some()),
            Source::Lookup(lookup) => Ok(!lookup.is_found),
        }
    }

    /// The positions behind the last event.
    pub fn positions(&self) -> &Positions {
        match &self.source {
            Source::Scan(merge) => merge.positions(),
            Source::Lookup(lookup) => &lookup.positions,
        }
    }
}

/// Looks up at most one event, by its key.
struct KeyLookup {
    reader: Option<Reader>,
    topic: String,
    event_id: String,
    order: Order,
    after: Option<u64>,
    positions: Positions,
    is_found: bool,
}

impl KeyLookup {
    fn new(readers: &[Reader], topic: String, event_id: String, order: Order, positions: Positions) -> Self {
        let partition = partition_of(&topic, readers.len() as u32);
        let after = positions.iter().find(|(known, _)| *known == partition).map(|(_, seq)| *seq);
        let reader = readers.get(partition as usize).cloned();
        Self { reader, topic, event_id, order, after, positions, is_found: false }
    }

    fn find(&mut self) -> Result<Option<StoredEvent>> {
        if std::mem::replace(&mut self.is_found, true) {
            return Ok(None);
        }
        let Some(reader) = &self.reader else { return Ok(None) };
        let event = reader.find(&self.topic, &self.event_id)?;
        let is_behind = |seq| match (self.order, self.after) {
            (_, None) => true,
            (Order::Ascending, Some(after)) => seq > after,
            (Order::Descending, Some(after)) => seq < after,
        };
        Ok(event.filter(|event| is_behind(event.seq)))
    }
}
