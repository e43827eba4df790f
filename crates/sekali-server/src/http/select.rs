//! The events that a reader is looking for, one step at a time.

use sekali_store::{Order, Reader, Result, StoredEvent, is_reserved, partition_of};

use super::cursor::{Positions, Reading};
use super::filters::Wanted;
use super::merge::Merge;
use crate::access::Topics;
use crate::filter::Filter;

/// A reading of the events that match. Sees one moment of each partition. Reading blocks.
pub(super) struct Select {
    source: Source,
    filter: Filter,
    limits: Option<Topics>,
}

enum Source {
    Scan(Merge),
    Key(Box<Key>),
}

/// What a step of a reading came upon.
pub(super) enum Step {
    /// An event that is looked for.
    Event(StoredEvent),
    /// One that is not.
    Passed,
    End,
}

impl Select {
    /// Begins a reading behind `positions`.
    pub(super) fn new(readers: &[Reader], wanted: Wanted, order: Order, positions: Positions) -> Self {
        let Wanted { topic, filter, limits } = wanted;
        let source = match (topic, &filter.event_id) {
            (Some(topic), Some(event_id)) if !is_reserved(&topic) => {
                Source::Key(Box::new(Key::new(readers, topic, event_id.clone(), order, positions)))
            }
            (topic, _) => {
                let reading = Reading { topic: topic.as_deref(), order };
                Source::Scan(Merge::new(readers, reading, &filter.timestamps_ns(), positions))
            }
        };
        Self { source, filter, limits }
    }

    /// Whether events may be passed, so that a reading can go on for long without finding anything.
    pub(super) fn is_filtered(&self) -> bool {
        !self.filter.is_empty() || self.limits.is_some()
    }

    /// Goes on by one event.
    pub(super) fn step(&mut self) -> Result<Step> {
        let next = match &mut self.source {
            Source::Scan(merge) => merge.next().transpose()?,
            Source::Key(key) => key.find()?,
        };
        Ok(match next {
            Some(event) if self.may_show(&event) && self.filter.matches(&event) => Step::Event(event),
            Some(_) => Step::Passed,
            None => Step::End,
        })
    }

    fn may_show(&self, event: &StoredEvent) -> bool {
        self.limits.as_ref().is_none_or(|topics| topics.contains(&event.topic))
    }

    /// Whether there are more events, which may match or not.
    pub(super) fn has_more(&mut self) -> Result<bool> {
        match &mut self.source {
            Source::Scan(merge) => Ok(merge.peek()?.is_some()),
            Source::Key(key) => Ok(!key.is_found),
        }
    }

    /// The positions behind the last event.
    pub(super) fn positions(&self) -> &Positions {
        match &self.source {
            Source::Scan(merge) => merge.positions(),
            Source::Key(key) => &key.positions,
        }
    }
}

/// A reading of at most one event, by its key.
struct Key {
    reader: Option<Reader>,
    topic: String,
    event_id: String,
    order: Order,
    after: Option<u64>,
    positions: Positions,
    is_found: bool,
}

impl Key {
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
