//! The manifest of a partition: what is live. Text that can be read with `cat`.
//!
//! ```toml
//! # What is live in this partition. Written by sekali; do not edit.
//! version = 1
//! covered_seq = 2097152
//! next_run = 3
//!
//! [[run]]
//! number = 1
//! entries = 1048576
//! first_seq = 1
//! last_seq = 1048576
//! checksum = "89ab01cd45ef2367"
//!
//! [[segment]]
//! first_seq = 1
//! last_seq = 262144
//!
//! [sealed]                     # where the log begins, and the counters there
//! next_seq = 262145
//! next_commit = 513
//! previous = "5f6e7d8c9bab0c1d"
//! received_at_ns = 1767225600000000000
//! received = 327680
//! stored = 262144
//! duplicates = 65536
//! conflicts = 0
//!
//! [durable]                    # how far the log was durable, as [sealed]
//! next_seq = 4194400
//! next_commit = 8193
//! # …
//!
//! [expired]                    # once something has
//! events = 1000
//! evidence = 0
//! bytes = 212000
//! last_seq = 1000
//! forgotten_seq = 0
//!
//! # checksum 0123456789abcdef
//! ```
//!
//! It is TOML, so the last line, which holds the XXH3 of every byte before it, is a comment. That
//! line stays as it is in every later version: a reader checks it first, and only then believes the
//! version number.
//!
//! A file is live because the manifest names it. Hence the order of every change: write the new
//! file, sync it, rename it into place, sync its directory; replace the manifest
//! ([`replace`](crate::disk::replace)); only then unlink what it no longer names.

mod entries;
mod expired;
mod file;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::checked_text;
use crate::damage::{Damage, SeqSet};
use crate::error::{Error, Result};
use crate::invariant::invariant;

pub(crate) use entries::{Lost, SavedPosition, SegmentEntry};
pub use expired::Expired;
pub(crate) use file::ManifestFile;

/// The newest manifest version this program reads, and the one it writes.
pub(crate) const MANIFEST_VERSION: u32 = 1;

/// Name of the manifest in the directory of its partition.
pub(crate) const FILE_NAME: &str = "MANIFEST";

/// The live files of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    version: u32,
    /// Every stored event with this seq or a smaller one is in the runs below: recovery replays the
    /// log after it.
    pub covered_seq: u64,
    /// Greater than the number of any run ever named here.
    pub next_run: u64,
    /// A run has turned out damaged while nothing needed it: the index is to be rebuilt at the next
    /// start.
    #[serde(default, skip_serializing_if = "is_false")]
    pub rebuild_index: bool,
    /// The runs of the dedup index.
    #[serde(default, rename = "run", skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<RunInfo>,
    /// The segments, in order of seq.
    #[serde(default, rename = "segment", skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<SegmentEntry>,
    /// Seqs that are lost for good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Lost>,
    /// Where the log begins, once something has been sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<SavedPosition>,
    /// How far the log was durable when this was written, once it has a commit. Whatever is missing
    /// before is damage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub durable: Option<SavedPosition>,
    /// The expired events, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired: Option<Expired>,
}

/// One run of the dedup index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunInfo {
    /// Names the file; never used twice.
    pub number: u64,
    /// How many entries it has, at least one.
    pub entries: u64,
    /// Smallest seq of an entry.
    pub first_seq: u64,
    /// Greatest seq of an entry.
    pub last_seq: u64,
    /// The checksum in the footer of the file.
    #[serde(with = "hex")]
    pub checksum: u64,
}

