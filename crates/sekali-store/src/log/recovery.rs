//! Reads a log file back after a stop of any kind, and tells a torn tail from damage.
//!
//! Frames are a chain: each names the one before, its own commit number and seq. Where the bytes at
//! hand are not the next frame, the rest of the file is searched for one that is valid:
//!
//! - None, in the last file: a **torn tail**. The commit never finished, nobody was told that it
//!   had, and it is cut.
//! - One, but no frame behind the gap has a durable mark that reaches into it: a torn tail too.
//!   Both were on their way to the disk, and the later one arrived first.
//! - Otherwise, or where the manifest says that the commits at stake were durable, or in a file
//!   that is not the last: **damage**. The bytes stay where they are. Blocks among them that are
//!   sound are read all the same, the seqs of the others are reported lost, and reading goes on
//!   behind them.
//!
//! The frame that proves damage is never cut: no gap before it is a torn tail. Otherwise the proof
//! would be cut with the tail, and the next start would judge the same damage differently.

use std::ops::Range;
use std::path::Path;

use super::block::{self, Block};
use super::frame::{self, Frame};
use super::header;
use super::header::FileHeader;
use super::position::LogPosition;
use crate::damage::Damage;
use crate::salt::Salt;

/// The findings of reading a file back.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    /// Where the last valid byte ends.
    pub(crate) end: u64,
    /// The torn tail, if there is one.
    pub(crate) torn: Option<Range<usize>>,
    pub(crate) damage: Vec<Damage>,
}

/// A log file to read back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogFileBytes<'a> {
    pub(crate) path: &'a Path,
    pub(crate) bytes: &'a [u8],
    /// Where the bytes are zeros because the medium could not read them.
    pub(crate) unreadable: &'a [Range<usize>],
    /// Only the last file can have a torn tail.
    pub(crate) is_last: bool,
    /// Where the log is known to have been durable to, whatever the file says.
    pub(crate) durable: LogPosition,
    pub(crate) salt: Salt,
}

/// Reads a file on from `position` and hands each sound block with its offset to `visit`.
pub(crate) fn scan(
    source: &LogFileBytes<'_>,
    position: &mut LogPosition,
    mut visit: impl FnMut(&Block<'_>, u64),
) -> Findings {
    let LogFileBytes { bytes, is_last, durable, salt, .. } = *source;
    let mut damage = Vec::new();
    let has_header = FileHeader::decode(bytes, salt).is_some();
    let mut end = if has_header { header::BYTES } else { 0 };
    // Where the last frame ends that has proved damage.
    let mut proved = 0;
    while let Some((offset, frame)) = find_frame(bytes, end, salt, position) {
        if offset != end || !position.continued_by(&frame) {
            let is_known = !is_last
                || !has_header
                || position.next_commit < durable.next_commit
                || source.is_unreadable(&(end..offset));
            if !is_known && offset >= proved {
                let Some(proof) = find_proof(bytes, offset, salt, position) else { break };
                proved = proof;
            }
            damage.extend(source.salvage(end..offset, Some(frame.header.first_seq), position, &mut visit));
        }
        position.pass(&frame);
        frame.blocks().for_each(|(at, block)| visit(&block, (offset + at) as u64));
        end = offset + frame.len;
    }
    let rest = end..bytes.len();
    if is_last && position.next_commit >= durable.next_commit {
        return Findings { end: end as u64, torn: (!rest.is_empty()).then_some(rest), damage };
    }
    if is_last || !rest.is_empty() {
        // What the bad end of a closed file has cost shows only where the next one begins.
        let end_seq = is_last.then_some(durable.next_seq.max(position.next_seq));
        damage.extend(source.salvage(rest, end_seq, position, &mut visit));
    }
    if is_last {
        position.catch_up(&durable);
    }
    Findings { end: bytes.len() as u64, torn: None, damage }
}

impl LogFileBytes<'_> {
    /// Whether the medium could not read some of these bytes. No crash leaves such a gap.
    pub(crate) fn is_unreadable(&self, bytes: &Range<usize>) -> bool {
        self.unreadable.iter().any(|gap| gap.start < bytes.end && bytes.start < gap.end)
    }

    /// Reads the sound blocks of a damaged range, which holds the seqs from `position` up to
    /// `end_seq`, if that is known. Answers what is lost; where that is only a header, [`Damage`]
    /// without seqs.
    fn salvage(
        &self,
        range: Range<usize>,
        end_seq: Option<u64>,
        position: &mut LogPosition,
        visit: &mut impl FnMut(&Block<'_>, u64),
    ) -> Vec<Damage> {
        let lost = |offset: usize, first_seq: u64, end_seq: u64| {
            let (path, offset) = (self.path.to_owned(), offset as u64);
            Damage { path, offset, first_seq, last_seq: end_seq - 1 }
        };
        let mut damage = Vec::new();
        let (start, mut at, first_seq) = (range.start, range.start, position.next_seq);
        while at < range.end {
            let block = self.bytes.get(at..range.end).and_then(|bytes| block::decode(bytes, self.salt));
            let fits = |block: &Block<'_>| {
                block.first_seq >= position.next_seq && end_seq.is_none_or(|end_seq| block.end_seq() <= end_seq)
            };
            let Some(block) = block.filter(fits) else {
                at += 1;
                continue;
            };
            if block.first_seq > position.next_seq {
                damage.push(lost(start, position.next_seq, block.first_seq));
            }
            visit(&block, at as u64);
            position.next_seq = block.end_seq();
            at += block.len;
        }
        let end_seq = end_seq.unwrap_or(position.next_seq);
        if position.next_seq < end_seq {
            damage.push(lost(start, position.next_seq, end_seq));
            position.next_seq = end_seq;
        } else if damage.is_empty() {
            damage.push(lost(start, first_seq, first_seq));
        }
        damage
    }
}

/// The first frame at or behind `from` that continues the log, directly or with a gap.
fn find_frame<'a>(bytes: &'a [u8], from: usize, salt: Salt, position: &LogPosition) -> Option<(usize, Frame<'a>)> {
    let candidate = |offset: usize| {
        let frame = frame::decode(bytes.get(offset..)?, salt)?;
        position.precedes(&frame).then_some((offset, frame))
    };
    candidate(from).or_else(|| {
        let starts = bytes.get(from..)?.windows(frame::MAGIC.len()).enumerate();
        starts.filter(|(_, window)| *window == frame::MAGIC).find_map(|(at, _)| candidate(from + at))
    })
}

/// Where the first frame at or behind `offset` ends that says that the commit which `position`
/// waits for was durable.
fn find_proof(bytes: &[u8], offset: usize, salt: Salt, position: &LogPosition) -> Option<usize> {
    let (mut at, mut reached) = (offset, *position);
    while let Some((offset, frame)) = find_frame(bytes, at, salt, &reached) {
        reached.pass(&frame);
        at = offset + frame.len;
        if frame.header.durable_commit >= position.next_commit {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests;
