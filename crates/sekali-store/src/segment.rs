//! Sealed segments: immutable Parquet files of stored events, which any tool that reads Parquet can open.
//!
//! A segment covers a contiguous range of the seqs of one partition. So does each of its **row groups**, of at most 128 Ki rows and
//! about 32 MiB; only *within* a row group are rows sorted by topic and then by seq. Sorting the whole file by topic would
//! make topics contiguous, but a reader of everything in order, which is what exports, tails and replays are, would have to
//! merge the whole file, and a writer to sort it. So both hold one row group in memory whatever the size of the file,
//! merging copies row groups as they are, and a topic is one run of rows in each row group.
//!
//! ```text
//! "PAR1"
//! for each row group: its columns as Parquet has them, then its index (segment/index.rs)
//! directory, anchor (segment/directory.rs, segment/anchor.rs)
//! Parquet's page indexes
//! directory, anchor, once more
//! Parquet's footer, its length, "PAR1"
//! ```
//!
//! Indexes, directories and anchors are ours and lie between what Parquet's footer points to, where other tools do not look.
//! They are not in the footer's key-value metadata, which can only hold text and which every reader has to parse whole. We
//! read by them alone, so that every byte is verified before it is decoded: the anchor verifies the directory, the
//! directory names the indexes, which verify themselves, and an index has a checksum for each 8 KiB of its columns.
//! (Parquet has page checksums, but the `parquet` crate neither writes nor, without other features, verifies them.)
//!
//! - `writer` sorts rows into row groups (`rows`, `schema`) and puts the file together (`file`, `sink`).
//! - `merge` joins segments; `trim` leaves topics out of one.
//! - `probe` is for fuzzing.
//! - `reader` opens a segment; `place` reads the index of a row group and keeps what is needed of it (`table`, `blocks`); `group` reads
//!   verified columns (`decoded`); `select` decides which rows.

mod anchor;
mod blocks;
mod decoded;
mod directory;
mod file;
mod group;
mod index;
mod merge;
mod place;
pub(crate) mod probe;
mod reader;
mod rows;
mod schema;
mod select;
mod sink;
mod table;
#[cfg(test)]
mod tests;
mod trim;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::Disk;
use crate::limits::{SEGMENT_GROUP_BYTES, SEGMENT_GROUP_ROWS, SEGMENT_PAGE_ROWS};
use crate::log::Salt;
use crate::meta::NewStore;

pub use decoded::Decoded;
pub use directory::RowGroup;
pub use merge::merge;
pub use reader::{Segment, SegmentInfo};
pub use select::{Topics, Wanted};
pub use trim::trim;
pub use writer::{Writer, write};

/// The ending of segment files.
pub const SUFFIX: &str = ".parquet";

/// Where the segments of a partition are, and whose they are.
#[derive(Debug, Clone)]
pub struct SegmentDir {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    store_id: u128,
    partition: u32,
    salt: Salt,
    shape: Shape,
    /// How often what is written has been trimmed.
    revision: u32,
}

/// How a new segment is divided. Readers take it from the file.
#[derive(Debug, Clone, Copy)]
struct Shape {
    group_rows: usize,
    group_bytes: usize,
    page_rows: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self { group_rows: SEGMENT_GROUP_ROWS, group_bytes: SEGMENT_GROUP_BYTES, page_rows: SEGMENT_PAGE_ROWS }
    }
}

impl SegmentDir {
    /// The segments of `partition` of `store`, in `dir`, which exists.
    pub fn new(disk: Arc<dyn Disk>, dir: PathBuf, store: &NewStore, partition: u32) -> Self {
        let salt = Salt::new(store, partition);
        Self { disk, dir, store_id: store.store_id, partition, salt, shape: Shape::default(), revision: 0 }
    }

    /// The directory itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The same directory, for segments that were trimmed so often: what is left of one may have its first and last seq
    /// still, and must not take its name.
    pub fn revised(&self, revision: u32) -> Self {
        Self { revision, ..self.clone() }
    }

    /// Where the segment with these seqs is.
    pub fn path(&self, first_seq: u64, last_seq: u64) -> PathBuf {
        self.dir.join(file_name(first_seq, last_seq, self.revision))
    }

    /// Where a segment that begins with this seq is written. What is found there at a start was never finished.
    fn unfinished_path(&self, first_seq: u64) -> PathBuf {
        crate::disk::temp_path(&self.dir.join(format!("{first_seq:020}{SUFFIX}")))
    }
}

/// The name of the segment with these seqs, trimmed so often.
pub(crate) fn file_name(first_seq: u64, last_seq: u64, revision: u32) -> String {
    let revision = if revision == 0 { String::new() } else { format!(".{revision}") };
    format!("{first_seq:020}-{last_seq:020}{revision}{SUFFIX}")
}

/// The first and last seq that the name of a segment tells; `None` where it is not one.
pub fn seqs_of(path: &Path) -> Option<(u64, u64)> {
    let (seqs, _) = name_of(path)?;
    let (first, last) = seqs.split_once('-')?;
    let digits = |text: &str| text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(first) && digits(last)).then_some(())?;
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// How often the segment of this name was trimmed.
pub fn revision_of(path: &Path) -> u32 {
    name_of(path).map_or(0, |(_, revision)| revision)
}

/// The part of the name of a segment that tells its seqs, and its revision.
fn name_of(path: &Path) -> Option<(&str, u32)> {
    let name = path.file_name()?.to_str()?.strip_suffix(SUFFIX)?;
    match name.split_once('.') {
        None => Some((name, 0)),
        Some((seqs, revision)) => {
            let number = revision.parse::<u32>().ok().filter(|number| *number > 0)?;
            // One number has one spelling.
            (revision == number.to_string()).then_some((seqs, number))
        }
    }
}
