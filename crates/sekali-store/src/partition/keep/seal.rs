//! Turns closed log files into segments.

use std::sync::Arc;

use super::live::{LiveFiles, entry};
use crate::damage::SeqSet;
use crate::error::Result;
use crate::invariant::invariant;
use crate::limits::{FILTER_BACKLOG_MAX, MEMBER_BACKLOG_MAX, UNSEALED_FILES_FLUSH};
use crate::log::file::LogFile;
use crate::manifest::SavedPosition;
use crate::partition::data_file::DataFile;
use crate::segment::{Segment, SegmentInfo, SegmentWriter};

/// Seals the oldest closed log file, once the index has all its events on disk: the log is what the
/// index is recovered from. The index must write them where many files wait, or where the file has
/// events before `seal_before`, a seq. `false` where there is nothing to seal.
pub(super) fn seal_next(live: &LiveFiles, seal_before: u64) -> Result<bool> {
    let files = live.shared.snapshot().files;
    let oldest = files.iter().find_map(|file| match file {
        DataFile::Log(file) => Some(file),
        DataFile::Segment(_) => None,
    });
    let Some((file, after)) = oldest.and_then(|file| Some((file, *file.after()?))) else { return Ok(false) };
    let index = &live.shared.index;
    let is_urgent = after.next_seq <= seal_before || live.backlog() >= UNSEALED_FILES_FLUSH;
    if index.covered_seq() + 1 < after.next_seq && is_urgent {
        index.flush()?;
    }
    if index.covered_seq() + 1 < after.next_seq {
        return Ok(false);
    }
    let info = write(live, file)?;
    live.shared.losses.check()?;
    let segment = info.as_ref().map(|info| Segment::open(&live.segments, &info.path)).transpose()?;
    let damage: Vec<_> = live.shared.losses.known.open().into_iter().filter(|found| found.path == file.path).collect();
    live.shared.manifest.update(|manifest| {
        manifest.sealed = Some(SavedPosition::from(&after));
        manifest.segments.extend(info.as_ref().map(entry));
        damage.iter().for_each(|damage| manifest.record_loss(damage));
    })?;
    live.shared.losses.known.note_recorded(&damage);
    live.shared.replace(&[DataFile::Log(Arc::clone(file))], segment.map(Arc::new))?;
    if !live.shared.manifest.uncertain() {
        live.log.retire(&file.path, !is_whole(live, file), &live.remover)?;
    }
    live.shared.losses.known.leave(&file.path);
    Ok(true)
}

/// Writes the segment of a log file.
fn write(live: &LiveFiles, file: &LogFile) -> Result<Option<SegmentInfo>> {
    let losses = &live.shared.losses;
    // Where sealing falls behind, parts of row groups come later.
    let parts = live.segments.parts().filter(|_| live.backlog() <= MEMBER_BACKLOG_MAX);
    let is_busy = live.backlog() > FILTER_BACKLOG_MAX;
    let parts = parts.map(|parts| if is_busy { parts.without_filters() } else { parts });
    let mut writer = SegmentWriter::new(&live.segments.with_parts(parts));
    let (mut written, mut found) = (Ok(()), Vec::new());
    // One set for the whole file: what a read finds meanwhile may be in the segment, and is hidden
    // by then as a part of the row group.
    let hidden = hidden_in(live, file);
    let extents = file.block_index().extents.len();
    for number in 0..extents as u32 {
        let span = file.block_index().extent(number);
        let Some(span) = span else { invariant!("an extent of a closed file is gone") };
        file.read_extent(span, &hidden, &mut found, |seq, received_at_ns, event| {
            if written.is_ok() {
                written = writer.push(seq, received_at_ns, &event);
            }
        })?;
    }
    losses.record(&found);
    written?;
    let info = writer.finish()?;
    let (rows, indexed) = (info.as_ref().map_or(0, |info| info.rows), indexed_events(file));
    invariant!(!is_whole(live, file) || rows == indexed, "a segment has not the events of its log file");
    Ok(info)
}

/// Whether no event of a log file is lost, and nothing in it is damaged.
fn is_whole(live: &LiveFiles, file: &LogFile) -> bool {
    !live.shared.losses.known.is_in(&file.path) && hidden_in(live, file).is_empty()
}

/// The seqs of a log file that are lost for good. Some of them may be readable again.
fn hidden_in(live: &LiveFiles, file: &LogFile) -> SeqSet {
    let end_seq = file.block_index().end_seq;
    live.shared.losses.known.hidden(file.first_seq..=end_seq.saturating_sub(1))
}

/// The events of a log file, by its block index.
fn indexed_events(file: &LogFile) -> u64 {
    let mut events = 0;
    file.block_index().topics.visit(|_, tally, _| events += tally.events);
    events
}
