//! Decides what becomes of each event of a commit: stored, duplicate or conflict.

use super::index_hits::IndexHits;
use super::pending_commit::PendingCommit;
use crate::batch::{self, Batch};
use crate::error::Result;
use crate::event::{CONFLICTS_TOPIC, EventRef};
use crate::hash::{EventHash, KeyHasher};
use crate::index::Entry;
use crate::invariant::invariant;
use crate::log::row;
use crate::partition::Outcome;
use crate::partition::read;
use crate::partition::shared::Shared;
use crate::rules::ContentRules;

/// Decides some events of a commit in order and puts the new ones into it.
pub(super) struct Decider<'a> {
    shared: &'a Shared,
    hasher: KeyHasher,
    rules: ContentRules,
    /// What the index knew before.
    hits: &'a IndexHits,
    position: usize,
    /// The commit before, if the index need not know it.
    in_flight: Option<&'a PendingCommit>,
    pending: &'a mut PendingCommit,
}

/// How an event relates to one with the same fingerprint.
enum Relation {
    Same,
    Conflicting,
    OtherKey,
}

impl<'a> Decider<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        hasher: KeyHasher,
        rules: ContentRules,
        hits: &'a IndexHits,
        in_flight: Option<&'a PendingCommit>,
        pending: &'a mut PendingCommit,
    ) -> Self {
        Self { shared, hasher, rules, hits, position: 0, in_flight, pending }
    }

    /// Decides the events of the next batch.
    pub(super) fn decide_all(&mut self, batch: &Batch) -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for (hash, row) in batch.events() {
            outcomes.push(self.decide(hash, row)?);
        }
        Ok(outcomes)
    }

    /// Decides the next event.
    fn decide(&mut self, hash: EventHash, row: &[u8]) -> Result<Outcome> {
        let candidates = self.hits.of(self.position)?;
        self.position += 1;
        let outcome = self.relate(hash, row, candidates)?;
        self.count(outcome);
        match outcome {
            Outcome::Stored { .. } => self.add(hash, row),
            Outcome::Conflict { seq } => self.keep_evidence(row, seq)?,
            Outcome::Duplicate { .. } => {}
        }
        Ok(outcome)
    }

    /// Compares an event with everything that has its fingerprint: `candidates` from the index, and
    /// what the commit before and this one add.
    fn relate(&self, hash: EventHash, row: &[u8], candidates: &[Entry]) -> Result<Outcome> {
        let mut expired = None;
        for entry in candidates {
            // What is lost to damage counts as absent, so that publishing it again heals it.
            if self.shared.losses.known.covers(entry.seq) {
                continue;
            }
            if entry.content == hash.content {
                return Ok(Outcome::Duplicate { seq: entry.seq });
            }
            let incoming = decode(row)?;
            let Some(stored) = read::read_row(self.shared, incoming.topic, entry.seq)? else {
                // It has expired, or it is another key's: all of a fingerprint is the same there.
                if expired.is_none() && read::has_expired(self.shared, entry.seq)? {
                    expired = Some(entry.seq);
                }
                continue;
            };
            match self.relation(&stored.as_ref(), &incoming) {
                Relation::Same => return Ok(Outcome::Duplicate { seq: entry.seq }),
                Relation::Conflicting => return Ok(Outcome::Conflict { seq: entry.seq }),
                Relation::OtherKey => {}
            }
        }
        for commit in self.in_flight.into_iter().chain([&*self.pending]) {
            let mut at = commit.keys.latest(hash.fingerprint);
            while let Some((entry, offset)) = commit.keys.next(&mut at, hash.fingerprint)? {
                let seq = entry.seq;
                if entry.content == hash.content {
                    return Ok(Outcome::Duplicate { seq });
                }
                match self.relation(&decode(commit.builder.row(offset))?, &decode(row)?) {
                    Relation::Same => return Ok(Outcome::Duplicate { seq }),
                    Relation::Conflicting => return Ok(Outcome::Conflict { seq }),
                    Relation::OtherKey => {}
                }
            }
        }
        // The key was stored, with other bytes, which are no longer there to be compared.
        Ok(expired.map_or(Outcome::Stored { seq: self.pending.builder.next_seq() }, |seq| Outcome::Conflict { seq }))
    }

    fn relation(&self, stored: &EventRef<'_>, incoming: &EventRef<'_>) -> Relation {
        if (stored.topic, stored.event_id) != (incoming.topic, incoming.event_id) {
            return Relation::OtherKey;
        }
        let same_payload =
            stored.payload == incoming.payload || (self.rules.same_payload)(stored.payload, incoming.payload);
        if stored.source == incoming.source && same_payload { Relation::Same } else { Relation::Conflicting }
    }

    fn count(&mut self, outcome: Outcome) {
        let counts = &mut self.pending.counts;
        counts.received += 1;
        match outcome {
            Outcome::Stored { .. } => counts.stored += 1,
            Outcome::Duplicate { .. } => counts.duplicates += 1,
            Outcome::Conflict { .. } => {
                counts.duplicates += 1;
                counts.conflicts += 1;
            }
        }
    }

    fn add(&mut self, hash: EventHash, row: &[u8]) {
        let (seq, offset) = self.pending.builder.push(row);
        self.pending.keys.push(Entry { fingerprint: hash.fingerprint, seq, content: hash.content }, offset);
    }

    /// Keeps a conflicting event as an event of the reserved topic, unless it is there already. It
    /// takes a seq, but counts neither as received nor as stored.
    fn keep_evidence(&mut self, row: &[u8], first_seq: u64) -> Result<()> {
        let incoming = decode(row)?;
        let payload = (self.rules.evidence)(&incoming, first_seq);
        let name = format!("{:032x}", self.hasher.evidence(&incoming));
        // Two conflicts with one name would take a collision of 128 bits; a suffix keeps even then
        // both.
        for attempt in 0_u64.. {
            let event_id = if attempt == 0 { name.clone() } else { format!("{name}-{attempt}") };
            let event = EventRef { topic: CONFLICTS_TOPIC, event_id: &event_id, payload: &payload, ..incoming };
            let hash = self.hasher.hash(&event);
            let mut found = Vec::new();
            self.shared.index.look_up(&[hash.fingerprint], &mut found)?;
            let candidates: Vec<Entry> = found.into_iter().map(|(_, entry)| entry).collect();
            let mut encoded = Vec::new();
            row::encode(&event, &mut encoded);
            match self.relate(hash, &encoded, &candidates)? {
                Outcome::Stored { .. } => {
                    self.add(hash, &encoded);
                    break;
                }
                Outcome::Duplicate { .. } => break,
                Outcome::Conflict { .. } => {}
            }
        }
        Ok(())
    }
}

fn decode(row: &[u8]) -> Result<EventRef<'_>> {
    let Some(event) = batch::event_of(row) else { invariant!("a batch or a frame holds a row that does not decode") };
    Ok(event)
}
