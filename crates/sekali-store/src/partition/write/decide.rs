//! Decides what becomes of each event of a commit: stored, duplicate or conflict.
//!
//! Nothing here reads a stored event or looks into a payload: what it takes to compare events is
//! known before, or the batch is set aside. So the time is that of copying what is new.

use std::sync::Arc;

use super::index_hits::IndexHits;
use super::pending_commit::PendingCommit;
use crate::batch::{self, Batch};
use crate::comparisons::{ComparedEntry, Comparisons, EvidenceName, Relation};
use crate::error::{Error, Result};
use crate::event::{CONFLICTS_TOPIC, EventRef};
use crate::hash::{ContentDigest, EventHash, evidence_id};
use crate::index::Entry;
use crate::invariant::invariant;
use crate::log::row;
use crate::partition::read;
use crate::partition::shared::Shared;
use crate::partition::{Decision, Outcome};
use crate::retention::Retention;

/// Decides some events of a commit in order and puts the new ones into it.
pub(super) struct Decider<'a> {
    shared: &'a Shared,
    /// The rules by which events expire.
    retention: Arc<Retention>,
    /// Entries that the index had before: of the events, then of the evidence that they may become.
    hits: &'a IndexHits,
    /// Of the next event.
    position: usize,
    /// Of the first evidence of the next batch.
    evidence_position: usize,
    /// The commit before, if the index need not know it.
    in_flight: Option<&'a PendingCommit>,
    pending: &'a mut PendingCommit,
}

/// An event to decide.
#[derive(Clone, Copy)]
struct Incoming<'a> {
    hash: EventHash,
    row: &'a [u8],
    /// Position in its batch.
    number: u32,
    /// Comparisons of that batch, if there are any.
    comparisons: Option<&'a Comparisons>,
}

/// Why an event is not decided.
enum Undecided {
    /// It must be compared first.
    NeedsComparison,
    Failed(Error),
}

impl From<Error> for Undecided {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The state of the key of evidence.
enum EvidenceKey {
    /// Nothing.
    Free,
    /// The same evidence.
    Known,
    /// Other evidence.
    Taken,
}

impl<'a> Decider<'a> {
    /// Begins with the first of `events` events.
    pub(super) fn new(
        shared: &'a Shared,
        hits: &'a IndexHits,
        events: usize,
        in_flight: Option<&'a PendingCommit>,
        pending: &'a mut PendingCommit,
    ) -> Self {
        let retention = shared.retention();
        Self { shared, retention, hits, position: 0, evidence_position: events, in_flight, pending }
    }

    /// Decides the next batch.
    pub(super) fn decide_batch(&mut self, batch: &Batch) -> Result<Decision> {
        let (checkpoint, first) = (self.pending.checkpoint(), self.position);
        invariant!(first <= self.evidence_position, "more events are decided than were looked up");
        let decided = self.decide_events(batch);
        self.position = first + batch.len();
        self.evidence_position += batch.comparisons().map_or(0, |comparisons| comparisons.evidence().len());
        match decided {
            Ok(outcomes) => Ok(Decision::Decided(outcomes)),
            Err(Undecided::NeedsComparison) => {
                self.pending.roll_back(checkpoint);
                Ok(Decision::SetAside)
            }
            Err(Undecided::Failed(error)) => Err(error),
        }
    }

    fn decide_events(&mut self, batch: &Batch) -> Result<Vec<Outcome>, Undecided> {
        let mut outcomes = Vec::with_capacity(batch.len());
        let comparisons = batch.comparisons();
        for ((hash, row), number) in batch.events().zip(0..) {
            outcomes.push(self.decide(Incoming { hash, row, number, comparisons })?);
        }
        Ok(outcomes)
    }

    /// Decides the next event.
    fn decide(&mut self, event: Incoming<'_>) -> Result<Outcome, Undecided> {
        let candidates = self.hits.of(self.position)?;
        self.position += 1;
        let outcome = self.relate(event, candidates)?;
        self.count(outcome);
        let Incoming { hash, row, .. } = event;
        match outcome {
            Outcome::Stored { .. } => self.pending.add(hash, row, event.digest()),
            Outcome::Conflict { seq } => self.keep_evidence(event, seq)?,
            Outcome::Duplicate { .. } => {}
        }
        Ok(outcome)
    }

    /// Compares an event with everything that has its fingerprint: `candidates` from the index, and
    /// what the commit before and this one add.
    fn relate(&self, event: Incoming<'_>, candidates: &[Entry]) -> Result<Outcome, Undecided> {
        let hash = event.hash;
        let mut expired = None;
        for entry in candidates {
            // What is lost to damage counts as absent, so that publishing it again heals it.
            if self.shared.losses.known.covers(entry.seq) {
                continue;
            }
            if entry.content == hash.content {
                return Ok(Outcome::Duplicate { seq: entry.seq });
            }
            let compared = event.entry(entry.seq).ok_or(Undecided::NeedsComparison)?;
            match compared.relation {
                Relation::Same if self.is_due(event.row, compared.received_at_ns)? => {
                    expired = expired.or(Some(entry.seq));
                }
                Relation::Same => return Ok(Outcome::Duplicate { seq: entry.seq }),
                Relation::Conflicting => return Ok(Outcome::Conflict { seq: entry.seq }),
                Relation::Expired => expired = expired.or(Some(entry.seq)),
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
                if !same_key(&decode(commit.builder.row(offset))?, &decode(event.row)?) {
                    continue;
                }
                let digests = commit.digest(seq).zip(event.digest());
                let (stored, incoming) = digests.ok_or(Undecided::NeedsComparison)?;
                let is_same = stored == incoming && !self.is_due(event.row, commit.builder.received_at_ns())?;
                return Ok(if is_same { Outcome::Duplicate { seq } } else { Outcome::Conflict { seq } });
            }
        }
        // The key was stored, with other bytes, which count as gone. Whether they are must not
        // matter.
        Ok(expired.map_or(Outcome::Stored { seq: self.pending.builder.next_seq() }, |seq| Outcome::Conflict { seq }))
    }

