//! Events of other people's clients: given ids, committed, and reported item by item.

use std::sync::Arc;
use std::time::Duration;

use sekali_store::{Outcome, Reader, partition_of};
use tokio::time::{Instant, sleep};

use super::{CommitError, Sender, Service};
use crate::access::Topics;
use crate::clients::{Client, once};
use crate::identity::{EqualRequests, IdKind, RequestDigest, RequestTurn, Way, request_id};
use crate::ingest::{Drafts, IdPlan, IdRule, IngestError, ItemState};
use crate::limits::PARSED_IN_PLACE_BYTES_MAX;
use crate::query::QueryError;

/// Requests that were stored so long before the end of the last run are in doubt after a start.
const DOUBTFUL_NS: i64 = 60 * 1_000_000_000;
/// A gap of so many numbers ends the search for equal requests.
const GAP_MAX: u32 = 4;
/// A request that there is no room for is tried again after this time.
const HOLD_STEP: Duration = Duration::from_millis(100);

/// The events of a request, and what is needed to give them ids.
pub(crate) struct Shipment {
    pub(crate) way: Way,
    pub(crate) sender: Sender,
    /// The topics that the client may publish to, if not all.
    pub(crate) topics: Option<Topics>,
    pub(crate) drafts: Drafts,
    pub(crate) plan: IdPlan,
    /// Of the request; there is one where the plan needs it.
    pub(crate) digest: Option<RequestDigest>,
    /// How long it may wait for room in the queue.
    pub(crate) patience: Duration,
}

/// The outcome of a request.
#[derive(Debug)]
pub(crate) struct Shipped {
    /// Of every item, in order.
    pub(crate) results: Vec<ItemResult>,
    /// Kept until the client is known to have read the answer.
    pub(crate) turn: Option<RequestTurn>,
}

/// The outcome of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ItemResult {
    Stored {
        seq: u64,
    },
    Duplicate {
        seq: u64,
    },
    Conflict {
        seq: u64,
    },
    /// Kept in the reserved topic, for this reason.
    Quarantined(String),
    /// Left out, for this reason.
    Failed(String),
    /// Not stored for lack of room; the client is to send it again.
    Overloaded,
}

/// Why nothing of a request is known to be stored.
#[derive(Debug)]
pub(crate) enum ShipError {
    Commit(CommitError),
    Query(QueryError),
    Ingest(IngestError),
}

impl From<CommitError> for ShipError {
    fn from(error: CommitError) -> Self {
        Self::Commit(error)
    }
}

impl From<QueryError> for ShipError {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

impl From<IngestError> for ShipError {
    fn from(error: IngestError) -> Self {
        Self::Ingest(error)
    }
}

impl Service {
    /// Waits until the queue has room for a body of so many bytes, but no longer than `patience`.
    /// `false` if it has none.
    pub(crate) async fn has_room_within(&self, client: &Client, bytes: usize, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while !self.pipeline().has_room(|| client.clone(), bytes) {
            if Instant::now() >= deadline {
                return false;
            }
            sleep(HOLD_STEP).await;
        }
        true
    }

    /// Commits the events of a request and waits until they are durable.
    ///
    /// # Errors
    /// See [`ShipError`]. What is refused as overload is tried again for as long as the patience
    /// lasts.
    pub(crate) async fn ship(&self, shipment: Shipment) -> Result<Shipped, ShipError> {
        let Shipment { way, sender, topics, drafts, plan, digest, patience } = shipment;
        let client = sender.client.clone();
        let deadline = Instant::now() + patience;
        let (rule, turn) = self.rule(&client, &drafts, plan, digest).await?;
        let (drafts, topics) = (Arc::new(drafts), Arc::new(topics));
        loop {
            let (accepted, counts) = if drafts.bytes() <= PARSED_IN_PLACE_BYTES_MAX {
                drafts.build(rule, self.target(), topics.as_ref().as_ref())?
            } else {
                let (drafts, topics, target) = (Arc::clone(&drafts), Arc::clone(&topics), *self.target());
                let build = move || drafts.build(rule, &target, topics.as_ref().as_ref());
                self.parses().run_always(client.clone(), build).await??
            };
            let _topics = self.admit_topics(|| client.clone(), &accepted)?;
            match self.publish(&sender, accepted).await {
                Err(CommitError::Overloaded) if Instant::now() < deadline => {
                    sleep(HOLD_STEP).await;
                    // To build the events again is work that an overloaded server does not need.
                    let left = deadline.saturating_duration_since(Instant::now());
                    self.has_room_within(&client, drafts.bytes(), left).await;
                }
                Err(error) => return Err(error.into()),
                Ok(published) => {
                    let tally = self.tally();
                    IdKind::ALL.into_iter().for_each(|kind| tally.add(way, kind, counts.by_kind[kind as usize]));
                    tally.quarantine(way, counts.quarantined);
                    return Ok(Shipped { results: results(&drafts, published.outcomes), turn });
                }
            }
        }
    }

