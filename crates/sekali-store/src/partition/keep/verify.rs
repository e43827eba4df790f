//! Reads everything and checks that log, index and counters agree.

use std::fmt;
use std::sync::Arc;

use super::scrub::{Scrubbed, Scrubber};
use crate::counters::Counters;
use crate::damage::Damage;
use crate::error::{Error, Result};
use crate::event::{StoredEvent, is_reserved};
use crate::index::Entry;
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
    fn add(&mut self, finding: Finding) {
        let alike = |known: &&Finding| std::mem::discriminant(*known) == std::mem::discriminant(&finding);
        if self.findings.iter().filter(alike).count() < NAMED_MAX {
            self.findings.push(finding);
        } else {
            self.unnamed += 1;
        }
    }
}

/// Checks a partition as [`Partition::verify`](crate::Partition::verify) says. `index_damage` names
/// what is missing of the index: once something of it cannot be read, what else it has proves
/// nothing.
pub(crate) fn verify(
    shared: &Arc<Shared>,
    mut scrubber: Scrubber,
    mut index_damage: Option<String>,
    mut progress: impl FnMut(u64),
) -> Result<Verification> {
    let mut found = Verification::default();
    let mut stored = 0;
    let mut scanner = Scanner::everything(Arc::clone(shared));
    loop {
        let batch = scanner.by_ref().take(BATCH).collect::<Result<Vec<_>>>()?;
        if batch.is_empty() {
            break;
        }
        found.events += batch.len() as u64;
        stored += batch.iter().filter(|event| !is_reserved(&event.topic)).count() as u64;
        if index_damage.is_none() {
            match check_batch(shared, &batch, &mut found) {
                Err(error @ Error::Damaged { .. }) => index_damage = Some(error.to_string()),
                checked => checked?,
            }
        }
        progress(found.events);
    }
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
    shared.losses.known.to_vec().into_iter().for_each(|damage| found.add(Finding::Lost(damage)));
    // With events lost, how many entries and counts there should be is not known either.
    if shared.losses.known.is_empty() {
        check_totals(shared, stored, is_index_whole, &mut found);
    }
    Ok(found)
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

fn check_totals(shared: &Shared, stored: u64, is_index_whole: bool, found: &mut Verification) {
    let (counters, expired) = (shared.counters(), shared.expired());
    if !counters.reconcile() || counters.stored != stored + expired.events {
        found.add(Finding::Counters { counters, stored: stored + expired.events });
    }
    let index = shared.index.stats();
    let entries = index.entries_in_runs + index.entries_in_memory;
    let keys = found.events + expired.rows();
    if is_index_whole && entries > keys {
        found.add(Finding::ExtraEntries { count: entries - keys });
    }
}
