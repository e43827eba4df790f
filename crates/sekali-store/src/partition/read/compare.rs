//! Compares events with what is stored under their keys, beside the writer.
//!
//! Each stored event is read and brought into its canonical form once, however many events are
//! compared with it, and so is each of these. The time is that of reading all of them.

use std::sync::Arc;

use super::lookup::read_rows;
use crate::batch::{self, Batch};
use crate::comparisons::{ComparedEntry, Comparisons, EvidenceName, Relation};
use crate::error::Result;
use crate::event::{CONFLICTS_TOPIC, EventRef};
use crate::hash::{ContentDigest, EventHash, evidence_id};
use crate::invariant::invariant;
use crate::partition::shared::Shared;
use crate::retention::Retention;

/// Finds out how the events of these batches, in this order, compare with stored events and with
/// each other, and notes it in the batches. Looks only into events that have a fingerprint that is
/// known, with other bytes.
///
/// # Errors
/// Those of reading the index and stored events. What is damaged is recorded, and counts as lost.
pub(crate) fn compare(shared: &Shared, batches: &mut [Batch]) -> Result<()> {
    let compared = Comparer::new(shared, batches)?.run(batches.iter().map(Batch::len))?;
    invariant!(compared.len() == batches.len(), "a batch was not compared");
    for (batch, comparisons) in batches.iter_mut().zip(compared) {
        batch.set_comparisons(comparisons);
    }
    Ok(())
}

/// Events of some batches, by their positions in all of them together.
struct Comparer<'a> {
    shared: &'a Shared,
    retention: Arc<Retention>,
    events: Vec<(EventHash, EventRef<'a>)>,
    digests: Vec<Option<ContentDigest>>,
    /// Whether an event may turn out to be a conflict.
    may_conflict: Vec<bool>,
}

impl<'a> Comparer<'a> {
    fn new(shared: &'a Shared, batches: &'a [Batch]) -> Result<Self> {
        let mut events = Vec::with_capacity(batches.iter().map(Batch::len).sum());
        for (hash, row) in batches.iter().flat_map(Batch::events) {
            let Some(event) = batch::event_of(row) else { invariant!("a batch holds a row that does not decode") };
            events.push((hash, event));
        }
        let (digests, may_conflict) = (vec![None; events.len()], vec![false; events.len()]);
        Ok(Self { shared, retention: shared.retention(), events, digests, may_conflict })
    }

    /// Compares everything. Returns what was found for batches of these lengths.
    fn run(mut self, lens: impl Iterator<Item = usize>) -> Result<Vec<Comparisons>> {
        let mut entries = self.compare_with_stored()?;
        self.prepare_for_each_other();
        entries.sort_unstable_by_key(|entry| entry.position);
        let (mut begin, mut rest) = (0, &entries[..]);
        let of_batch = lens.map(|len| {
            let end = begin + len;
            let (own, later) = rest.split_at(rest.partition_point(|entry| (entry.position as usize) < end));
            let comparisons = self.comparisons(begin, end, own);
            (begin, rest) = (end, later);
            comparisons
        });
        let compared: Vec<_> = of_batch.collect();
        invariant!(rest.is_empty(), "a comparison is of no batch");
        Ok(compared)
    }

    /// Reads what the index has for the events with other bytes, and compares.
    fn compare_with_stored(&mut self) -> Result<Vec<ComparedEntry>> {
        let mut entries = self.differing_entries()?;
        let mut seqs: Vec<u64> = entries.iter().map(|entry| entry.seq).collect();
        seqs.dedup();
        let (shared, mut at) = (self.shared, 0);
        read_rows(shared, &seqs, |seq, received_at_ns, stored| {
            at += entries[at..].partition_point(|entry| entry.seq < seq);
            let mut digest = None;
            while let Some(entry) = entries.get_mut(at).filter(|entry| entry.seq == seq) {
                entry.relation = self.relate(stored, &mut digest, entry.position as usize);
                entry.received_at_ns = received_at_ns;
                at += 1;
            }
        })?;
        // What cannot be read is unknown once that is written down, and not before.
        shared.losses.settle()?;
        // After the read, which may have found something to be lost: that has not expired.
        let expired_seq = shared.expired().last_seq;
        for entry in entries.iter_mut().filter(|entry| entry.relation == Relation::Expired) {
            if entry.seq > expired_seq || shared.losses.known.covers(entry.seq) {
                entry.relation = Relation::OtherKey;
            } else {
                self.expect_conflict(entry.position as usize);
            }
        }
        Ok(entries)
    }

