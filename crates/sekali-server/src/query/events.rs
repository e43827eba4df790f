//! A cursor over the events of a query, one step at a time.

use std::sync::Arc;

use sekali_store::{ColumnRows, EventView, Order, Reader, Result, StoredEvent, is_reserved, partition_of};

use super::merge::{Merge, MergeStep};
use super::reader_view::ReaderView;
use super::{CursorScope, EventQuery, Positions};

/// Finds the events of a query. Sees one moment of each partition. Blocks.
pub struct EventCursor {
    source: Source,
    query: Arc<EventQuery>,
}

enum Source {
    Scan(Merge),
    Lookup(Box<KeyLookup>),
}

/// The outcome of one step.
pub enum Step<E = StoredEvent> {
    /// An event of the query.
    Event(E),
    /// An event that is none, with so many bytes of payload.
    Passed(usize),
    /// Several events at once that are none: their number.
    PassedMany(u64),
    /// Columns of events of the query, all but those of unwanted topics. For readers that ask for
    /// columns.
    Columns(Box<ColumnRows>),
    /// There are no more events.
    End,
}

impl EventCursor {
    /// Begins behind `positions`.
    pub fn new(readers: &[Reader], query: impl Into<Arc<EventQuery>>, order: Order, positions: Positions) -> Self {
        Self::for_view(readers, query, order, positions, ReaderView::default())
    }

    /// The same for a reader that does not look at everything.
    pub(crate) fn for_view(
        readers: &[Reader],
        query: impl Into<Arc<EventQuery>>,
        order: Order,
        positions: Positions,
        view: ReaderView,
    ) -> Self {
        let query = query.into();
        let topic = query.topics.only();
        let source = match (topic, query.filter.event_id.exact()) {
            (Some(topic), Some(event_ids)) if !is_reserved(topic) => {
                Source::Lookup(Box::new(KeyLookup::new(readers, topic, event_ids, order, positions)))
            }
            (topic, _) => {
                let scope = CursorScope { topic, order };
                Source::Scan(Merge::new(readers, scope, &query, positions, view))
            }
        };
        Self { source, query }
    }

    /// Whether events may be passed, so that a scan can go on for long without finding anything.
    pub fn is_filtered(&self) -> bool {
        let is_whole_topic = self.query.topics.only().is_some() || self.query.topics.is_empty();
        !self.query.filter.is_empty() || self.query.limits.is_some() || !is_whole_topic
    }

    /// Goes on by one event.
    pub fn step(&mut self) -> Result<Step> {
        self.step_with(|event: EventView<'_>| event.to_event())
    }

    /// The same, with what `take` makes of an event.
    pub(crate) fn step_with<E>(&mut self, take: impl FnOnce(EventView<'_>) -> E) -> Result<Step<E>> {
        let query = &self.query;
        let judge = |event: EventView<'_>, is_judged: bool| {
            let matches = if is_judged { query.matches_beside_payload(&event) } else { query.matches(&event) };
            if matches { Step::Event(take(event)) } else { Step::Passed(event.payload.len()) }
        };
        match &mut self.source {
            Source::Scan(merge) => Ok(match merge.take_with(judge)? {
                MergeStep::Event(step) => step,
                MergeStep::Passed(events) => Step::PassedMany(events),
                MergeStep::Columns(columns) => Step::Columns(columns),
                MergeStep::End => Step::End,
            }),
            Source::Lookup(lookup) => Ok(lookup.next()?.map_or(Step::End, |event| judge(event.view(), false))),
        }
    }

    /// Whether events of a topic are wanted.
    pub(super) fn wants(&self, topic: &str) -> bool {
        self.query.wants(topic)
    }

    /// Whether there are more events, which may match or not.
    pub fn has_more(&mut self) -> Result<bool> {
        match &mut self.source {
            Source::Scan(merge) => merge.has_more(),
            Source::Lookup(lookup) => Ok(!lookup.find_all()?.is_empty()),
        }
    }

    /// How many events were passed over since this was asked last, beside those that steps have
    /// told.
    pub(super) fn take_passed(&mut self) -> u64 {
        if let Source::Scan(merge) = &mut self.source { merge.take_passed() } else { 0 }
    }

    /// Lets go of what was read ahead and of all files, while its client pauses. Events that expire
    /// meanwhile are left out.
    pub(crate) fn release(&mut self) {
        if let Source::Scan(merge) = &mut self.source {
            merge.release();
        }
    }

    /// The query, for another cursor.
    pub(crate) fn into_query(self) -> Arc<EventQuery> {
        self.query
    }

    /// The positions behind the last event.
    pub fn positions(&self) -> &Positions {
        match &self.source {
            Source::Scan(merge) => merge.positions(),
            Source::Lookup(lookup) => &lookup.positions,
        }
    }
}

/// Looks up events by their keys.
struct KeyLookup {
    reader: Option<Reader>,
    topic: String,
    event_ids: Vec<String>,
    order: Order,
    partition: u32,
    positions: Positions,
    /// The events that were found, the next one last. `None` before the look-up.
    found: Option<Vec<StoredEvent>>,
}

impl KeyLookup {
    fn new(readers: &[Reader], topic: &str, event_ids: &[String], order: Order, positions: Positions) -> Self {
        let partition = partition_of(topic, readers.len() as u32);
        let reader = readers.get(partition as usize).cloned();
        Self {
            reader,
            topic: topic.to_owned(),
            event_ids: event_ids.to_vec(),
            order,
            partition,
            positions,
            found: None,
        }
    }

    fn next(&mut self) -> Result<Option<StoredEvent>> {
        let event = self.find_all()?.pop();
        if let Some(event) = &event {
            match self.positions.iter_mut().find(|(known, _)| *known == self.partition) {
                Some((_, seq)) => *seq = event.seq,
                None => self.positions.push((self.partition, event.seq)),
            }
        }
        Ok(event)
    }

    /// The events that are left, the next one last.
    fn find_all(&mut self) -> Result<&mut Vec<StoredEvent>> {
        if self.found.is_none() {
            let after = self.positions.iter().find(|(known, _)| *known == self.partition).map(|(_, seq)| *seq);
            let is_behind = |seq| match (self.order, after) {
                (_, None) => true,
                (Order::Ascending, Some(after)) => seq > after,
                (Order::Descending, Some(after)) => seq < after,
            };
            let found = self.reader.iter().flat_map(|reader| {
                self.event_ids.iter().filter_map(|event_id| reader.find(&self.topic, event_id).transpose())
            });
            let mut found: Vec<_> = found.collect::<Result<_>>()?;
            found.retain(|event| is_behind(event.seq));
            found.sort_unstable_by_key(|event| event.seq);
            found.dedup_by_key(|event| event.seq);
            if self.order == Order::Ascending {
                found.reverse();
            }
            self.found = Some(found);
        }
        Ok(self.found.get_or_insert_default())
    }
}

#[cfg(test)]
mod tests;
