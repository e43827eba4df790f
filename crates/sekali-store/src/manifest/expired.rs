//! Entries of the manifest: expired events.

use std::ops::RangeInclusive;

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
    /// The index has lost keys of what had expired, of none behind this seq; 0 where it has not.
    pub forgotten_seq: u64,
    /// Whether an operator has accepted that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accepted: bool,
}

impl Expired {
    /// Events of every kind.
    pub fn rows(&self) -> u64 {
        self.events + self.evidence
    }

    /// Notes that the index has lost keys of these seqs, as far as they have expired.
    pub(crate) fn forget(&mut self, seqs: RangeInclusive<u64>) {
        if *seqs.start() <= self.last_seq {
            self.forgotten_seq = self.forgotten_seq.max(self.last_seq.min(*seqs.end()));
            self.accepted = false;
        }
    }

    /// The lost keys, unless there are none, or an operator has accepted that.
    pub(crate) fn forgotten_keys(&self) -> Option<String> {
        (self.forgotten_seq > 0 && !self.accepted).then(|| {
            format!(
                "the dedup index has lost keys of expired events, of seqs up to {}: if such an event is sent again, it \
                 is stored again; sekali verify --accept-lost accepts that",
                self.forgotten_seq
            )
        })
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
