//! Sealed segments: immutable Parquet files of stored events, which any tool that reads Parquet can
//! open.
//!
//! A segment covers a contiguous range of the seqs of one partition. So does each of its **row
//! groups**, of at most 128 Ki rows and about 32 MiB; only *within* a row group are rows sorted by
//! topic and then by seq. Sorting the whole file by topic would make topics contiguous, but a
//! reader of everything in order, which is what exports, tails and replays are, would have to merge
//! the whole file, and a writer to sort it. So both hold one row group in memory whatever the size
//! of the file, merging copies row groups as they are, and a topic is one run of rows in each row
//! group.
//!
//! ```text
//! "PAR1"
//! for each row group: its columns as Parquet has them, its parts (segment/parts.rs),
//!   its index (segment/index.rs)
//! directory, anchor (segment/directory.rs, segment/anchor.rs)
//! Parquet's page indexes
//! directory, anchor, once more
//! Parquet's footer, its length, "PAR1"
//! ```
//!
//! Indexes, directories and anchors are ours and lie between what Parquet's footer points to, where
//! other tools do not look. They are not in the footer's key-value metadata, which can only hold
//! text and which every reader has to parse whole. We read by them alone, so that every byte is
//! verified before it is decoded: the anchor verifies the directory, the directory names the
//! indexes, which verify themselves, and an index has a checksum for each 8 KiB of its columns.
//! (Parquet has page checksums, but the `parquet` crate neither writes nor, without other features,
//! verifies them.)
//!
//! - `writer` sorts rows into row groups (`rows`, `schema`) and puts the file together (`file`,
//!   `sink`).
//! - `merge` joins segments; `trim` leaves topics out of one.
//! - `probe` is for fuzzing.
//! - `parts` stand behind the columns: `members` are columns of members of payloads, by which a
//!   read leaves rows out; by a `summary` rows are counted (`counting`) without reading them; a
//!   `filter` says which texts without a column are not in blocks of rows.
//! - `reader` opens a segment; `source` reads the index of a row group and keeps what is needed of
//!   it (`table`, `blocks`); `group` reads verified columns (`decoded`); `select` decides which
//!   rows, by what is the `query`.

mod anchor;
mod blocks;
mod column_rows;
mod counting;
mod decoded;
mod dir;
mod directory;
mod file;
mod filter;
mod group;
mod index;
mod info;
mod members;
mod merge;
mod part_head;
mod parts;
pub(crate) mod probe;
mod query;
mod reader;
mod row_set;
mod rows;
mod schema;
mod select;
mod sink;
mod source;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod trim;
mod writer;

pub use column_rows::{ColumnRows, ColumnsWanted, RowCount, TimesWanted, TopicColumns};
pub(crate) use decoded::DecodedEvents;
pub(crate) use dir::file_name;
pub(crate) use dir::{PartRules, SUFFIX, SegmentDir, revision_of, seqs_of};
pub(crate) use directory::RowGroup;
pub(crate) use info::SegmentInfo;
pub(crate) use merge::merge;
pub(crate) use query::{RowQuery, TopicChoice};
pub(crate) use reader::{GroupCheck, Segment};
pub(crate) use row_set::RowSet;
pub(crate) use trim::trim;
pub(crate) use writer::SegmentWriter;
