//! Entries of the manifest: the log, sealed events and lost events.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{hex, is_false};
use crate::counters::Counters;
use crate::damage::Damage;
use crate::log::file;
use crate::log::position::LogPosition;

/// A place between two commits of the log: everything that the next one continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedPosition {
    /// Seq of the next row.
    pub next_seq: u64,
    /// Number of the next commit.
    pub next_commit: u64,
    /// Checksum of the header of the last frame.
    #[serde(with = "hex")]
    pub previous: u64,
    /// Time of the last commit.
    pub received_at_ns: i64,
    /// Counters at that point.
    pub received: u64,
    /// Of them stored.
    pub stored: u64,
    /// Of them duplicates.
    pub duplicates: u64,
    /// Of the duplicates, conflicts.
    pub conflicts: u64,
    /// The last upstream position.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "hex::option")]
    pub upstream: Option<u64>,
}

impl From<&LogPosition> for SavedPosition {
    fn from(position: &LogPosition) -> Self {
        let Counters { received, stored, duplicates, conflicts } = position.totals;
        Self {
            next_seq: position.next_seq,
            next_commit: position.next_commit,
            previous: position.previous,
            received_at_ns: position.received_at_ns,
            received,
            stored,
            duplicates,
            conflicts,
            upstream: position.upstream,
        }
    }
}

impl From<&SavedPosition> for LogPosition {
    fn from(place: &SavedPosition) -> Self {
        let SavedPosition { received, stored, duplicates, conflicts, .. } = *place;
        Self {
            next_seq: place.next_seq,
            next_commit: place.next_commit,
            previous: place.previous,
            durable_commit: place.next_commit - 1,
            totals: Counters { received, stored, duplicates, conflicts },
            received_at_ns: place.received_at_ns,
            upstream: place.upstream,
        }
    }
}

/// One segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SegmentEntry {
    /// Smallest seq in it.
    pub first_seq: u64,
    /// Greatest seq in it.
    pub last_seq: u64,
    /// How often it was trimmed; its name says so too.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub revision: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Seqs that are lost to damage for good: the file that had them is gone, or is no longer believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lost {
    /// Name of the file, without its directory.
    pub file: String,
    /// Where in the file the damage began, in bytes.
    pub offset: u64,
    /// First seq lost.
    pub first_seq: u64,
    /// Last seq lost.
    pub last_seq: u64,
    /// Whether an operator has accepted the loss: it is no longer shown as damage.
    #[serde(default, skip_serializing_if = "is_false")]
    pub accepted: bool,
}

impl Lost {
    /// Whether it is this damage.
    pub(crate) fn is(&self, damage: &Damage) -> bool {
        Self { accepted: self.accepted, ..Self::from(damage) } == *self
    }

    /// Whether `next` is in the same file, directly behind it.
    pub(super) fn is_continued_by(&self, next: &Self) -> bool {
        let costs_events = self.first_seq <= self.last_seq;
        costs_events && !self.accepted && self.file == next.file && self.last_seq + 1 == next.first_seq
    }
}

impl From<&Damage> for Lost {
    fn from(damage: &Damage) -> Self {
        let Damage { ref path, offset, first_seq, last_seq } = *damage;
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { file, offset, first_seq, last_seq, accepted: false }
    }
}

impl Lost {
    /// As it is reported, of a file in one of these directories of the partition.
    pub(crate) fn found_in(&self, log: &Path, segments: &Path) -> Damage {
        let Self { ref file, offset, first_seq, last_seq, .. } = *self;
        let dir = if file.ends_with(file::SUFFIX) { log } else { segments };
        Damage { path: dir.join(file), offset, first_seq, last_seq }
    }
}
