//! One event among those before and behind it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sekali_store::{Order, Reader, StoredEvent, is_reserved, partition_of};

use super::Service;
use crate::clients::{Client, HeldShare, once};
use crate::limits::{PAGE_BYTES_MAX, PAGE_SCAN_EVENTS_MAX, PAGE_SCAN_TIME_MAX};
use crate::query::{
    ClientGuard, EventQuery, Field, NeighbourLimits, NeighbourScan, Neighbours, PlacedEvent, Positions, QueryError,
    SameValues, ScanRest, positions_around,
};

/// The surroundings of an event that are wanted.
pub(crate) struct ContextQuery {
    pub(crate) topic: String,
    pub(crate) event_id: String,
    /// Which events.
    pub(crate) events: EventQuery,
    /// Only those with the same values in these fields.
    pub(crate) same: Vec<Field>,
    /// Most events before it.
    pub(crate) before: usize,
    /// Most events behind it.
    pub(crate) after: usize,
}

/// An event and its surroundings.
pub(crate) struct Context {
    pub(crate) event: StoredEvent,
    /// Nearest first.
    pub(crate) before: Neighbours,
    /// Nearest first.
    pub(crate) after: Neighbours,
    /// How long it took.
    pub(crate) time: Duration,
    /// Of all these events.
    pub(crate) _memory: [HeldShare; 2],
}

impl Service {
    /// The events around one, in the order that events are read in. `None`: it is not stored.
    ///
    /// # Errors
    /// [`QueryError::Busy`], [`QueryError::AnswersFull`] and those of the engine.
    pub(crate) async fn context(&self, client: Client, wanted: ContextQuery) -> Result<Option<Context>, QueryError> {
        let begun = Instant::now();
        let ContextQuery { topic, event_id, mut events, same, before, after } = wanted;
        // The others are not read with reserved topics, nor these with the others.
        if events.topics.is_empty() && (is_reserved(&topic) || same.iter().any(Field::is_topic)) {
            events.topics.limit_to(&topic);
        }
        let reserved = events.topics.only().filter(|topic| is_reserved(topic)).map(str::to_owned);
        let readers = self.readers_now();
        let find = move || {
            let Some(place) = find(&readers, &topic, &event_id)? else { return Ok(None) };
            positions_around(&readers, &place, reserved.as_deref()).map(|positions| Some((place.event, positions)))
        };
        let Some((event, (back, forth))) = self.shared.reads.run(client.clone(), once(find)).await?? else {
            return Ok(None);
        };
        let same = SameValues::of(&event, same);
        let rest = (Arc::new(events), same, self.shared.answers.hold(client.clone()));
        let (before, (events, same, of_before)) =
            self.neighbours(&client, (Order::Descending, back), rest, before).await?;
        let rest = (events, same, self.shared.answers.hold(client.clone()));
        let (after, (_, _, of_after)) = self.neighbours(&client, (Order::Ascending, forth), rest, after).await?;
        let _memory = [of_before, of_after];
        Ok(Some(Context { event, before, after, time: begun.elapsed(), _memory }))
    }

    async fn neighbours(
        &self,
        client: &Client,
        from: (Order, Positions),
        (query, same, memory): ScanRest,
        events: usize,
    ) -> Result<(Neighbours, ScanRest), QueryError> {
        // Dropped with this future when the client goes away.
        let guard = ClientGuard::default();
        let budget = guard.budget(PAGE_SCAN_EVENTS_MAX, PAGE_SCAN_TIME_MAX);
        let limits = NeighbourLimits { events, bytes: PAGE_BYTES_MAX / 2, budget, memory };
        let mut scan = Some(NeighbourScan::new(&self.readers_now(), query, same, from, limits));
        let turn = move || match scan.as_mut()?.turn() {
            Ok(false) => None,
            Ok(true) => scan.take().map(|scan| Ok(scan.finish())),
            Err(error) => Some(Err(error)),
        };
        self.shared.reads.run(client.clone(), turn).await?
    }
}

fn find(readers: &[Reader], topic: &str, event_id: &str) -> Result<Option<PlacedEvent>, QueryError> {
    let home = partition_of(topic, readers.len() as u32);
    for (partition, reader) in (0..).zip(readers) {
        // Events of reserved topics are stored beside the events that they are about.
        if partition != home && !is_reserved(topic) {
            continue;
        }
        if let Some(event) = reader.find(topic, event_id)? {
            return Ok(Some(PlacedEvent { partition, event }));
        }
    }
    Ok(None)
}
