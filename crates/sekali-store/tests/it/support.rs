//! A store on a disk in memory, events to publish, and the oracle that judges the surviving events.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sekali_store::disk::memory::MemoryDisk;
use sekali_store::{
    Batch, ContentRules, Counters, EventRef, HashKey, IndexOptions, KeyHasher, Member, Outcome, Partition, Piece,
    Reader, Result, Scan, StoreMeta, StoreOptions, StoredEvent, Tuning,
};
pub(crate) use sekali_testkit::Random;

pub(crate) const DIR: &str = "/store";

const NEW: StoreMeta = StoreMeta { store_id: 0x5eca11, hash_key: HashKey([3; 32]), partitions: 1 };

/// Payloads are equal if they differ only in spaces.
pub(crate) const RULES: ContentRules = ContentRules {
    canonical: |payload| Some(without_spaces(payload)),
    evidence: |event, first_seq| format!("{first_seq}:{}", String::from_utf8_lossy(event.payload)).into_bytes(),
    members,
    texts,
};

/// The first byte of a payload, and that there is more: so segments have columns of members.
fn members(payload: &[u8], visit: &mut dyn FnMut(Member<'_>)) -> bool {
    if let Some(text) = payload.get(..1) {
        visit(Member::Text { path: b"first", text });
    }
    visit(Member::Rest { part: payload });
    true
}

/// The payload itself.
fn texts(part: &[u8], visit: &mut dyn FnMut(Piece<'_>)) -> bool {
    visit(Piece { text: part, number: None });
    true
}

fn without_spaces(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| *byte != b' ').collect()
}

/// Runs are written and merged, and log files sealed and merged, all the time, on the thread of the
/// commit, so that every call to the disk has a fixed number.
pub(crate) const BUSY: Tuning = Tuning {
    fingerprint_mask: u128::MAX,
    index: IndexOptions { table_entries: 5, background: false },
    log_file_bytes: 2_000,
    free_bytes_min: 0,
    segment_fan_in: 2,
    seal_in_background: false,
};

/// One log file, which is never sealed.
pub(crate) const LOG_ONLY: Tuning = Tuning { log_file_bytes: u64::MAX, ..BUSY };

/// An open partition and its hasher.
pub(crate) struct Opened {
    pub(crate) partition: Partition,
    pub(crate) hasher: KeyHasher,
}

/// Options to open a store on `disk` with [`RULES`].
pub(crate) fn options(disk: &MemoryDisk) -> StoreOptions {
    StoreOptions::new().disk(Arc::new(disk.clone())).rules(RULES)
}

impl Opened {
    /// See [`BUSY`].
    pub(crate) fn open(disk: &MemoryDisk) -> Result<Self> {
        Self::open_with(disk, BUSY)
    }

    pub(crate) fn open_with(disk: &MemoryDisk, tuning: Tuning) -> Result<Self> {
        Self::open_at(disk, Path::new(DIR), tuning)
    }

    pub(crate) fn open_at(disk: &MemoryDisk, dir: &Path, tuning: Tuning) -> Result<Self> {
        let store = options(disk).tuning(tuning).open_or_create(dir, &NEW)?;
        let hasher = store.hasher();
        let partition = store.into_partitions().pop().expect("one partition");
        Ok(Self { partition, hasher })
    }

    pub(crate) fn commit(&mut self, events: &[Sent]) -> Result<Vec<Outcome>> {
        self.commit_at(events, 0)
    }

    pub(crate) fn commit_at(&mut self, events: &[Sent], received_at_ns: i64) -> Result<Vec<Outcome>> {
        let mut outcomes = self.partition.commit(&[self.batch(events)], received_at_ns, None)?;
        Ok(outcomes.pop().expect("one batch"))
    }

    pub(crate) fn batch(&self, events: &[Sent]) -> Batch {
        let mut batch = Batch::new();
        events.iter().for_each(|event| batch.push(&self.hasher, &event.as_ref()));
        batch
    }

    /// Accepts all damage that a check shows. Returns how many places that are.
    pub(crate) fn accept_damage(&mut self) -> usize {
        let shown = self.partition.verify(|_| {}).unwrap();
        self.partition.accept_damage(&shown).unwrap()
    }

    pub(crate) fn reader(&self) -> Reader {
        self.partition.reader()
    }
}

/// An event as a test sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) topic: String,
    pub(crate) event_id: String,
    pub(crate) payload: Vec<u8>,
}

impl Sent {
    pub(crate) fn new(topic: impl ToString, event_id: impl ToString, payload: impl Into<Vec<u8>>) -> Self {
        Self { topic: topic.to_string(), event_id: event_id.to_string(), payload: payload.into() }
    }

    pub(crate) fn as_ref(&self) -> EventRef<'_> {
        let Self { topic, event_id, payload } = self;
        EventRef { topic, event_id, timestamp_ns: payload.len() as i64, source: "test", payload }
    }

    pub(crate) fn key(&self) -> (String, String) {
        (self.topic.clone(), self.event_id.clone())
    }
}

/// A client's journal: the response to each event it sent.
#[derive(Debug, Default, Clone)]
pub(crate) struct Oracle {
    /// Acknowledged keys, with the event that must be stored.
    acked: BTreeMap<(String, String), Sent>,
    /// Events without a response.
    unknown: Vec<Sent>,
}

