//! Merges small segments into larger ones.

use std::sync::{Arc, Mutex, PoisonError};

use super::expire::Expiry;
use super::live::{LiveFiles, entry};
use crate::error::{Error, Result};
use crate::invariant::invariant;
use crate::limits::SEGMENT_MERGED_BYTES;
use crate::partition::data_file::DataFile;
use crate::segment::{self, Segment};
use crate::tuning::Tuning;

/// Chooses which segments to merge.
#[derive(Debug)]
pub(super) struct Merger {
    fan_in: usize,
    /// Free space, in bytes, that a merge must leave.
    free_bytes_min: u64,
    /// The largest seq of segments that could not be merged because one of them is damaged.
    unmergeable_seq: Mutex<u64>,
}

impl Merger {
    pub(super) fn new(tuning: &Tuning) -> Self {
        Self { fan_in: tuning.segment_fan_in, free_bytes_min: tuning.free_bytes_min, unmergeable_seq: Mutex::new(0) }
    }

    /// Merges the first segments that are due. `false` where there are none.
    pub(super) fn merge_next(&self, live: &LiveFiles, expiry: &Expiry) -> Result<bool> {
        let unmergeable_seq = *self.unmergeable_seq.lock().unwrap_or_else(PoisonError::into_inner);
        let mut segments = live.live_segments();
        segments.retain(|segment| segment.info().first_seq > unmergeable_seq);
        let sizes: Vec<_> = segments.iter().map(|segment| segment.info().bytes).collect();
        let may_merge =
            |at: usize| segments.get(at..at + self.fan_in).is_some_and(|segments| expiry.may_merge(segments));
        let Some(at) = due(&sizes, live.log.file_bytes, self.fan_in, may_merge) else { return Ok(false) };
        let Some(inputs) = segments.get(at..at + self.fan_in) else { invariant!("segments that are due are not live") };
        // Merging is never urgent: what sealing and the index need is not for it.
        let needed: u64 = inputs.iter().map(|segment| segment.info().file_bytes).sum();
        match live.shared.space.check(needed + self.free_bytes_min) {
            Err(Error::StorageFull { .. }) => return Ok(false),
            checked => checked?,
        }
        let revision = inputs.iter().map(|segment| entry(segment.info()).revision).max().unwrap_or_default();
        let info = match segment::merge(&live.segments.revised(revision), inputs) {
            Err(Error::Damaged { .. }) => {
                let last_seq = inputs.last().map_or(0, |segment| segment.info().last_seq);
                *self.unmergeable_seq.lock().unwrap_or_else(PoisonError::into_inner) = last_seq;
                return Ok(true);
            }
            merged => merged?,
        };
        let rows: u64 = inputs.iter().map(|segment| segment.info().rows).sum();
        invariant!(info.rows == rows, "a merged segment has not the events of its inputs");
        let merged = Arc::new(Segment::open(&live.segments, &info.path)?);
        let replaced: Vec<_> = inputs.iter().map(|segment| entry(segment.info())).collect();
        live.shared.manifest.update(|manifest| {
            manifest.segments.retain(|segment| !replaced.contains(segment));
            manifest.segments.push(entry(&info));
            manifest.segments.sort_unstable_by_key(|segment| segment.first_seq);
        })?;
        let old: Vec<_> = inputs.iter().cloned().map(DataFile::Segment).collect();
        live.shared.replace(&old, Some(merged))?;
        inputs.iter().try_for_each(|segment| live.remove(segment))?;
        Ok(true)
    }
}

/// Where the first `fan_in` neighbours of one level begin that `may_merge`. The level of a segment
/// is the smallest `l` with `bytes <= 2 * file_bytes * fan_in^l`; a log file gives one of level 0.
fn due(sizes: &[u64], file_bytes: u64, fan_in: usize, may_merge: impl Fn(usize) -> bool) -> Option<usize> {
    let level = |bytes: u64| {
        let (mut level, mut room) = (0, file_bytes.max(1) * 2);
        while room < bytes {
            room = room.saturating_mul(fan_in as u64);
            level += 1;
        }
        level
    };
    let alike = |neighbours: &[u64]| {
        let small = neighbours.iter().all(|&bytes| bytes < SEGMENT_MERGED_BYTES);
        small && neighbours.windows(2).all(|pair| level(pair[0]) == level(pair[1]))
    };
    sizes.windows(fan_in).enumerate().position(|(at, neighbours)| alike(neighbours) && may_merge(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_rewritten_once_a_level_and_few_segments_remain() {
        let (file_bytes, fan_in) = (64 << 20, 8);
        let (mut sizes, mut written) = (Vec::new(), 0);
        for files in 1..=2_000_u64 {
            sizes.push(file_bytes + 100);
            while let Some(at) = due(&sizes, file_bytes, fan_in, |_| true) {
                let merged = sizes.drain(at..at + fan_in).sum();
                written += merged;
                sizes.insert(at, merged);
            }
            let total = files * (file_bytes + 100);
            assert_eq!(sizes.iter().sum::<u64>(), total);
            assert!(
                sizes.len() as u64 <= 2 * (fan_in as u64 - 1) + total / SEGMENT_MERGED_BYTES + 1,
                "{}",
                sizes.len()
            );
            assert!(written <= total * 2);
        }
    }
}
