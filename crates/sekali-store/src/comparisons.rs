//! How events of a batch compare with stored events that have their fingerprints.
//!
//! Comparing takes reads of stored events and looks into payloads, which a commit must not wait
//! for. So it is done before the commit, beside the writer, and noted in the batch. A commit
//! confirms by seqs that the stored events are still those that were compared.

use crate::hash::{ContentDigest, Fingerprint};

/// How an event relates to a stored one with the same fingerprint and other bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The key is the same, and so is the content.
    Same,
    /// The key is the same, and the content is not.
    Conflicting,
    /// The key is another.
    OtherKey,
    /// The stored event has expired, so that it can no longer be compared.
    Expired,
}

/// An event of a batch, by position, and an entry of the index, by seq.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ComparedEntry {
    pub(crate) position: u32,
    pub(crate) seq: u64,
    pub(crate) relation: Relation,
    /// When the stored event was received, if it is there: nanoseconds since 1970-01-01T00:00:00Z.
    pub(crate) received_at_ns: i64,
}

/// The name of the evidence of a conflict, should an event turn out to be one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EvidenceName {
    pub(crate) position: u32,
    pub(crate) name: u128,
    /// Of the key that the evidence has.
    pub(crate) fingerprint: Fingerprint,
}

/// All that was found out about the events of a batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Comparisons {
    /// In order of position and seq.
    entries: Vec<ComparedEntry>,
    /// In order of position.
    digests: Vec<(u32, ContentDigest)>,
    /// In order of position.
    evidence: Vec<EvidenceName>,
}

impl Comparisons {
    /// Takes what was found out, in any order.
    pub(crate) fn new(
        mut entries: Vec<ComparedEntry>,
        mut digests: Vec<(u32, ContentDigest)>,
        mut evidence: Vec<EvidenceName>,
    ) -> Self {
        entries.sort_unstable_by_key(|entry| (entry.position, entry.seq));
        digests.sort_unstable_by_key(|(position, _)| *position);
        evidence.sort_unstable_by_key(|evidence| evidence.position);
        Self { entries, digests, evidence }
    }

    /// How the event at `position` compares with the stored event `seq`, if that is known.
    pub(crate) fn entry(&self, position: u32, seq: u64) -> Option<&ComparedEntry> {
        let at = self.entries.binary_search_by_key(&(position, seq), |entry| (entry.position, entry.seq)).ok()?;
        self.entries.get(at)
    }

    /// The digest of the event at `position`, if it is known.
    pub(crate) fn digest(&self, position: u32) -> Option<ContentDigest> {
        let at = self.digests.binary_search_by_key(&position, |(position, _)| *position).ok()?;
        self.digests.get(at).map(|(_, digest)| *digest)
    }

    /// The name of the evidence of the event at `position`, and its place among
    /// [`Comparisons::evidence`].
    pub(crate) fn evidence_of(&self, position: u32) -> Option<(usize, &EvidenceName)> {
        let at = self.evidence.binary_search_by_key(&position, |evidence| evidence.position).ok()?;
        self.evidence.get(at).map(|evidence| (at, evidence))
    }

    /// The names of all evidence.
    pub(crate) fn evidence(&self) -> &[EvidenceName] {
        &self.evidence
    }
}
