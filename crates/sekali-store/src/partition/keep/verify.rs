//! Reads everything and checks that log, index and counters agree.

use std::fmt;
use std::sync::Arc;

use super::scrub::{Scrubbed, Scrubber};
use crate::counters::Counters;
use crate::damage::Damage;
use crate::error::{Error, Result};
use crate::event::{StoredEvent, is_reserved};
use crate::index::Entry;
use crate::invariant::invariant;
use crate::meta::partition_of;
use crate::partition::read::{Scanner, read_row};
use crate::partition::shared::Shared;

/// Events checked with one look-up.
const BATCH: usize = 4_096;
/// Bytes that are scrubbed at a time.
const SCRUB_BYTES: u64 = 16 * 1024 * 1024;
/// Findings of one kind that are named; more are counted.
const NAMED_MAX: usize = 100;

/// Findings of a check of a partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// Events read, conflict evidence included.
    pub events: u64,
    /// The faults; empty if there are none.
    pub findings: Vec<Finding>,
    /// Findings beyond those.
    pub unnamed: u64,
    /// All damage that nobody has accepted, also where it costs no event.
    pub damage: Vec<Damage>,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Stored events cannot be read.
    Lost(Damage),
    /// An event that the index does not know: a duplicate of it would be stored again.
    NotInIndex {
        /// Its position.
        seq: u64,
    },
    /// One key is stored twice.
    StoredTwice {
        /// Position of the first.
        first_seq: u64,
        /// Position of the second.
        second_seq: u64,
    },
    /// The index has entries of no event.
    ExtraEntries {
        /// How many.
        count: u64,
    },
    /// The keys of expired events are lost: late duplicates of them would be stored again.
    ForgottenKeys {
        /// No expired event behind this seq is among them.
        last_seq: u64,
    },
    /// A file is damaged where it costs no event.
    Flaw(String),
    /// The index cannot be read. Events were not compared with it, or not all of them.
    IndexDamaged(String),
    /// Events that are not there, and nothing says why.
    Missing {
        /// The first seq of the range that they are in.
        first_seq: u64,
        /// The last seq of that range.
        last_seq: u64,
        /// How many they are.
        count: u64,
    },
    /// An event whose topic lives in another partition: no reader of the topic finds it.
    WrongPartition {
        /// Its position.
        seq: u64,
        /// The partition of its topic.
        partition: u32,
    },
    /// The counters disagree with each other, or with the events.
    Counters {
        /// The counters.
        counters: Counters,
        /// Events that are there or have expired, conflict evidence left out.
        stored: u64,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(damage) => damage.fmt(f),
            Self::NotInIndex { seq } => write!(f, "the index does not know the event with seq {seq}"),
            Self::StoredTwice { first_seq, second_seq } => {
                write!(f, "the events with seq {first_seq} and {second_seq} have one key")
            }
            Self::ExtraEntries { count } => write!(f, "the index has {count} entries of events that are not stored"),
            Self::ForgottenKeys { last_seq } => {
                write!(f, "the index has lost keys of events that have expired, of seqs up to {last_seq}")
            }
            Self::Flaw(what) | Self::IndexDamaged(what) => f.write_str(what),
            Self::Missing { first_seq, last_seq, count } => {
                write!(f, "{count} events are missing with seqs from {first_seq} to {last_seq}, and nothing says why")
            }
            Self::WrongPartition { seq, partition } => {
                write!(f, "the event with seq {seq} is of a topic that lives in partition {partition}")
            }
            Self::Counters { counters, stored } => {
                let Counters { received, stored: counted, duplicates, conflicts } = counters;
                write!(
                    f,
                    "the counters are off: {received} received, {counted} stored, {duplicates} duplicates, {conflicts} \
                     conflicts, but {stored} events are there or have expired"
                )
            }
        }
    }
}

