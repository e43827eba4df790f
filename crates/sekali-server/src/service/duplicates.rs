//! Who sends events again, and how late: counters since the start, in bounded memory.
//!
//! No event is read for it. When a stored event came is known from a list of times for each
//! partition, which is coarser the longer ago that is.

mod arrivals;

use std::collections::HashMap;
use std::iter;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sekali_store::Outcome;

use self::arrivals::Arrivals;
use crate::clients::Client;
use crate::ingest::Origins;
use crate::limits::RESENDERS_MAX;

/// Bounds of lateness in seconds; the last group has no bound.
pub(crate) const LATE_BELOW_S: [u64; 8] = [1, 10, 60, 600, 3_600, 21_600, 86_400, 604_800];

/// A topic and a source, and the API key that its events come with.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub(crate) struct Resender {
    pub(crate) topic: String,
    pub(crate) source: String,
    /// The name of the key.
    pub(crate) key: Option<String>,
}

/// The outcomes of the events of one origin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ResentCounts {
    /// Events.
    pub(crate) received: u64,
    /// Those with a known key.
    pub(crate) duplicates: u64,
    /// Those of them with other content.
    pub(crate) conflicts: u64,
    /// When the last of them came: nanoseconds since 1970-01-01T00:00:00Z.
    pub(crate) last_ns: i64,
    /// How many came so late; see [`LATE_BELOW_S`].
    pub(crate) late: [u64; LATE_BELOW_S.len() + 1],
    /// How many repeat an event that was stored before the start.
    pub(crate) late_unknown: u64,
}

impl ResentCounts {
    /// Adds others.
    pub(crate) fn add(&mut self, other: &Self) {
        self.received += other.received;
        self.duplicates += other.duplicates;
        self.conflicts += other.conflicts;
        self.last_ns = self.last_ns.max(other.last_ns);
        self.late.iter_mut().zip(other.late).for_each(|(sum, late)| *sum += late);
        self.late_unknown += other.late_unknown;
    }

    fn count(&mut self, outcome: Outcome, late: impl FnOnce(u64) -> Option<Duration>, now_ns: i64) {
        self.received += 1;
        let seq = match outcome {
            Outcome::Stored { .. } => return,
            Outcome::Duplicate { seq } => seq,
            Outcome::Conflict { seq } => {
                self.conflicts += 1;
                seq
            }
        };
        self.duplicates += 1;
        self.last_ns = now_ns;
        match late(seq) {
            None => self.late_unknown += 1,
            Some(late) => {
                let group = LATE_BELOW_S.partition_point(|below| *below <= late.as_secs());
                if let Some(count) = self.late.get_mut(group) {
                    *count += 1;
                }
            }
        }
    }
}

/// The counters of all origins: some 1 KB for each, and 96 KiB for each partition.
#[derive(Debug)]
pub(crate) struct Duplicates {
    started: Instant,
    started_ns: i64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    by: HashMap<Resender, ResentCounts>,
    /// How many of them a client has made.
    made: HashMap<Client, usize>,
    /// Events of those that are not told apart.
    other: ResentCounts,
    /// By number of the partition.
    arrivals: Vec<Arrivals>,
}

/// The counters at one moment.
#[derive(Debug)]
pub(crate) struct DuplicatesReport {
    /// When counting began: nanoseconds since 1970-01-01T00:00:00Z.
    pub(crate) since_ns: i64,
    /// Those with the most duplicates first.
    pub(crate) by: Vec<(Resender, ResentCounts)>,
    /// Those that are not told apart.
    pub(crate) other: ResentCounts,
}

/// The client that sent the events of a request.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    pub(crate) client: Client,
    /// The name of its key.
    pub(crate) key: Option<String>,
}

/// The events of a batch, by their origins, with what became of them.
#[derive(Debug)]
pub(crate) struct SentBatch<'a> {
    pub(crate) partition: u32,
    pub(crate) origins: Origins,
    pub(crate) outcomes: &'a [Outcome],
    /// When they were durable.
    pub(crate) at: Instant,
}

impl Duplicates {
    /// Nothing yet, at this time: nanoseconds since 1970-01-01T00:00:00Z.
    pub(crate) fn new(now_ns: i64) -> Self {
        Self { started: Instant::now(), started_ns: now_ns, state: Mutex::default() }
    }

