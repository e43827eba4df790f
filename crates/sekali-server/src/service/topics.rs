//! The topics of a store, some at a time: no lock is held while many are looked at.

use std::sync::Arc;

use sekali_store::{Reader, TopicSummary, is_reserved};

use super::Service;
use crate::access::Grant;
use crate::clients::{Client, once};
use crate::query::{EventQuery, QueryError};

/// Topics that are looked at together.
const STEP_TOPICS: usize = 1_000;

/// Some topics that a client may see.
#[derive(Debug, Default)]
pub(crate) struct TopicPage {
    /// By name.
    pub(crate) topics: Vec<TopicSummary>,
    /// Whether there are more behind them.
    pub(crate) more: bool,
    /// Number of all that the client may see, if it was asked for.
    pub(crate) count: u64,
}

impl Service {
    /// The topics from `from` on that `grant` is for, but the reserved ones: the first `limit`, by
    /// name. With `count_all` the others are counted.
    ///
    /// # Errors
    /// [`QueryError::Busy`].
    pub(crate) async fn topics(
        &self,
        client: Client,
        grant: Grant,
        from: String,
        limit: usize,
        count_all: bool,
    ) -> Result<TopicPage, QueryError> {
        let readers = Arc::clone(&self.shared.readers);
        let list = move || {
            let mut page = TopicPage::default();
            for reader in readers.iter() {
                let mut found = 0;
                visit(reader, &from, |summary| {
                    if !is_reserved(&summary.topic) && grant.is_for(&summary.topic) {
                        found += 1;
                        page.count += 1;
                        if found <= limit + 1 {
                            page.topics.push(summary);
                        }
                    }
                    count_all || found <= limit
                });
            }
            page.topics.sort_unstable_by(|a, b| a.topic.cmp(&b.topic));
            page.more = page.topics.len() > limit;
            page.topics.truncate(limit);
            page
        };
        self.shared.reads.run(client, once(list)).await
    }

    /// How many events there are, from the totals of the topics. For queries without a filter.
    ///
    /// # Errors
    /// [`QueryError::Busy`].
    pub(crate) async fn tally(&self, client: Client, query: EventQuery) -> Result<u64, QueryError> {
        let readers = Arc::clone(&self.shared.readers);
        let sum = move || {
            let mut events = 0;
            for reader in readers.iter() {
                visit(reader, "", |summary| {
                    events += if query.wants_topic(&summary) { summary.events } else { 0 };
                    true
                });
            }
            events
        };
        self.shared.reads.run(client, once(sum)).await
    }
}

/// Hands the topics of a partition to `visit`, from `from` on and as long as it returns `true`.
fn visit(reader: &Reader, from: &str, mut visit: impl FnMut(TopicSummary) -> bool) {
    let mut from = from.to_owned();
    loop {
        let step = reader.topics_from(&from, STEP_TOPICS);
        let Some(last) = step.last().map(|summary| summary.topic.clone()) else { return };
        let is_last = step.len() < STEP_TOPICS;
        if !step.into_iter().all(&mut visit) || is_last {
            return;
        }
        from = behind(&last);
    }
}

/// The least text behind `topic` in the order of names.
pub(crate) fn behind(topic: &str) -> String {
    format!("{topic}\0")
}
