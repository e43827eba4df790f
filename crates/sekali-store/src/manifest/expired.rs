//! What the manifest knows of events that are kept no longer.

use serde::{Deserialize, Serialize};

/// Events that have expired. Their keys are in the runs of the index still, and nowhere else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expired {
    /// How many, evidence of conflicts left out. Counted as stored for ever.
    pub events: u64,
    /// How many that were evidence of conflicts.
    pub evidence: u64,
    /// Bytes of both, as rows of the log.
    pub bytes: u64,
    /// No event behind this seq has expired.
    pub last_seq: u64,
    /// The index has lost the keys of what had expired up to this seq; 0 where it has not.
    pub forgotten_seq: u64,
}

impl Expired {
    /// Events of every kind.
    pub fn rows(&self) -> u64 {
        self.events + self.evidence
    }

    /// Adds what has expired since.
    pub(crate) fn add(&mut self, more: &Self) {
        self.events += more.events;
        self.evidence += more.evidence;
        self.bytes += more.bytes;
        self.last_seq = self.last_seq.max(more.last_seq);
        self.forgotten_seq = self.forgotten_seq.max(more.forgotten_seq);
    }
}