    /// Counts the events of a batch, which are durable.
    pub(crate) fn count(&self, sender: &Sender, batch: SentBatch<'_>) {
        let SentBatch { partition, origins, outcomes, at } = batch;
        let now = at.saturating_duration_since(self.started);
        let now_ns = self.started_ns.saturating_add(i64::try_from(now.as_nanos()).unwrap_or(i64::MAX));
        // Most batches have one origin, and need no memory for the others.
        let mut first_counts = ResentCounts::default();
        let mut more_counts = vec![ResentCounts::default(); origins.pairs().len().saturating_sub(1)];
        let mut other = ResentCounts::default();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let partition = partition as usize;
        if state.arrivals.len() <= partition {
            state.arrivals.resize_with(partition + 1, Arrivals::default);
        }
        let State { arrivals, .. } = &mut *state;
        let Some(arrivals) = arrivals.get_mut(partition) else { return };
        let stored = outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Stored { seq } => Some(*seq),
            _ => None,
        });
        if let Some((first, last)) = stored.clone().min().zip(stored.max()) {
            arrivals.note(first, last, now);
        }
        for (number, outcome) in origins.numbers().zip(outcomes) {
            let counts = match number {
                None => &mut other,
                Some(0) => &mut first_counts,
                Some(number) => more_counts.get_mut(number - 1).unwrap_or(&mut other),
            };
            counts.count(*outcome, |seq| Some(now.saturating_sub(arrivals.of(seq, now)?)), now_ns);
        }
        state.other.add(&other);
        for ((topic, source), counts) in
            origins.into_pairs().into_iter().zip(iter::once(first_counts).chain(more_counts))
        {
            if counts.received > 0 {
                state.add(Resender { topic, source, key: sender.key.clone() }, &sender.client, &counts);
            }
        }
    }

    /// The counters, of the topics that `is_visible` lets pass.
    pub(crate) fn report(&self, is_visible: impl Fn(&str) -> bool) -> DuplicatesReport {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let visible = state.by.iter().filter(|(resender, _)| is_visible(&resender.topic));
        let mut by: Vec<_> = visible.map(|(resender, counts)| (resender.clone(), counts.clone())).collect();
        let other = state.other.clone();
        drop(state);
        by.sort_by(|(a, of_a), (b, of_b)| of_b.duplicates.cmp(&of_a.duplicates).then_with(|| a.cmp(b)));
        DuplicatesReport { since_ns: self.started_ns, by, other }
    }
}

impl State {
    /// Adds to the counters of an origin. A client may make as many origins as are still free, so
    /// that none can take all.
    fn add(&mut self, resender: Resender, client: &Client, counts: &ResentCounts) {
        if let Some(known) = self.by.get_mut(&resender) {
            known.add(counts);
            return;
        }
        let made = self.made.get(client).copied().unwrap_or_default();
        if made >= RESENDERS_MAX - self.by.len() {
            self.other.add(counts);
            return;
        }
        *self.made.entry(client.clone()).or_default() += 1;
        self.by.insert(resender, counts.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(number: u8) -> Sender {
        Sender { client: Client::Network([10, 0, 0, number].into()), key: None }
    }

    fn count(duplicates: &Duplicates, sender: &Sender, source: &str, outcomes: &[Outcome]) {
        let mut origins = Origins::default();
        outcomes.iter().for_each(|_| origins.push("t", source));
        let at = duplicates.started + Duration::from_nanos(4);
        duplicates.count(sender, SentBatch { partition: 0, origins, outcomes, at });
    }

    #[test]
    fn duplicates_and_how_late_they_come_are_counted_by_origin() {
        let duplicates = Duplicates::new(1);
        let stored = [5, 6, 7].map(|seq| Outcome::Stored { seq });
        count(&duplicates, &sender(1), "a", &stored);
        let again = [Outcome::Duplicate { seq: 6 }, Outcome::Conflict { seq: 2 }, Outcome::Stored { seq: 8 }];
        count(&duplicates, &sender(1), "b", &again);
        let report = duplicates.report(|_| true);
        let (resender, counts) = &report.by[0];
        assert_eq!((&*resender.topic, &*resender.source), ("t", "b"));
        assert_eq!((counts.received, counts.duplicates, counts.conflicts, counts.last_ns), (3, 2, 1, 5));
        assert_eq!((counts.late[0], counts.late_unknown), (1, 1));
        assert_eq!(report.by[1].1.received, 3);
        assert!(duplicates.report(|topic| topic != "t").by.is_empty());
    }

    #[test]
    fn one_client_cannot_take_all_places() {
        let duplicates = Duplicates::new(1);
        for number in 0..2 * RESENDERS_MAX {
            count(&duplicates, &sender(1), &number.to_string(), &[Outcome::Duplicate { seq: 1 }]);
        }
        let report = duplicates.report(|_| true);
        assert_eq!(report.by.len(), RESENDERS_MAX / 2);
        assert_eq!(report.other.duplicates, (2 * RESENDERS_MAX - RESENDERS_MAX / 2) as u64);
        count(&duplicates, &sender(2), "honest", &[Outcome::Duplicate { seq: 1 }]);
        assert!(duplicates.report(|_| true).by.iter().any(|(resender, _)| resender.source == "honest"));
    }
}