impl Finding {
    /// The remedy, as a sentence for an operator.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Lost(_) => {
                "events that are lost: publish everything of their time again (what is there is a duplicate, what was lost is stored), or \
                 restore a backup; then accept the loss with sekali verify --accept-lost"
            }
            Self::NotInIndex { .. } | Self::ExtraEntries { .. } | Self::IndexDamaged(_) => {
                "the index: stop the server and run sekali verify --rebuild-index, which makes it anew from the events"
            }
            Self::Missing { .. } | Self::WrongPartition { .. } => {
                "events that are missing without a reason, or in another partition: please report it with the lines above, keep a \
                 copy of the data directory, and restore a backup"
            }
            Self::StoredTwice { .. } => {
                "a key that is stored twice: please report it with the lines above; readers see both events"
            }
            Self::ForgottenKeys { .. } => {
                "forgotten keys: nothing can bring them back; events that old are stored again if they are sent again. \
                 sekali verify --accept-lost accepts that"
            }
            Self::Flaw(_) => {
                "files with flaws: no event is lost; make a backup, and check the disk, before something is. A header of the log is \
                 named until its file is sealed, or until sekali verify --accept-lost"
            }
            Self::Counters { .. } => {
                "counters: they do not mend by themselves; what is stored is right, see the number of events that are there"
            }
        }
    }
}

impl Verification {
    /// The seq up to which keys were forgotten, if that is among the findings.
    pub(crate) fn forgotten_seq(&self) -> Option<u64> {
        self.findings.iter().find_map(|finding| match finding {
            Finding::ForgottenKeys { last_seq } => Some(*last_seq),
            _ => None,
        })
    }

    fn add(&mut self, finding: Finding) {
        let alike = |known: &&Finding| std::mem::discriminant(*known) == std::mem::discriminant(&finding);
        if self.findings.iter().filter(alike).count() < NAMED_MAX {
            self.findings.push(finding);
        } else {
            self.unnamed += 1;
        }
    }
}

/// A partition to check, as [`Partition::verify`](crate::Partition::verify) says.
pub(crate) struct Check<'a> {
    pub(crate) shared: &'a Arc<Shared>,
    /// Its number.
    pub(crate) partition: u32,
    /// How many there are.
    pub(crate) partitions: u32,
}

/// The seqs of the events that were read.
#[derive(Debug)]
struct SeqsRead {
    /// The next one to be expected.
    next_seq: u64,
    /// Missing ones that may have expired.
    gone: u64,
}