impl Default for Manifest {
    fn default() -> Self {
        Self {
            version: MANIFEST_VERSION,
            covered_seq: 0,
            next_run: 1,
            rebuild_index: false,
            runs: Vec::new(),
            segments: Vec::new(),
            lost: Vec::new(),
            sealed: None,
            durable: None,
            expired: None,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_false(flag: &bool) -> bool {
    !flag
}

const HEADING: &str = "# What is live in this partition. Written by sekali; do not edit.\n";

impl Manifest {
    /// The bytes of the file.
    ///
    /// # Errors
    /// [`Error::Invalid`] where a number does not fit TOML's 63 bits.
    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let body =
            toml::to_string(self).map_err(|error| Error::Invalid(format!("cannot write a manifest: {error}")))?;
        Ok(checked_text::seal(format!("{HEADING}{body}\n")).into_bytes())
    }

    /// Reads the bytes of the file at `path`, which is only named in errors.
    ///
    /// # Errors
    /// [`Error::NewerFormat`] where a newer program wrote it, [`Error::Damaged`] where anything is
    /// not as it was written.
    pub(crate) fn decode(bytes: &[u8], path: &Path) -> Result<Self> {
        let damaged = |what: String| Error::Damaged { path: path.to_owned(), what };
        let text = std::str::from_utf8(bytes).map_err(|_| damaged("it is not text".to_owned()))?;
        let body = checked_text::unseal(text).map_err(damaged)?;
        let Version { version } = toml::from_str(body).map_err(|error| damaged(one_line(&error)))?;
        if version > MANIFEST_VERSION {
            return Err(Error::NewerFormat { path: path.to_owned(), found: version, known: MANIFEST_VERSION });
        }
        let manifest: Self = toml::from_str(body).map_err(|error| damaged(one_line(&error)))?;
        manifest.validate().map_err(damaged)?;
        Ok(manifest)
    }

    /// Notes, once, that seqs are lost for good.
    pub(crate) fn record_loss(&mut self, damage: &Damage) {
        if !damage.costs_events() {
            if !self.lost.iter().any(|lost| lost.is(damage)) {
                self.lost.push(Lost::from(damage));
            }
            return;
        }
        for seqs in self.lost_seqs().missing(damage.seqs()) {
            let lost = Lost { first_seq: *seqs.start(), last_seq: *seqs.end(), ..Lost::from(damage) };
            match self.lost.iter_mut().find(|known| known.is_continued_by(&lost)) {
                // Many neighbours, as in a file that cannot be read at all, are one entry.
                Some(known) => known.last_seq = lost.last_seq,
                None => self.lost.push(lost),
            }
        }
    }

    /// Notes that these losses are accepted, and no others.
    pub(crate) fn accept_losses(&mut self, shown: &[Damage]) {
        shown.iter().for_each(|damage| self.record_loss(damage));
        let mut seqs = SeqSet::default();
        shown.iter().for_each(|damage| seqs.insert(damage.seqs()));
        for lost in std::mem::take(&mut self.lost) {
            if lost.accepted || lost.first_seq > lost.last_seq {
                let accepted = lost.accepted || shown.iter().any(|damage| lost.is(damage));
                self.lost.push(Lost { accepted, ..lost });
                continue;
            }
            // Neighbours are one entry, and not all of them may have been shown.
            let range = lost.first_seq..=lost.last_seq;
            let shown = seqs.within(range.clone());
            let parts = shown.ranges().map(|part| (part, true));
            let mut parts: Vec<_> = parts.chain(seqs.missing(range).into_iter().map(|part| (part, false))).collect();
            parts.sort_unstable_by_key(|(part, _)| *part.start());
            self.lost.extend(parts.into_iter().map(|(part, accepted)| Lost {
                first_seq: *part.start(),
                last_seq: *part.end(),
                accepted,
                ..lost.clone()
            }));
        }
    }

    /// All seqs that are lost.
    pub(crate) fn lost_seqs(&self) -> SeqSet {
        let mut seqs = SeqSet::default();
        self.lost.iter().for_each(|lost| seqs.insert(lost.first_seq..=lost.last_seq));
        seqs
    }

    /// Forgets the runs. With them go the keys of expired events, which nothing else knows.
    pub(crate) fn forget_runs(&mut self) {
        self.runs.clear();
        self.covered_seq = 0;
        self.rebuild_index = false;
        if let Some(expired) = &mut self.expired {
            expired.forget(1..=u64::MAX);
        }
    }

    /// Whether it may take the place of `old`: what it says for good stays, and it reads back.
    ///
    /// # Errors
    /// [`Error::Broken`].
    fn check_follows(&self, old: &Self) -> Result<()> {
        let next_commit = |place: Option<SavedPosition>| place.map_or(0, |place| place.next_commit);
        invariant!(self.next_run >= old.next_run, "the manifest would give a number to two runs");
        invariant!(self.covered_seq >= old.covered_seq || self.runs.is_empty(), "the manifest would cover fewer keys");
        invariant!(next_commit(self.sealed) >= next_commit(old.sealed), "the manifest would begin the log earlier");
        invariant!(
            next_commit(self.durable) >= next_commit(old.durable),
            "the manifest would end the durable log earlier"
        );
        invariant!(self.expired.is_some() || old.expired.is_none(), "the manifest would forget what has expired");
        let forgotten = |manifest: &Self| manifest.expired.map_or(0, |expired| expired.forgotten_seq);
        invariant!(forgotten(self) >= forgotten(old), "the manifest would forget that keys are lost");
        let expired = |manifest: &Self| manifest.expired.unwrap_or_default();
        invariant!(expired(self).events >= expired(old).events, "the manifest would count fewer expired events");
        invariant!(expired(self).last_seq >= expired(old).last_seq, "the manifest would let expired events return");
        invariant!(self.validate().is_ok(), "the manifest would not read back");
        Ok(())
    }

    /// Whether all that `old` says is lost stays so.
    ///
    /// # Errors
    /// [`Error::Broken`].
    fn check_losses_stay(&self, old: &Self) -> Result<()> {
        invariant!(self.lost.len() >= old.lost.len(), "the manifest would forget losses");
        let (lost, mut before) = (self.lost_seqs(), old.lost.iter().filter(|lost| lost.first_seq <= lost.last_seq));
        let stays_lost = |old: &Lost| lost.missing(old.first_seq..=old.last_seq).is_empty();
        invariant!(before.all(stays_lost), "the manifest would show events that count as lost");
        Ok(())
    }

    fn validate(&self) -> Result<(), String> {
        if self.version == 0 {
            return Err("its version is 0".to_owned());
        }
        for (at, run) in self.runs.iter().enumerate() {
            if run.entries == 0 || run.first_seq > run.last_seq || run.last_seq > self.covered_seq {
                return Err(format!("run {} has impossible seqs", run.number));
            }
            if run.number >= self.next_run || self.runs[..at].iter().any(|other| other.number == run.number) {
                return Err(format!("run number {} is not to be expected", run.number));
            }
        }
        let mut end_seq = 1;
        for segment in &self.segments {
            if segment.first_seq < end_seq || segment.last_seq < segment.first_seq {
                return Err(format!("the segment that begins with seq {} has impossible seqs", segment.first_seq));
            }
            end_seq = segment.last_seq + 1;
        }
        let sealed_seq = self.sealed.map_or(1, |sealed| sealed.next_seq);
        if end_seq > sealed_seq || self.sealed.is_some_and(|sealed| sealed.next_commit == 0) {
            return Err("the log begins before the segments end".to_owned());
        }
        if self.durable.is_some_and(|durable| durable.next_commit < 2 || durable.next_seq == 0) {
            return Err("it says that the log was durable to before its beginning".to_owned());
        }
        if self
            .expired
            .is_some_and(|expired| expired.last_seq >= sealed_seq || expired.forgotten_seq > expired.last_seq)
        {
            return Err("events have expired that were not sealed".to_owned());
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().lines().next().unwrap_or("it cannot be parsed").to_owned()
}

/// A 64-bit number as 16 hexadecimal digits: TOML's own integers have only 63 bits.
mod hex {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::checked_text::parse_hex;

    pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{value:016x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_hex(&text).ok_or_else(|| D::Error::custom("a checksum is not 16 hexadecimal digits"))
    }

    /// The same for a number that may be missing.
    pub(super) mod option {
        use super::{Deserializer, Serializer};

        pub(in super::super) fn serialize<S: Serializer>(
            value: &Option<u64>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => super::serialize(value, serializer),
                None => serializer.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<u64>, D::Error> {
            super::deserialize(deserializer).map(Some)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> Manifest {
        let run = |number| RunInfo { number, entries: 10, first_seq: 1, last_seq: 12, checksum: u64::MAX - number };
        let sealed = SavedPosition {
            next_seq: 15,
            next_commit: 4,
            previous: u64::MAX,
            received_at_ns: -1,
            received: 20,
            stored: 14,
            duplicates: 6,
            conflicts: 1,
            upstream: Some(u64::MAX),
        };
        let segment = |first_seq, last_seq| SegmentEntry { first_seq, last_seq, revision: last_seq as u32 % 2 };
        Manifest {
            covered_seq: 20,
            next_run: 9,
            runs: vec![run(3), run(8)],
            segments: vec![segment(1, 7), segment(9, 14)],
            lost: vec![Lost { file: "x.log".to_owned(), offset: 3, first_seq: 8, last_seq: 8, accepted: true }],
            sealed: Some(sealed),
            durable: Some(SavedPosition { next_seq: 21, next_commit: 8, upstream: None, ..sealed }),
            rebuild_index: true,
            expired: Some(Expired {
                events: 3,
                evidence: 1,
                bytes: 900,
                last_seq: 14,
                forgotten_seq: 14,
                accepted: false,
            }),
            ..Manifest::default()
        }
    }

    fn decode(bytes: &[u8]) -> Result<Manifest> {
        Manifest::decode(bytes, Path::new("MANIFEST"))
    }

    /// The same text with another line in it and a checksum that agrees.
    fn edited(from: &str, to: &str) -> Vec<u8> {
        let text = String::from_utf8(sample().encode().unwrap()).unwrap();
        checked_text::seal(checked_text::unseal(&text).unwrap().replace(from, to)).into_bytes()
    }

    #[test]
    fn everything_it_can_say_reads_back() {
        assert_eq!(decode(&sample().encode().unwrap()).unwrap(), sample());
    }

    #[test]
    fn a_newer_version_is_refused_by_its_name() {
        let bytes = edited("version = 1\n", "version = 2\nunheard_of = true\n");
        assert!(matches!(decode(&bytes), Err(Error::NewerFormat { found: 2, known: 1, .. })));
    }

    #[test]
    fn impossible_manifests_are_damage() {
        for (from, to) in [
            ("number = 8", "number = 3"),
            ("number = 8", "number = 9"),
            ("entries = 10", "entries = 0"),
            ("last_seq = 12", "last_seq = 21"),
            ("first_seq = 1\n", "first_seq = 13\n"),
            ("first_seq = 9", "first_seq = 7"),
            ("last_seq = 14", "last_seq = 15"),
            ("forgotten_seq = 14", "forgotten_seq = 15"),
            ("last_seq = 14\nforgotten", "last_seq = 15\nforgotten"),
            ("next_commit = 4", "next_commit = 0"),
            ("next_commit = 8", "next_commit = 1"),
            ("rebuild_index = true", "rebuild_index = 1"),
            ("version = 1", "version = 0"),
            ("covered_seq", "uncovered_seq"),
        ] {
            assert!(matches!(decode(&edited(from, to)), Err(Error::Damaged { .. })), "{from} -> {to}");
        }
    }

    #[test]
    fn every_flipped_bit_and_every_truncation_is_named() {
        let bytes = sample().encode().unwrap();
        for at in 0..bytes.len() {
            assert!(matches!(decode(&bytes[..at]), Err(Error::Damaged { .. })), "cut at {at}");
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[at] ^= 1 << bit;
                assert!(matches!(decode(&flipped), Err(Error::Damaged { .. })), "bit {bit} of byte {at}");
            }
        }
    }

    proptest! {
        #[test]
        fn round_trip(numbers in prop::collection::btree_set(1..1000_u64, 0..20), covered in 1..u64::MAX / 2, checksum: u64) {
            let runs = numbers
                .iter()
                .map(|&number| RunInfo { number, entries: number, first_seq: 1, last_seq: covered, checksum })
                .collect();
            let manifest = Manifest { covered_seq: covered, next_run: 1000, runs, ..Manifest::default() };
            prop_assert_eq!(decode(&manifest.encode().unwrap()).unwrap(), manifest);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            prop_assert!(decode(&bytes).is_err());
        }
    }
}
