//! Takes back events that count as lost and are there again, as when a disk was away.
//!
//! Lost events stay hidden, because they may have been published again, and would appear twice. So
//! a loss is taken back if all of its events can be read and none of their keys is stored again.
//! Otherwise all of them stay lost.

use super::data_file::DataFile;
use super::read::{ReadRange, next_chunk, visit_all};
use super::shared::RecoveredPartition;
use crate::damage::SeqSet;
use crate::error::Result;
use crate::event::EventRef;
use crate::hash::KeyHasher;
use crate::index::{Entry, IndexMend};
use crate::invariant::invariant;
use crate::manifest::Lost;

/// Events that are looked up together, at least.
const BATCH: usize = 4_096;

/// Losses of which the events can be read.
#[derive(Debug, Default)]
pub(super) struct LossesBack {
    /// Those that can be taken back.
    pub(super) whole: Vec<Lost>,
    /// Says why the others cannot.
    pub(super) kept: Vec<String>,
}

/// The finding of a look at a loss.
enum Found {
    /// Not all of its events can be read.
    Unreadable,
    /// An event was published again, and has another seq now.
    StoredAgain { seq: u64, again: u64 },
    /// All events are there, and perhaps not all of their keys.
    Whole { has_keys: bool },
}

impl LossesBack {
    /// Looks at the losses that were known before `opened` was opened.
    ///
    /// # Errors
    /// Those of reading. Damage is none.
    pub(super) fn look(opened: &RecoveredPartition) -> Result<Self> {
        let (mut back, mut taken) = (Self::default(), SeqSet::default());
        for lost in opened.manifest.get().lost.into_iter().filter(|lost| lost.first_seq <= lost.last_seq) {
            match look_at(opened, &lost, &taken)? {
                Found::Unreadable => {}
                Found::StoredAgain { seq, again } => {
                    let Lost { file, first_seq, last_seq, .. } = lost;
                    back.kept.push(format!(
                        "events with seq {first_seq} to {last_seq}, which were lost with {file}, can be read again, but stay \
                         hidden: the one with seq {seq} was published again and has seq {again}"
                    ));
                }
                Found::Whole { has_keys } => {
                    taken.insert(lost.first_seq..=lost.last_seq);
                    back.whole.push(lost);
                    if !has_keys {
                        // Others may have the same keys, which would not be found.
                        break;
                    }
                }
            }
        }
        invariant!(taken.len() >= back.whole.len() as u64, "a loss without events is taken back");
        if !back.whole.is_empty() {
            // The others are looked at again then.
            back.kept.clear();
        }
        Ok(back)
    }
}

/// Shows the events of these losses again. Their keys are known before. Returns a sentence for
/// each.
///
/// # Errors
/// I/O errors. The losses are then as they were.
pub(super) fn take(
    losses: &[Lost],
    files: &[DataFile],
    hasher: KeyHasher,
    mut mend: IndexMend,
    covered_seq: u64,
) -> Result<Vec<String>> {
    for lost in losses {
        let is_whole = visit(files, hasher, lost, |entries| {
            // Those behind come from the log, at every start.
            let covered = entries.partition_point(|entry| entry.seq <= covered_seq);
            mend.add(entries.get(..covered).unwrap_or_default())?;
            Ok(true)
        })?;
        invariant!(is_whole, "a loss is taken back of which not all events can be read");
    }
    mend.finish_returned(losses)?;
    let told = |lost: &Lost| {
        let Lost { file, first_seq, last_seq, .. } = lost;
        format!("events with seq {first_seq} to {last_seq}, which were lost with {file}, are back")
    };
    Ok(losses.iter().map(told).collect())
}

/// Looks whether all events of a loss can be read, and none is stored again. Losses with seqs in
/// `taken` are about to be taken back.
fn look_at(opened: &RecoveredPartition, lost: &Lost, taken: &SeqSet) -> Result<Found> {
    let (mut stored_again, mut has_keys) = (None, true);
    let is_whole = visit(&opened.files, opened.hasher, lost, |entries| {
        let fingerprints: Vec<_> = entries.iter().map(|entry| entry.fingerprint).collect();
        let (mut found, mut known) = (Vec::new(), 0);
        opened.index.look_up(&fingerprints, &mut found)?;
        for (at, other) in found {
            let Some(entry) = entries.get(at) else { continue };
            if entry == &other {
                known += 1;
            } else if entry.seq != other.seq && (taken.contains(other.seq) || !opened.damage.covers(other.seq)) {
                // Another key with the same fingerprint counts as well: the loss stays one then.
                stored_again = Some((entry.seq, other.seq));
            }
        }
        has_keys &= known >= entries.len();
        Ok(stored_again.is_none())
    })?;
    Ok(match stored_again {
        Some((seq, again)) => Found::StoredAgain { seq, again },
        None if is_whole => Found::Whole { has_keys },
        None => Found::Unreadable,
    })
}

/// Hands the entries of the events of a loss to `visit`, in order, some at a time, as long as it
/// returns `true`. Returns whether all of them were there.
fn visit(
    files: &[DataFile],
    hasher: KeyHasher,
    lost: &Lost,
    mut visit: impl FnMut(&[Entry]) -> Result<bool>,
) -> Result<bool> {
    let (mut entries, mut next_seq) = (Vec::new(), lost.first_seq);
    for file in files {
        while let Some(chunk) = next_chunk(file, &range(next_seq, lost.last_seq)) {
            let begin = next_seq;
            visit_all(file, &chunk, |seq, event| {
                if seq == next_seq && seq <= lost.last_seq {
                    entries.push(entry(hasher, seq, event));
                    next_seq += 1;
                }
            })?;
            if next_seq == begin {
                return Ok(false);
            }
            let is_due = entries.len() >= BATCH || next_seq > lost.last_seq;
            if is_due && !visit(&std::mem::take(&mut entries))? {
                return Ok(false);
            }
        }
    }
    Ok(next_seq > lost.last_seq)
}

fn range(first_seq: u64, last_seq: u64) -> ReadRange<'static> {
    ReadRange { to: last_seq + 1, ..ReadRange::everything_from(first_seq) }
}

fn entry(hasher: KeyHasher, seq: u64, event: &EventRef<'_>) -> Entry {
    let hash = hasher.hash(event);
    Entry { fingerprint: hash.fingerprint, seq, content: hash.content }
}
