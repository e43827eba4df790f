//! Where the segments of a partition are, and how their files are named.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk::Disk;
use crate::limits::{SEGMENT_GROUP_BYTES, SEGMENT_GROUP_ROWS, SEGMENT_PAGE_ROWS};
use crate::meta::StoreMeta;
use crate::rules::{ContentRules, Members, Pieces};
use crate::salt::Salt;

/// The ending of segment files.
pub(crate) const SUFFIX: &str = ".parquet";

/// Where the segments of a partition are, and whose they are.
#[derive(Debug, Clone)]
pub(crate) struct SegmentDir {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) dir: PathBuf,
    pub(super) store_id: u128,
    pub(super) partition: u32,
    pub(super) salt: Salt,
    pub(super) shape: SegmentShape,
    /// How parts of row groups are made; `None` where they are to get none.
    pub(super) parts: Option<PartRules>,
    /// How often what is written has been trimmed.
    pub(super) revision: u32,
}

/// How parts of row groups are made of payloads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PartRules {
    /// Which members payloads have.
    pub(crate) members: Members,
    /// Which texts they have; `None` where row groups are to get no filters.
    pub(crate) texts: Option<Pieces>,
}

impl PartRules {
    /// By the rules of payloads.
    pub(crate) fn new(rules: &ContentRules) -> Self {
        Self { members: rules.members, texts: Some(rules.texts) }
    }

    /// The same without filters.
    pub(crate) fn without_filters(self) -> Self {
        Self { texts: None, ..self }
    }
}

/// How a new segment is divided. Readers take it from the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct SegmentShape {
    pub(super) group_rows: usize,
    pub(super) group_bytes: usize,
    pub(super) page_rows: usize,
}

impl Default for SegmentShape {
    fn default() -> Self {
        Self { group_rows: SEGMENT_GROUP_ROWS, group_bytes: SEGMENT_GROUP_BYTES, page_rows: SEGMENT_PAGE_ROWS }
    }
}

impl SegmentDir {
    /// The segments of `partition` of `store`, in `dir`, which exists.
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: PathBuf, store: &StoreMeta, partition: u32) -> Self {
        let salt = Salt::new(store, partition);
        let (shape, parts) = (SegmentShape::default(), Some(PartRules::new(&ContentRules::BYTES)));
        Self { disk, dir, store_id: store.store_id, partition, salt, shape, parts, revision: 0 }
    }

    /// The same directory, for row groups with parts by these rules; `None` where they are to get
    /// none for now.
    pub(crate) fn with_parts(&self, parts: Option<PartRules>) -> Self {
        Self { parts, ..self.clone() }
    }

    /// How parts of row groups are made.
    pub(crate) fn parts(&self) -> Option<PartRules> {
        self.parts
    }

    /// The directory itself.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The same directory, for segments that were trimmed so often: what is left of one may have
    /// its first and last seq still, and must not take its name.
    pub(crate) fn revised(&self, revision: u32) -> Self {
        Self { revision, ..self.clone() }
    }

    /// Where the segment with these seqs is.
    pub(crate) fn path(&self, first_seq: u64, last_seq: u64) -> PathBuf {
        self.dir.join(file_name(first_seq, last_seq, self.revision))
    }

    /// Where a segment that begins with this seq is written. What is found there at a start was
    /// never finished.
    pub(super) fn unfinished_path(&self, first_seq: u64) -> PathBuf {
        crate::disk::temp_path(&self.dir.join(format!("{first_seq:020}{SUFFIX}")))
    }
}

/// The name of the segment with these seqs, trimmed so often.
pub(crate) fn file_name(first_seq: u64, last_seq: u64, revision: u32) -> String {
    let revision = if revision == 0 { String::new() } else { format!(".{revision}") };
    format!("{first_seq:020}-{last_seq:020}{revision}{SUFFIX}")
}

/// The first and last seq that the name of a segment tells; `None` where it is not one.
pub(crate) fn seqs_of(path: &Path) -> Option<(u64, u64)> {
    let (seqs, _) = name_of(path)?;
    let (first, last) = seqs.split_once('-')?;
    let digits = |text: &str| text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(first) && digits(last)).then_some(())?;
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// How often the segment of this name was trimmed.
pub(crate) fn revision_of(path: &Path) -> u32 {
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
