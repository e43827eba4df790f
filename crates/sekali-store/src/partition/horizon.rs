//! Events that are due by age: reads leave them out, whether or not their file is still there.
//!
//! Events are received in order of seq, so of the topics with one age those before some seq are
//! due, and no others. That seq is the *cut* of this age.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::data_file::DataFile;
use crate::retention::Retention;
use crate::tally::Tally;

/// The events that are due by age at one moment.
#[derive(Debug)]
pub(super) struct Horizon {
    pub(super) retention: Arc<Retention>,
    /// When it was looked: nanoseconds since 1970-01-01T00:00:00Z.
    pub(super) now_ns: i64,
    /// One for each age.
    pub(super) cuts: Vec<Arc<Cut>>,
}

/// Which events are due of the topics with one age.
#[derive(Debug, Clone, Default)]
pub(super) struct Cut {
    pub(super) age_ns: i64,
    /// The first seq that is not due.
    pub(super) seq: u64,
    /// The latest time of receipt before the cut.
    pub(super) latest_ns: i64,
    /// The first seq of the file that the cut goes through, if it goes through one.
    pub(super) file_seq: u64,
    /// Counts of the due events of that file.
    pub(super) due: BTreeMap<Box<str>, Tally>,
}

impl Cut {
    /// The cut before everything in `file`.
    pub(super) fn before(file: Option<&DataFile>, age_ns: i64, latest_ns: i64) -> Self {
        let file_seq = file.map_or(0, DataFile::first_seq);
        Self { age_ns, seq: file_seq, latest_ns, file_seq, due: BTreeMap::new() }
    }

    /// Whether it goes through `file`.
    pub(super) fn is_in(&self, file: &DataFile) -> bool {
        self.file_seq == file.first_seq()
    }
}

impl Horizon {
    /// The first seq of `topic` that is not due.
    pub(super) fn first_seq_of(&self, topic: &str) -> u64 {
        self.cut_of(topic).map_or(0, |cut| cut.seq)
    }

    /// A seq before which everything is due, of whatever topic.
    pub(super) fn first_seq(&self) -> u64 {
        let mut first_seq = u64::MAX;
        for rule in &self.retention.ages {
            first_seq = first_seq.min(rule.age_ns.map_or(0, |age_ns| self.cut(age_ns).map_or(0, |cut| cut.seq)));
            if rule.topics.as_str() == "*" {
                return first_seq;
            }
        }
        // Topics without a rule have no age.
        0
    }

    /// Whether events with this seq or later ones may be left out.
    pub(super) fn reaches(&self, seq: u64) -> bool {
        self.cuts.iter().any(|cut| seq < cut.seq)
    }

    /// Whether an event is left out.
    pub(super) fn hides(&self, topic: &str, seq: u64) -> bool {
        self.cuts.iter().any(|cut| seq < cut.seq) && seq < self.first_seq_of(topic)
    }

    /// Takes from the counts of a topic what is due of it in `files`. The range of timestamps
    /// remains that of all files that are not due as a whole.
    pub(super) fn take_due(&self, topic: &str, counts: &mut Tally, files: &[DataFile]) {
        let Some(cut) = self.cut_of(topic) else { return };
        let before = files.partition_point(|file| file.first_seq() < cut.seq);
        let (files, behind) = files.split_at(before);
        if files.is_empty() {
            return;
        }
        let mut left = Tally { events: counts.events, bytes: counts.bytes, ..Tally::default() };
        let mut widen = |file: &DataFile| {
            let (first_ns, last_ns) = file.timestamps_ns(topic).unwrap_or((i64::MAX, i64::MIN));
            left.first_timestamp_ns = left.first_timestamp_ns.min(first_ns);
            left.last_timestamp_ns = left.last_timestamp_ns.max(last_ns);
        };
        let mut due = Tally::default();
        for file in files {
            if file.end_seq() <= cut.seq {
                file.tally(topic).iter().for_each(|tally| due.add(tally));
            } else {
                widen(file);
                cut.due.get(topic).filter(|_| file.tally(topic).is_some()).into_iter().for_each(|tally| due.add(tally));
            }
        }
        behind.iter().for_each(&mut widen);
        if left.first_timestamp_ns > left.last_timestamp_ns {
            left = *counts;
        }
        left.events = left.events.saturating_sub(due.events);
        left.bytes = left.bytes.saturating_sub(due.bytes);
        *counts = left;
    }

    /// The cut of this age.
    pub(super) fn cut(&self, age_ns: i64) -> Option<&Arc<Cut>> {
        self.cuts.iter().find(|cut| cut.age_ns == age_ns)
    }

    fn cut_of(&self, topic: &str) -> Option<&Arc<Cut>> {
        self.cut(self.retention.age_ns(topic)?)
    }
}