impl Check<'_> {
    /// Checks everything. `index_damage` names what is missing of the index: once something of it
    /// cannot be read, what else it has proves nothing.
    pub(crate) fn run(
        &self,
        mut scrubber: Scrubber,
        mut index_damage: Option<String>,
        mut progress: impl FnMut(u64),
    ) -> Result<Verification> {
        let shared = self.shared;
        let mut found = Verification::default();
        let (mut stored, mut seqs) = (0, SeqsRead { next_seq: 1, gone: 0 });
        let end_seq = shared.snapshot().end_seq;
        let mut scanner = Scanner::everything(Arc::clone(shared));
        loop {
            let batch = scanner.by_ref().take(BATCH).collect::<Result<Vec<_>>>()?;
            if batch.is_empty() {
                break;
            }
            invariant!(batch.is_sorted_by_key(|event| event.seq), "events are not read in the order of their seqs");
            found.events += batch.len() as u64;
            stored += batch.iter().filter(|event| !is_reserved(&event.topic)).count() as u64;
            batch.iter().for_each(|event| self.check_place(event, &mut seqs, &mut found));
            if index_damage.is_none() {
                match check_batch(shared, &batch, &mut found) {
                    Err(error @ Error::Damaged { .. }) => index_damage = Some(error.to_string()),
                    checked => checked?,
                }
            }
            progress(found.events);
        }
        invariant!(seqs.next_seq <= end_seq, "an event was read that is not durable");
        self.pass_gap(end_seq, &mut seqs, &mut found);
        let is_index_whole = index_damage.is_none();
        index_damage.into_iter().for_each(|what| found.add(Finding::IndexDamaged(what)));
        let mut scrubbed = Scrubbed::default();
        while !scrubbed.is_done {
            scrubbed = scrubber.step(SCRUB_BYTES);
            std::mem::take(&mut scrubbed.mended).into_iter().for_each(|what| found.add(Finding::Flaw(what)));
        }
        shared.losses.known.flaws().into_iter().for_each(|what| found.add(Finding::Flaw(what)));
        let expired = shared.expired();
        if expired.forgotten_keys().is_some() {
            found.add(Finding::ForgottenKeys { last_seq: expired.forgotten_seq });
        }
        found.damage = shared.losses.known.open();
        let lost: Vec<_> = found.damage.iter().filter(|damage| damage.costs_events()).cloned().collect();
        lost.into_iter().for_each(|damage| found.add(Finding::Lost(damage)));
        self.check_totals(stored, seqs.gone, is_index_whole, &mut found);
        Ok(found)
    }

    /// Checks that nothing is missing before an event, and that it is in the partition of its topic.
    fn check_place(&self, event: &StoredEvent, seqs: &mut SeqsRead, found: &mut Verification) {
        self.pass_gap(event.seq, seqs, found);
        seqs.next_seq = event.seq + 1;
        // Events of reserved topics are beside the events that they are about.
        let partition = partition_of(&event.topic, self.partitions);
        if partition != self.partition && !is_reserved(&event.topic) {
            found.add(Finding::WrongPartition { seq: event.seq, partition });
        }
    }

    /// Looks at the seqs without an event before `seq`: they are lost, have expired, or are missing.
    fn pass_gap(&self, seq: u64, seqs: &mut SeqsRead, found: &mut Verification) {
        if seq <= seqs.next_seq {
            return;
        }
        let expired_seq = self.shared.expired().last_seq;
        for part in self.shared.losses.known.unexplained(seqs.next_seq..=seq - 1) {
            let (first_seq, last_seq) = part.into_inner();
            seqs.gone += (last_seq.min(expired_seq) + 1).saturating_sub(first_seq);
            let first_seq = first_seq.max(expired_seq + 1);
            if first_seq <= last_seq {
                found.add(Finding::Missing { first_seq, last_seq, count: last_seq - first_seq + 1 });
            }
        }
    }

    /// Checks that counters, index and events agree. Of lost events nobody knows whether they were
    /// ordinary ones, and whether the index has their keys.
    fn check_totals(&self, stored: u64, gone: u64, is_index_whole: bool, found: &mut Verification) {
        let shared = self.shared;
        let (counters, expired, lost) = (shared.counters(), shared.expired(), shared.losses.known.lost_seqs());
        let stored = stored + expired.events;
        if !counters.reconcile() || !(stored..=stored.saturating_add(lost)).contains(&counters.stored) {
            found.add(Finding::Counters { counters, stored });
        }
        // How many have expired is not known after the manifest was lost.
        if gone > expired.rows() && expired.rows() > 0 {
            let (last_seq, count) = (expired.last_seq, gone - expired.rows());
            found.add(Finding::Missing { first_seq: 1, last_seq, count });
        }
        let index = shared.index.stats();
        let entries = index.entries_in_runs + index.entries_in_memory;
        let keys = found.events + expired.rows() + lost;
        if is_index_whole && entries > keys {
            found.add(Finding::ExtraEntries { count: entries - keys });
        }
    }
}

fn check_batch(shared: &Shared, batch: &[StoredEvent], found: &mut Verification) -> Result<()> {
    let hashes: Vec<_> = batch.iter().map(|event| shared.hasher.hash(&event.as_ref())).collect();
    let fingerprints: Vec<_> = hashes.iter().map(|hash| hash.fingerprint).collect();
    let mut entries = Vec::new();
    shared.index.look_up(&fingerprints, &mut entries)?;
    entries.sort_unstable();
    let mut entries = entries.into_iter().peekable();
    for (position, (event, hash)) in batch.iter().zip(hashes).enumerate() {
        let mut is_known = false;
        while let Some((_, entry)) = entries.next_if(|(of, _)| *of == position) {
            is_known |= entry == Entry { fingerprint: hash.fingerprint, seq: event.seq, content: hash.content };
            let other = if entry.seq < event.seq { read_row(shared, &event.topic, entry.seq)? } else { None };
            if other.is_some_and(|other| other.event_id == event.event_id) {
                found.add(Finding::StoredTwice { first_seq: entry.seq, second_seq: event.seq });
            }
        }
        if !is_known {
            found.add(Finding::NotInIndex { seq: event.seq });
        }
    }
    Ok(())
}