    /// The rule by which events without a declared id get theirs, and the turn that it depends on.
    async fn rule(
        &self,
        client: &Client,
        drafts: &Drafts,
        plan: IdPlan,
        digest: Option<RequestDigest>,
    ) -> Result<(IdRule, Option<RequestTurn>), QueryError> {
        let Some(digest) = digest else {
            return Ok((if plan == IdPlan::Content { IdRule::Content } else { IdRule::None }, None));
        };
        match drafts.first_without_id().filter(|_| plan == IdPlan::Counted) {
            None => Ok((IdRule::Request { digest, number: 0 }, None)),
            Some((index, topic)) => {
                let turn = self.turn(client, digest, index, topic).await?;
                Ok((IdRule::Request { digest, number: turn.number() }, Some(turn)))
            }
        }
    }

    /// The turn of a request among equal ones, by its first event that has no declared id.
    async fn turn(
        &self,
        client: &Client,
        digest: RequestDigest,
        index: usize,
        topic: &str,
    ) -> Result<RequestTurn, QueryError> {
        let ledger = &self.shared.ledger;
        if let Some(turn) = ledger.begin(digest) {
            return Ok(turn);
        }
        let (readers, topic, last_ns) =
            (Arc::clone(&self.shared.readers), topic.to_owned(), self.shared.last_commit_ns);
        let partition = partition_of(&topic, self.shared.target.partitions) as usize;
        let look = move || {
            let Some(reader) = readers.get(partition) else { return Ok(EqualRequests::default()) };
            equal_requests(last_ns, |number| received_ns(reader, &topic, &request_id(digest, number, index)))
        };
        let stored = self.shared.reads.run(client.clone(), once(look)).await??;
        Ok(ledger.begin_with(digest, stored))
    }
}

fn received_ns(reader: &Reader, topic: &str, event_id: &str) -> Result<Option<i64>, QueryError> {
    Ok(reader.find(topic, event_id)?.map(|event| event.received_at_ns))
}

/// The equal requests that are stored, found in few steps. `received_ns` says when number n was,
/// `last_ns` when the last run ended.
fn equal_requests(
    last_ns: Option<i64>,
    received_ns: impl Fn(u32) -> Result<Option<i64>, QueryError>,
) -> Result<EqualRequests, QueryError> {
    // A request that was refused leaves its number to the next one, so that gaps are rare and small.
    let is_taken = |number: u32| {
        (number..number.saturating_add(GAP_MAX))
            .try_fold(false, |taken, at| Ok::<_, QueryError>(taken || received_ns(at)?.is_some()))
    };
    let mut step = 1_u32;
    while is_taken(step - 1)? && step < u32::MAX / 4 {
        step *= 2;
    }
    // Number `step - 1` is free, and `step / 2 - 1` is taken if there is such a number.
    let (mut taken, mut free) = (step / 2, step - 1);
    while taken < free {
        let middle = taken.midpoint(free);
        if is_taken(middle)? { taken = middle + 1 } else { free = middle }
    }
    let next = free;
    let mut in_doubt = Vec::new();
    for number in (next.saturating_sub(GAP_MAX)..next).rev() {
        let is_doubtful = |at: i64| last_ns.is_some_and(|last| at <= last && at > last.saturating_sub(DOUBTFUL_NS));
        in_doubt.extend(received_ns(number)?.filter(|at| is_doubtful(*at)).map(|_| number));
    }
    in_doubt.reverse();
    Ok(EqualRequests { next, in_doubt })
}

/// The outcomes of events, put between the items that are none.
fn results(drafts: &Drafts, outcomes: Vec<Outcome>) -> Vec<ItemResult> {
    let mut outcomes = outcomes.into_iter();
    let mut results = Vec::with_capacity(drafts.len());
    for state in drafts.states() {
        results.push(match state {
            ItemState::Failed(reason) => ItemResult::Failed(reason.clone()),
            ItemState::Quarantined(reason) => {
                outcomes.next();
                ItemResult::Quarantined(reason.clone())
            }
            ItemState::Event => match outcomes.next() {
                Some(Outcome::Stored { seq }) => ItemResult::Stored { seq },
                Some(Outcome::Duplicate { seq }) => ItemResult::Duplicate { seq },
                Some(Outcome::Conflict { seq }) => ItemResult::Conflict { seq },
                None => ItemResult::Failed("the outcome is not known; send it again".to_owned()),
            },
        });
    }
    results
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn equal_requests_are_counted_in_few_looks() {
        for stored in (0..70).chain([1_000, 123_456]) {
            let looks = Cell::new(0);
            let found = equal_requests(None, |number| {
                looks.set(looks.get() + 1);
                Ok((number < stored && number != stored / 2 + 1).then_some(1))
            });
            let last_is_missing = stored > 0 && stored / 2 + 1 == stored - 1;
            assert_eq!(found.unwrap().next, stored - u32::from(last_is_missing), "{stored}");
            assert!(looks.get() <= 250, "{stored}: {}", looks.get());
        }
    }

    #[test]
    fn only_what_came_shortly_before_the_last_end_is_in_doubt() {
        let second = 1_000_000_000;
        let received = [10 * second, 950 * second, 990 * second, 1_001 * second];
        let found = equal_requests(Some(1_000 * second), |number| Ok(received.get(number as usize).copied()));
        assert_eq!(found.unwrap(), EqualRequests { next: 4, in_doubt: vec![1, 2] });
    }
}
