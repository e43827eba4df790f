//! Gathers valid events into one batch per partition.

use sekali_store::{Batch, EventRef, KeyHasher, partition_of};

use super::{Options, Origins, Rejected};
use crate::access::Topics;
use sekali_wire::QUARANTINE_TOPIC;
use sekali_wire::limits::BATCH_EVENTS_MAX;

/// Hashing and routing of the store.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Hashes keys and contents.
    pub hasher: KeyHasher,
    /// How many partitions there are.
    pub partitions: u32,
}

/// The events of a request, ready to commit.
pub struct Accepted {
    /// Number of valid events.
    pub events: usize,
    /// The batches, each with its partition; no partition twice, none empty.
    pub batches: Vec<(u32, Batch)>,
    /// Topic and event id of every event in request order, if they were asked for.
    pub keys: Vec<(String, String)>,
    /// The events that were left out.
    pub rejected: Rejected,
    /// The origins of the events of each batch.
    pub(crate) origins: Vec<Origins>,
    order: RequestOrder,
}

/// For every event of a request, in order, the batch that has it. Empty if there is only one batch.
#[derive(Debug, Default)]
pub struct RequestOrder(Vec<u32>);

impl Accepted {
    /// Takes out the order of the events.
    pub fn take_order(&mut self) -> RequestOrder {
        std::mem::take(&mut self.order)
    }
}

impl RequestOrder {
    /// Brings the outcomes of the batches into request order.
    pub fn restore<T>(&self, mut outcomes: Vec<Vec<T>>) -> Vec<T> {
        if self.0.is_empty() {
            return outcomes.pop().unwrap_or_default();
        }
        let mut outcomes: Vec<_> = outcomes.into_iter().map(Vec::into_iter).collect();
        self.0.iter().filter_map(|&batch| outcomes.get_mut(batch as usize)?.next()).collect()
    }
}

/// Why a valid event is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PushError {
    /// There are more than [`BATCH_EVENTS_MAX`] events.
    Full,
    /// The client may not publish to its topic.
    Forbidden,
}

/// Builds an [`Accepted`].
pub(super) struct BatchBuilder<'t> {
    target: &'t Target,
    options: Options<'t>,
    bytes_expected: usize,
    events: usize,
    batches: Vec<(u32, Batch)>,
    origins: Vec<Origins>,
    order: RequestOrder,
    keys: Vec<(String, String)>,
}

impl<'t> BatchBuilder<'t> {
    /// An empty one, for a body of `bytes_expected` bytes.
    pub(super) fn new(target: &'t Target, options: Options<'t>, bytes_expected: usize) -> Self {
        Self {
            target,
            options,
            bytes_expected,
            events: 0,
            batches: Vec::new(),
            origins: Vec::new(),
            order: RequestOrder::default(),
            keys: Vec::new(),
        }
    }

    /// Adds a valid event.
    pub(super) fn push(&mut self, event: &EventRef<'_>) -> Result<(), PushError> {
        if self.events == BATCH_EVENTS_MAX {
            return Err(PushError::Full);
        }
        // Clients cannot name the topic of the quarantine: only the server puts records there.
        let is_theirs = |topics: &Topics| topics.contains(event.topic) || event.topic == QUARANTINE_TOPIC;
        if self.options.topics.is_some_and(|topics| !is_theirs(topics)) {
            return Err(PushError::Forbidden);
        }
        let batch = self.batch_of(partition_of(event.topic, self.target.partitions));
        if let Some(((_, batch), origins)) = self.batches.get_mut(batch).zip(self.origins.get_mut(batch)) {
            batch.push(&self.target.hasher, event);
            origins.push(event.topic, event.source);
        }
        if self.batches.len() > 1 {
            // All events before the second batch are in the first. There are at most as many
            // batches as partitions: 32 bits.
            self.order.0.resize(self.events, 0);
            self.order.0.push(batch as u32);
        }
        self.events += 1;
        if self.options.keep_keys {
            self.keys.push((event.topic.to_owned(), event.event_id.to_owned()));
        }
        Ok(())
    }

    /// The finished request.
    pub(super) fn finish(self, rejected: Rejected) -> Accepted {
        let Self { events, batches, keys, origins, order, .. } = self;
        Accepted { events, batches, keys, rejected, origins, order }
    }

    fn batch_of(&mut self, partition: u32) -> usize {
        if let Some(at) = self.batches.iter().position(|&(known, _)| known == partition) {
            return at;
        }
        // With one partition the rows take about as many bytes as the body; with more the share is
        // unknown.
        let expected = if self.target.partitions == 1 { self.bytes_expected } else { 0 };
        self.origins.push(Origins::default());
        self.batches.push((partition, Batch::with_capacity(expected, expected / EVENT_BYTES_TYPICAL)));
        self.batches.len() - 1
    }
}

const EVENT_BYTES_TYPICAL: usize = 256;
