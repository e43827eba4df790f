//! New topics: each takes memory for as long as it has events, so that their number is bounded, and
//! no client can take all of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sekali_store::{Batch, Reader};

use super::CommitError;
use crate::clients::Client;
use crate::limits::{TOPICS_FREE, TOPICS_MAX};

/// After this time a client is remembered for half of the topics that it made.
const HALF_LIFE: Duration = Duration::from_secs(3600);
/// Most clients that are remembered.
const CLIENTS_MAX: usize = 10_000;

/// Counts new topics by client. Cheap to clone; clones share.
#[derive(Debug, Clone, Default)]
pub(super) struct TopicQuota {
    tally: Arc<Mutex<NewTopics>>,
}

#[derive(Debug, Default)]
struct NewTopics {
    made: HashMap<Client, usize>,
    halved: Option<Instant>,
    /// Of requests that are not committed yet.
    in_flight: usize,
}

/// New topics of a request. Dropped when they are committed, or will not be.
#[derive(Debug)]
pub(crate) struct TopicPermit {
    tally: Arc<Mutex<NewTopics>>,
    topics: usize,
}

impl TopicQuota {
    /// Permits the topics of a request. Costs next to nothing as long as there are few topics.
    ///
    /// # Errors
    /// [`CommitError::TooManyTopics`]: the client would have made more than are left.
    pub(super) fn admit(
        &self,
        client: impl FnOnce() -> Client,
        readers: &[Reader],
        batches: &[(u32, Batch)],
    ) -> Result<Option<TopicPermit>, CommitError> {
        let known: usize = readers.iter().map(Reader::topic_count).sum();
        let events: usize = batches.iter().map(|(_, batch)| batch.len()).sum();
        if known + events <= TOPICS_FREE {
            return Ok(None);
        }
        let reader = |partition: u32| readers.get(partition as usize);
        let new = |(partition, batch): &(u32, Batch)| Some(reader(*partition)?.count_new_topics(batch));
        let topics = batches.iter().filter_map(new).sum();
        if topics == 0 {
            return Ok(None);
        }
        lock(&self.tally).add(client(), topics, known, Instant::now())?;
        Ok(Some(TopicPermit { tally: Arc::clone(&self.tally), topics }))
    }
}

impl NewTopics {
    fn add(&mut self, client: Client, topics: usize, known: usize, now: Instant) -> Result<(), CommitError> {
        let since = *self.halved.get_or_insert(now);
        if now.saturating_duration_since(since) >= HALF_LIFE {
            self.halved = Some(now);
            self.made.values_mut().for_each(|made| *made /= 2);
            self.made.retain(|_, made| *made > 0);
        }
        let free = TOPICS_MAX.saturating_sub(known + self.in_flight);
        let made = self.made.get(&client).copied().unwrap_or(0);
        if made + topics > free {
            return Err(CommitError::TooManyTopics);
        }
        if self.made.len() >= CLIENTS_MAX {
            self.made.clear();
        }
        self.made.insert(client, made + topics);
        self.in_flight += topics;
        Ok(())
    }
}

impl Drop for TopicPermit {
    fn drop(&mut self) {
        lock(&self.tally).in_flight -= self.topics;
    }
}

/// Nothing panics while this is held.
fn lock(tally: &Mutex<NewTopics>) -> MutexGuard<'_, NewTopics> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_cannot_make_all_topics_that_there_may_be() {
        let (mut tally, now, mut known) = (NewTopics::default(), Instant::now(), 0);
        let mut make = |number, topics| {
            let made = tally.add(Client::numbered(number), topics, known, now).is_ok();
            tally.in_flight = 0;
            known += if made { topics } else { 0 };
            made
        };
        assert!(make(1, TOPICS_MAX / 2) && !make(1, 1));
        assert!(make(2, TOPICS_MAX / 4) && !make(2, 1));
        assert!(make(3, TOPICS_MAX / 8));
    }

    #[test]
    fn topics_that_are_not_committed_yet_count_and_are_forgotten_in_time() {
        let (mut tally, now) = (NewTopics::default(), Instant::now());
        tally.add(Client::numbered(1), TOPICS_MAX / 2, 0, now).unwrap();
        assert!(tally.add(Client::numbered(2), TOPICS_MAX / 2 + 1, 0, now).is_err());
        tally.in_flight = 0;
        assert!(tally.add(Client::numbered(1), TOPICS_MAX / 2 + 1, 0, now).is_err());
        assert!(tally.add(Client::numbered(1), TOPICS_MAX / 2 + 1, 0, now + HALF_LIFE).is_ok());
    }
}
