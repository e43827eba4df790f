//! The reading half of a partition.

use std::sync::Arc;

use super::compare::compare;
use super::due;
use super::lookup::read_row;
use super::scan::{Scan, Scanner};
use crate::batch::{Batch, event_of};
use crate::counters::Counters;
use crate::damage::Damage;
use crate::error::Result;
use crate::event::StoredEvent;
use crate::index::IndexStats;
use crate::manifest::Expired;
use crate::partition::data_file::DataFile;
use crate::partition::horizon::Horizon;
use crate::partition::shared::Shared;

/// A handle to read a partition with, beside its writer and other readers. Cheap to clone. It sees
/// what is durable, all of it and nothing else, and waits for no sync. Methods that answer a
/// `Result` read files, and block while they do.
///
/// Events that are due by age are left out of reads [at a time](Reader::at), even if their file is
/// still there.
#[derive(Debug, Clone)]
pub struct Reader {
    pub(in crate::partition) shared: Arc<Shared>,
    now_ns: Option<i64>,
}

/// Facts about a topic that need no read of its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSummary {
    /// Its name.
    pub topic: String,
    /// Number of stored events.
    pub events: u64,
    /// Bytes of their rows.
    pub bytes: u64,
    /// The least timestamp: nanoseconds since 1970-01-01T00:00:00Z.
    pub first_timestamp_ns: i64,
    /// The greatest timestamp.
    pub last_timestamp_ns: i64,
}