    /// The entries of the index that have a fingerprint of an event and other bytes, in order of
    /// seq. They count as expired until they are read.
    fn differing_entries(&self) -> Result<Vec<ComparedEntry>> {
        let fingerprints: Vec<_> = self.events.iter().map(|(hash, _)| hash.fingerprint).collect();
        let mut found = Vec::new();
        self.shared.index.look_up(&fingerprints, &mut found)?;
        let differs =
            |position: usize, content| self.events.get(position).is_some_and(|(hash, _)| hash.content != content);
        let differing = found.into_iter().filter(|(position, entry)| differs(*position, entry.content));
        let unread = |position: usize, seq| ComparedEntry {
            position: position as u32,
            seq,
            relation: Relation::Expired,
            received_at_ns: i64::MIN,
        };
        let mut entries: Vec<_> = differing.map(|(position, entry)| unread(position, entry.seq)).collect();
        entries.sort_unstable_by_key(|entry| (entry.seq, entry.position));
        Ok(entries)
    }

    /// How the event at `position` relates to a stored one, whose digest is computed at the first
    /// need.
    fn relate(&mut self, stored: &EventRef<'_>, digest: &mut Option<ContentDigest>, position: usize) -> Relation {
        let Some(&(_, incoming)) = self.events.get(position) else { return Relation::OtherKey };
        if (stored.topic, stored.event_id) != (incoming.topic, incoming.event_id) {
            return Relation::OtherKey;
        }
        let Shared { rules, hasher, .. } = self.shared;
        let stored = *digest.get_or_insert_with(|| rules.digest(hasher, stored));
        let relation = if self.digest(position) == Some(stored) { Relation::Same } else { Relation::Conflicting };
        // What has the same content may have expired by the time of the commit.
        if relation == Relation::Conflicting || self.retention.age_ns(incoming.topic).is_some() {
            self.expect_conflict(position);
        }
        relation
    }

    /// Computes what it takes to compare events of one fingerprint with each other, where their
    /// bytes differ.
    fn prepare_for_each_other(&mut self) {
        let mut hashes: Vec<_> = self.events.iter().map(|(hash, _)| *hash).zip(0..).collect();
        hashes.sort_unstable_by_key(|(hash, _)| hash.fingerprint);
        for group in hashes.chunk_by(|(one, _), (next, _)| one.fingerprint == next.fingerprint) {
            if group.windows(2).all(|pair| pair[0].0.content == pair[1].0.content) {
                continue;
            }
            for (_, position) in group {
                self.digest(*position);
                self.expect_conflict(*position);
            }
        }
    }

    /// The digest of the event at `position`.
    fn digest(&mut self, position: usize) -> Option<ContentDigest> {
        let Shared { rules, hasher, .. } = self.shared;
        let (digest, (_, event)) = self.digests.get_mut(position).zip(self.events.get(position))?;
        Some(*digest.get_or_insert_with(|| rules.digest(hasher, event)))
    }

    fn expect_conflict(&mut self, position: usize) {
        if let Some(may_conflict) = self.may_conflict.get_mut(position) {
            *may_conflict = true;
        }
    }

    /// The findings for the batch whose events are at `begin..end`.
    fn comparisons(&self, begin: usize, end: usize, entries: &[ComparedEntry]) -> Comparisons {
        let hasher = &self.shared.hasher;
        let entries = entries.iter().map(|entry| ComparedEntry { position: entry.position - begin as u32, ..*entry });
        let digests = (0_u32..).zip(self.digests.get(begin..end).unwrap_or_default());
        let digests = digests.filter_map(|(position, digest)| Some((position, (*digest)?)));
        let events = self.events.iter().zip(&self.may_conflict).skip(begin).take(end - begin);
        let conflicts = (0_u32..).zip(events).filter(|(_, (_, may_conflict))| **may_conflict);
        let evidence = conflicts.map(|(position, ((_, event), _))| {
            let name = hasher.evidence(event);
            EvidenceName { position, name, fingerprint: hasher.fingerprint(CONFLICTS_TOPIC, &evidence_id(name)) }
        });
        Comparisons::new(entries.collect(), digests.collect(), evidence.collect())
    }
}
