//! The outcomes that events would have, without a commit.

use crate::batch::Batch;
use crate::error::{Error, Result};
use crate::hash::Fingerprint;
use crate::invariant::invariant;
use crate::partition::outcome::{Decision, Outcome, Preview};
use crate::partition::read::Reader;
use crate::salt::Salt;

use super::decide::Decider;
use super::lookup_buffers::LookupBuffers;
use super::pending_commit::PendingCommit;

/// How often a batch is compared again because what it was compared with has changed meanwhile.
const ATTEMPTS_MAX: usize = 16;

impl Reader {
    /// Says what would become of the events of a batch if they were committed now, at
    /// `received_at_ns`. Nothing is stored or counted. It is decided as a commit decides, but for
    /// what other commits add in the meantime. Takes as long as [`compare`](Self::compare).
    ///
    /// # Errors
    /// Those of reading.
    pub fn preview(&self, batch: &mut Batch, received_at_ns: i64) -> Result<Vec<Preview>> {
        for _ in 0..ATTEMPTS_MAX {
            self.compare(batch)?;
            let next_seq = self.last_seq() + 1;
            // Nothing of it is written, so it needs no checksums of this store.
            let mut pending = PendingCommit::new(Salt(0));
            pending.begin(next_seq, self.last_commit_ns().unwrap_or(i64::MIN).max(received_at_ns));
            let mut buffers = LookupBuffers::default();
            let events = buffers.look_up(&self.shared, std::slice::from_ref(batch))?;
            let mut decider = Decider::new(&self.shared, &buffers.hits, events, None, &mut pending);
            if let Decision::Decided(outcomes) = decider.decide_batch(batch)? {
                invariant!(outcomes.len() == batch.len(), "a preview has not an outcome for each event");
                // Seqs from here on are those of the same batch.
                let stored = |seq: u64| (seq < next_seq).then_some(seq);
                return Ok(outcomes.into_iter().map(|outcome| Preview::of(outcome, stored)).collect());
            }
        }
        Err(Error::Invalid("other events with the same keys come faster than these are compared with them".to_owned()))
    }

    /// Whether each of these keys is known, by its fingerprint alone: an event with it would be a
    /// duplicate or a conflict. Keys of expired events are known, those of events that are lost to
    /// damage are not.
    ///
    /// # Errors
    /// Those of reading the index.
    pub fn known(&self, keys: &[Fingerprint]) -> Result<Vec<bool>> {
        let mut found = Vec::new();
        self.shared.index.look_up(keys, &mut found)?;
        let mut known = vec![false; keys.len()];
        for (position, entry) in found {
            let Some(known) = known.get_mut(position) else {
                invariant!("the index found a key that was not asked for")
            };
            *known |= !self.shared.losses.known.covers(entry.seq);
        }
        Ok(known)
    }
}

impl Preview {
    fn of(outcome: Outcome, stored: impl Fn(u64) -> Option<u64>) -> Self {
        match outcome {
            Outcome::Stored { .. } => Self::New,
            Outcome::Duplicate { seq } => Self::Duplicate { seq: stored(seq) },
            Outcome::Conflict { seq } => Self::Conflict { seq: stored(seq) },
        }
    }
}