    /// Whether an event of the same topic that was received then is expired at the time of the
    /// commit.
    fn is_due(&self, row: &[u8], received_at_ns: i64) -> Result<bool> {
        if self.retention.ages.is_empty() {
            return Ok(false);
        }
        Ok(self.retention.is_due(decode(row)?.topic, received_at_ns, self.pending.builder.received_at_ns()))
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

    /// Keeps a conflicting event as an event of the reserved topic, unless it is there already. It
    /// takes a seq, but counts neither as received nor as stored.
    fn keep_evidence(&mut self, event: Incoming<'_>, first_seq: u64) -> Result<(), Undecided> {
        let (place, &EvidenceName { name, .. }) = event.evidence().ok_or(Undecided::NeedsComparison)?;
        let incoming = decode(event.row)?;
        let payload = (self.shared.rules.evidence)(&incoming, first_seq);
        let mut event_id = evidence_id(name);
        for attempt in 0_u64.. {
            // The name is over all but the seq of the stored event, which is another if that was
            // lost and published again. Only a collision of 128 bits makes a third attempt.
            match attempt {
                0 => {}
                1 => event_id = format!("{}-{first_seq}", evidence_id(name)),
                _ => event_id = format!("{}-{first_seq}-{attempt}", evidence_id(name)),
            }
            let evidence = EventRef { topic: CONFLICTS_TOPIC, event_id: &event_id, payload: &payload, ..incoming };
            let hash = self.shared.hasher.hash(&evidence);
            let found = match attempt {
                0 => self.find_evidence(hash, self.hits.of(self.evidence_position + place)?),
                _ => self.look_up_evidence(hash, &evidence)?,
            };
            match self.find_pending_evidence(hash, &evidence, found)? {
                EvidenceKey::Known => break,
                EvidenceKey::Taken => {}
                EvidenceKey::Free => {
                    let mut encoded = Vec::new();
                    row::encode(&evidence, &mut encoded);
                    self.pending.add(hash, &encoded, None);
                    break;
                }
            }
        }
        Ok(())
    }

    /// The state of the key by these entries with its fingerprint: taken to have the key too, since
    /// a collision costs no more than another name.
    fn find_evidence(&self, hash: EventHash, entries: &[Entry]) -> EvidenceKey {
        let mut found = EvidenceKey::Free;
        for entry in entries.iter().filter(|entry| !self.shared.losses.known.covers(entry.seq)) {
            if entry.content == hash.content {
                return EvidenceKey::Known;
            }
            found = EvidenceKey::Taken;
        }
        found
    }

    /// The state of the key of evidence whose usual name is taken.
    fn look_up_evidence(&self, hash: EventHash, evidence: &EventRef<'_>) -> Result<EvidenceKey> {
        let mut found = Vec::new();
        self.shared.index.look_up(&[hash.fingerprint], &mut found)?;
        let entries: Vec<_> = found.into_iter().map(|(_, entry)| entry).collect();
        let by_fingerprint = self.find_evidence(hash, &entries);
        if matches!(by_fingerprint, EvidenceKey::Taken) {
            for entry in entries {
                let stored = read::read_row(self.shared, CONFLICTS_TOPIC, entry.seq)?;
                if stored.is_some_and(|stored| stored.event_id == evidence.event_id) {
                    return Ok(EvidenceKey::Taken);
                }
            }
            return Ok(EvidenceKey::Free);
        }
        Ok(by_fingerprint)
    }

    /// The state of the key of evidence, with the commit before and this one, too.
    fn find_pending_evidence(
        &self,
        hash: EventHash,
        evidence: &EventRef<'_>,
        found: EvidenceKey,
    ) -> Result<EvidenceKey> {
        for commit in self.in_flight.into_iter().chain([&*self.pending]) {
            let mut at = commit.keys.latest(hash.fingerprint);
            while let Some((entry, offset)) = commit.keys.next(&mut at, hash.fingerprint)? {
                if entry.content == hash.content {
                    return Ok(EvidenceKey::Known);
                }
                if same_key(&decode(commit.builder.row(offset))?, evidence) {
                    return Ok(EvidenceKey::Taken);
                }
            }
        }
        Ok(found)
    }
}

impl Incoming<'_> {
    fn entry(&self, seq: u64) -> Option<&ComparedEntry> {
        self.comparisons?.entry(self.number, seq)
    }

    fn digest(&self) -> Option<ContentDigest> {
        self.comparisons?.digest(self.number)
    }

    fn evidence(&self) -> Option<(usize, &EvidenceName)> {
        self.comparisons?.evidence_of(self.number)
    }
}

fn same_key(one: &EventRef<'_>, other: &EventRef<'_>) -> bool {
    (one.topic, one.event_id) == (other.topic, other.event_id)
}

fn decode(row: &[u8]) -> Result<EventRef<'_>> {
    let Some(event) = batch::event_of(row) else { invariant!("a batch or a frame holds a row that does not decode") };
    Ok(event)
}