impl Oracle {
    /// Notes the `outcomes` of `events`.
    pub(crate) fn told(&mut self, events: &[Sent], outcomes: &[Outcome]) {
        for (event, outcome) in events.iter().zip(outcomes) {
            match outcome {
                Outcome::Stored { .. } => {
                    let before = self.acked.insert(event.key(), event.clone());
                    assert_eq!(before, None, "stored twice");
                }
                Outcome::Duplicate { .. } | Outcome::Conflict { .. } if self.acked.contains_key(&event.key()) => {}
                // The original is an event whose sender got no response.
                Outcome::Duplicate { .. } => drop(self.acked.insert(event.key(), event.clone())),
                Outcome::Conflict { .. } => {}
            }
        }
    }

    /// Notes events whose commit had no response.
    pub(crate) fn not_told(&mut self, events: &[Sent]) {
        self.unknown.extend_from_slice(events);
    }

    /// Checks that `opened` has every acknowledged event once and no invented one, that seqs have
    /// no gap, and that counters reconcile.
    pub(crate) fn check(&self, opened: &Opened) {
        let reader = opened.reader();
        assert_eq!(
            (reader.damage(), reader.flaws()),
            (vec![], vec![]),
            "no fault of this test damages what is durable"
        );
        let mut stored = BTreeMap::new();
        let (mut rows, mut evidence) = (0, 0);
        let conflicts = Scan { topic: Some("$conflicts".to_owned()), ..Scan::default() };
        let mut seqs = Vec::new();
        for event in reader.scan(conflicts) {
            seqs.push(event.expect("readable").seq);
            evidence += 1;
        }
        for event in reader.scan(Scan::default()) {
            let event = event.expect("readable");
            rows += 1;
            seqs.push(event.seq);
            let twice = stored.insert((event.topic.clone(), event.event_id.clone()), event);
            assert_eq!(twice, None, "stored twice");
        }
        seqs.sort_unstable();
        assert!(seqs.is_sorted_by(|a, b| a < b), "a seq repeats");
        let expired = reader.expired();
        let missing = |seq: u64| seqs.binary_search(&seq).is_err();
        let gone = (1..=reader.last_seq()).filter(|seq| missing(*seq)).collect::<Vec<_>>();
        assert!(gone.last().is_none_or(|last| *last <= expired.last_seq), "seqs have a gap: {gone:?}");
        assert_eq!(gone.len() as u64, expired.rows(), "seqs have a gap");
        let Counters { received, stored: unique, duplicates, conflicts } = reader.counters();
        assert_eq!((received, unique), (unique + duplicates, rows + expired.events), "counters do not reconcile");
        assert!(conflicts >= evidence);
        for (key, sent) in &self.acked {
            let Some(event) = stored.remove(key) else {
                assert!(expired.events > 0, "acknowledged and lost: {key:?}");
                continue;
            };
            assert_eq!(without_spaces(&event.payload), without_spaces(&sent.payload), "wrong bytes: {key:?}");
            assert_eq!(reader.find(&key.0, &key.1).expect("readable"), Some(event));
        }
        for (key, event) in stored {
            let sent = self.unknown.iter().any(|sent| sent.key() == key && sent.payload == event.payload);
            assert!(sent, "invented: {key:?}");
        }
    }

    /// The number of acknowledged events.
    pub(crate) fn acked(&self) -> u64 {
        self.acked.len() as u64
    }

    /// Checks that sending all acknowledged events again yields only duplicates; or conflicts, if
    /// the spaces differ from those of an expired event.
    pub(crate) fn check_resend(&self, opened: &mut Opened) {
        let events: Vec<_> = self.acked.values().cloned().collect();
        let (before, has_expired) = (opened.reader().counters(), opened.reader().expired().events > 0);
        let outcomes = opened.commit(&events).expect("a healthy store takes commits");
        let known = |outcome: &Outcome| match outcome {
            Outcome::Stored { .. } => false,
            Outcome::Duplicate { .. } => true,
            Outcome::Conflict { .. } => has_expired,
        };
        assert!(outcomes.iter().all(known), "{outcomes:?}");
        assert_eq!(opened.reader().counters().stored, before.stored);
    }
}

/// Random events.
pub(crate) trait RandomEvents {
    fn events(&mut self) -> Vec<Sent>;
}

impl RandomEvents for Random {
    /// Some events from a small space of keys, so that many are duplicates and some conflict.
    fn events(&mut self) -> Vec<Sent> {
        (0..self.below(6))
            .map(|_| {
                let (topic, id, version) = (self.below(3), self.below(40), self.below(8));
                let payload = if version == 0 {
                    "changed".to_owned()
                } else {
                    format!("{}p{topic} {id}", " ".repeat(version as usize % 3))
                };
                let padding = if self.below(40) == 0 { "x".repeat(70_000) } else { String::new() };
                Sent::new(format!("topic-{topic}"), format!("{id}-{}", padding.len()), format!("{payload}{padding}"))
            })
            .collect()
    }
}

/// All files of the store with this ending, in order.
pub(crate) fn files(disk: &MemoryDisk, ending: &str) -> Vec<PathBuf> {
    disk.paths().into_iter().filter(|path| path.extension().is_some_and(|extension| extension == ending)).collect()
}

/// All events of a scan.
pub(crate) fn collect(reader: &Reader, scan: Scan) -> Vec<StoredEvent> {
    reader.scan(scan).collect::<Result<_>>().expect("readable")
}
