//! Reads what is sound of a damaged run.

use std::path::Path;

use super::super::block::{BLOCK_BYTES, BlockPlace, RunBlock};
use super::super::entry::Entry;
use super::header::RunHeader;
use super::layout::{block_offset, blocks, file_name};
use crate::disk::{Disk, unreadable};
use crate::error::{Error, Result};
use crate::limits::INDEX_BUFFER_BYTES;
use crate::manifest::RunInfo;

/// Hands the entries of the sound blocks of a run to `visit`, in order. There are none where the
/// file is missing, or is that of another run.
///
/// # Errors
/// Those of `visit`, and I/O errors that are no damage.
pub(crate) fn visit_sound(
    disk: &dyn Disk,
    dir: &Path,
    info: &RunInfo,
    mut visit: impl FnMut(Entry) -> Result<()>,
) -> Result<()> {
    let path = dir.join(file_name(info.number));
    let file = match unreadable::open(disk, &path) {
        Err(error) if error.is_not_found() || matches!(error, Error::Damaged { .. }) => return Ok(()),
        opened => opened?,
    };
    let mut header = [0; BLOCK_BYTES];
    unreadable::read_around(&*file, &path, &mut header, 0)?;
    if RunHeader::decode(&header, &path).is_ok_and(|header| header.agrees_with(info).is_err()) {
        return Ok(());
    }
    let (count, step) = (blocks(info.entries), INDEX_BUFFER_BYTES / BLOCK_BYTES);
    let (mut buffer, mut last) = (Vec::new(), None);
    for first in (0..count).step_by(step) {
        let here = (count - first).min(step as u64) as usize;
        buffer.resize(here * BLOCK_BYTES, 0);
        unreadable::read_around(&*file, &path, &mut buffer, block_offset(first))?;
        for (block, index) in buffer.as_chunks().0.iter().zip(first..) {
            let place = BlockPlace { run: info.number, index, first_seq: info.first_seq };
            let Ok(block) = RunBlock::open(block, &place) else { continue };
            for entry in block.entries() {
                let is_next = last.is_none_or(|last| last < entry);
                if is_next && (info.first_seq..=info.last_seq).contains(&entry.seq) {
                    last = Some(entry);
                    visit(entry)?;
                }
            }
        }
    }
    Ok(())
}