/// Bytes on disk by kind of file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StorageStats {
    /// Sealed segments.
    pub segments: usize,
    /// Their length in bytes.
    pub segment_bytes: u64,
    /// Log files, the one that is written to included.
    pub log_files: usize,
    /// Their length in bytes.
    pub log_bytes: u64,
    /// Why sealing failed the last time, if it did. It is tried again.
    pub sealing_failed: Option<String>,
    /// When the oldest event was received that is in no segment yet: nanoseconds since
    /// 1970-01-01T00:00:00Z.
    pub oldest_unsealed_ns: Option<i64>,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, now_ns: None }
    }

    /// A reader at this time, in nanoseconds since 1970-01-01T00:00:00Z. Its [`find`](Self::find),
    /// [`scan`](Self::scan), [`oldest`](Self::oldest) and [`topics`](Self::topics) leave out the
    /// events that are past their age by the rules that were [applied](crate::Retainer::apply) last.
    /// An event disappears within a 1024th of the shortest age after it is due, at most a second.
    ///
    /// Times of receipt may be wrong: an event whose time lies before that of an earlier one, or in
    /// the future, counts as received with the next.
    #[must_use]
    pub fn at(&self, now_ns: i64) -> Self {
        Self { shared: Arc::clone(&self.shared), now_ns: Some(now_ns) }
    }

    /// Counters over the life of the partition.
    pub fn counters(&self) -> Counters {
        self.shared.counters()
    }

    /// The time that the last commit was given, if there was one: nanoseconds since
    /// 1970-01-01T00:00:00Z.
    pub fn last_commit_ns(&self) -> Option<i64> {
        self.shared.last_commit_ns()
    }

    /// The position in the upstream log of the last durable commit that was given one.
    pub fn upstream(&self) -> Option<u64> {
        self.shared.upstream()
    }

    /// The expired events. Counters still include them.
    pub fn expired(&self) -> Expired {
        self.shared.expired()
    }

    /// The oldest event that is kept, reserved topics left out.
    pub fn oldest(&self) -> Result<Option<StoredEvent>> {
        self.scan(Scan::default()).beginning_with_one().next().transpose()
    }

    /// Every topic with events, reserved ones included, sorted by name.
    ///
    /// # Errors
    /// Those of reading what is due by age.
    pub fn topics(&self) -> Result<Vec<TopicSummary>> {
        let mut topics = self.topics_from("", usize::MAX)?;
        topics.retain(|topic| topic.events > 0);
        Ok(topics)
    }

    /// The same from `from` on, at most `limit`. Topics of which all events are due by age are among
    /// them, with 0 events.
    ///
    /// # Errors
    /// Those of reading what is due by age.
    pub fn topics_from(&self, from: &str, limit: usize) -> Result<Vec<TopicSummary>> {
        let horizon = self.horizon()?;
        Ok(self.shared.topics_from(from, limit, |topic, tally, files| {
            let mut left = *tally;
            if let Some(horizon) = &horizon {
                horizon.take_due(topic, &mut left, files);
            }
            TopicSummary {
                topic: topic.to_owned(),
                events: left.events,
                bytes: left.bytes,
                first_timestamp_ns: left.first_timestamp_ns,
                last_timestamp_ns: left.last_timestamp_ns,
            }
        }))
    }

    fn horizon(&self) -> Result<Option<Arc<Horizon>>> {
        self.now_ns.map_or(Ok(None), |now_ns| due::horizon(&self.shared, now_ns))
    }

    /// Number of topics with events, reserved ones included. Takes no lock.
    pub fn topic_count(&self) -> usize {
        self.shared.topic_count()
    }

    /// How many topics of a batch have no events yet.
    pub fn count_new_topics(&self, batch: &Batch) -> usize {
        let topics = batch.events().filter_map(|(_, row)| Some(event_of(row)?.topic));
        self.shared.count_new(&topics.collect())
    }

    /// The stored event with this key.
    pub fn find(&self, topic: &str, event_id: &str) -> Result<Option<StoredEvent>> {
        let first_seq = self.horizon()?.map_or(0, |horizon| horizon.first_seq_of(topic));
        let fingerprint = self.shared.hasher.fingerprint(topic, event_id);
        let mut entries = Vec::new();
        self.shared.index.look_up(&[fingerprint], &mut entries)?;
        // The newest first: where a lost event was published again, the older entry leads to
        // nothing.
        entries.sort_unstable_by_key(|(_, entry)| std::cmp::Reverse(entry.seq));
        for (_, entry) in entries.into_iter().filter(|(_, entry)| entry.seq >= first_seq) {
            let event = read_row(&self.shared, topic, entry.seq)?;
            if let Some(event) = event.filter(|event| event.event_id == event_id) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// Finds out how the events of a batch that was set aside compare with what is stored, so that
    /// a later commit can decide it. Takes as long as reading the batch and what it is compared
    /// with; no commit waits for it.
    ///
    /// # Errors
    /// Those of reading. What is damaged counts as lost, and is no error.
    pub fn compare(&self, batch: &mut Batch) -> Result<()> {
        compare(&self.shared, std::slice::from_mut(batch))
    }

    /// The seq of the newest event; 0 where there is none.
    pub fn last_seq(&self) -> u64 {
        self.shared.snapshot().end_seq - 1
    }

    /// Reads events in order, as they are at this moment.
    pub fn scan(&self, scan: Scan) -> Scanner {
        Scanner::new(Arc::clone(&self.shared), scan, self.now_ns)
    }

    /// Sizes of the dedup index, and the cost of its look-ups.
    pub fn index_stats(&self) -> IndexStats {
        self.shared.index.stats()
    }

    /// Bytes on disk of the stored events.
    pub fn storage_stats(&self) -> StorageStats {
        let sealing_failed = self.shared.sealing_failed().map(|(_, what)| what);
        // Where it cannot be read, sealing says why.
        let oldest_unsealed_ns = self.shared.oldest_unsealed_ns().unwrap_or_default();
        let mut stats = StorageStats { sealing_failed, oldest_unsealed_ns, ..StorageStats::default() };
        for file in self.shared.snapshot().files.iter() {
            match file {
                DataFile::Segment(segment) => {
                    stats.segments += 1;
                    stats.segment_bytes += segment.info().file_bytes;
                }
                DataFile::Log(file) => {
                    stats.log_files += 1;
                    stats.log_bytes += file.block_index().end;
                }
            }
        }
        stats
    }

    /// Free bytes on the disk of the partition. Commits are refused below
    /// [`FREE_BYTES_MIN`](crate::limits::FREE_BYTES_MIN).
    ///
    /// # Errors
    /// The disk refuses to tell.
    pub fn free_bytes(&self) -> Result<u64> {
        self.shared.space.available()
    }

    /// Stored events that are known to be unreadable, but for those whose loss was accepted: see
    /// [`Partition::accept_damage`](crate::Partition::accept_damage).
    pub fn damage(&self) -> Vec<Damage> {
        self.shared.losses.known.to_vec()
    }

    /// Damage that has lost no event so far, as sentences. Lost keys of expired events are included.
    pub fn flaws(&self) -> Vec<String> {
        self.shared.losses.known.flaws().into_iter().chain(self.shared.expired().forgotten_keys()).collect()
    }

    /// Why the partition takes no more commits, if it does not.
    pub fn stopped(&self) -> Option<String> {
        self.shared.stopped()
    }
}
