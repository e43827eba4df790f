//! The topics of a store, some at a time: no lock is held while many are looked at.

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
    /// [`QueryError::Busy`], and those of the engine.
    pub(crate) async fn topics(
        &self,
        client: Client,
        grant: Grant,
        from: String,
        limit: usize,
        count_all: bool,
    ) -> Result<TopicPage, QueryError> {
        let readers = self.readers_now();
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
                })?;
            }
            page.topics.sort_unstable_by(|a, b| a.topic.cmp(&b.topic));
            page.more = page.topics.len() > limit;
            page.topics.truncate(limit);
            Ok(page)
        };
        self.shared.reads.run(client, once(list)).await?
    }

    /// Adds up what is known of the topics of `query` without reading events, and returns both.
    ///
    /// # Errors
    /// [`QueryError::Busy`], and those of the engine.
    pub(crate) async fn totals(
        &self,
        client: Client,
        query: EventQuery,
        wanted: WantedTotals,
    ) -> Result<(EventQuery, TopicTotals), QueryError> {
        let top = match wanted {
            WantedTotals::Nothing => return Ok((query, TopicTotals::default())),
            WantedTotals::Sums => 0,
            WantedTotals::Largest(top) => top,
        };
        let readers = self.readers_now();
        let sum = move || {
            let mut totals = TopicTotals::default();
            for reader in readers.iter() {
                visit(reader, "", |summary| {
                    if query.wants_topic(&summary) {
                        totals.add(summary, top);
                    }
                    true
                })?;
            }
            totals.keep_largest(top);
            Ok((query, totals))
        };
        self.shared.reads.run(client, once(sum)).await?
    }
}

/// Which totals an answer needs: all topics of a store are gone through for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WantedTotals {
    /// None.
    Nothing,
    /// The number of events, and their first and last timestamp.
    Sums,
    /// These, and so many of the topics with the most events.
    Largest(usize),
}

/// Events of some topics, from their totals.
#[derive(Debug, Default)]
pub(crate) struct TopicTotals {
    /// How many events there are.
    pub(crate) events: u64,
    /// The least and the greatest timestamp, in nanoseconds since 1970-01-01T00:00:00Z.
    pub(crate) timestamps_ns: Option<(i64, i64)>,
    /// How many topics there are.
    pub(crate) topics: u64,
    /// Those with the most events.
    pub(crate) largest: Vec<(String, u64)>,
}

impl TopicTotals {
    fn add(&mut self, summary: TopicSummary, top: usize) {
        self.events += summary.events;
        self.topics += 1;
        let (first, last) = (summary.first_timestamp_ns, summary.last_timestamp_ns);
        let (least, greatest) = self.timestamps_ns.unwrap_or((first, last));
        self.timestamps_ns = Some((least.min(first), greatest.max(last)));
        if top > 0 {
            self.largest.push((summary.topic, summary.events));
        }
        if self.largest.len() > 2 * top {
            self.keep_largest(top);
        }
    }

    fn keep_largest(&mut self, top: usize) {
        self.largest.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        self.largest.truncate(top);
    }
}

/// Hands the topics of a partition to `visit`, from `from` on and as long as it returns `true`.
fn visit(reader: &Reader, from: &str, mut visit: impl FnMut(TopicSummary) -> bool) -> Result<(), QueryError> {
    let mut from = from.to_owned();
    loop {
        let step = reader.topics_from(&from, STEP_TOPICS)?;
        let Some(last) = step.last().map(|summary| summary.topic.clone()) else { return Ok(()) };
        let is_last = step.len() < STEP_TOPICS;
        // Topics of which everything is due by age are none.
        if !step.into_iter().filter(|summary| summary.events > 0).all(&mut visit) || is_last {
            return Ok(());
        }
        from = behind(&last);
    }
}

/// The least text behind `topic` in the order of names.
pub(crate) fn behind(topic: &str) -> String {
    format!("{topic}\0")
}
