//! Puts a segment file together, row group by row group.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::SchemaDescriptor;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::anchor::{ANCHOR_BYTES, Anchor};
use super::dir::SegmentDir;
use super::directory::{DirectoryBuilder, RowGroup};
use super::index::{ColumnIndex, GroupIndex, PageStart, Part, TopicRows};
use super::info::SegmentInfo;
use super::parts::PartsBuilder;
use super::rows::{EncodedColumn, RowBuffer};
use super::schema;
use super::sink::ChecksumSink;
use super::source::WholeIndex;
use super::table::TopicTable;
use crate::columns;
use crate::disk;
use crate::error::{Error, IoContext, Result};
use crate::invariant::invariant;
use crate::meta::SEGMENT_FORMAT_VERSION;

/// Bytes behind Parquet's footer: its length, and "PAR1".
pub(super) const FOOTER_END_BYTES: usize = 8;

/// A segment that is being written, under a temporary name.
pub(super) struct SegmentFile {
    dir: SegmentDir,
    temp: PathBuf,
    schema: SchemaDescriptor,
    props: WriterPropertiesPtr,
    parquet: SerializedFileWriter<ChecksumSink>,
    directory: DirectoryBuilder,
}

impl SegmentFile {
    /// Begins a segment whose first event has this seq.
    pub(super) fn create(dir: &SegmentDir, first_seq: u64) -> Result<Self> {
        let temp = dir.unfinished_path(first_seq);
        let file = disk::create_afresh(&*dir.disk, &temp).at("create", &temp)?;
        let begin = || {
            let (schema, props) = (columns::schema()?, schema::properties(dir.shape.page_rows)?);
            let parquet =
                SerializedFileWriter::new(ChecksumSink::new(file, dir.salt), Arc::clone(&schema), props.clone())?;
            Ok((SchemaDescriptor::new(schema), props, parquet))
        };
        let (schema, props, parquet) = begin().map_err(|error| not_written(error, &temp))?;
        Ok(Self { dir: dir.clone(), temp, schema, props, parquet, directory: DirectoryBuilder::default() })
    }

    /// Writes the buffered rows as a row group, and empties the buffer.
    pub(super) fn write_group(&mut self, rows: &mut RowBuffer) -> Result<()> {
        let Some((first_seq, last_seq)) = rows.seqs() else { return Ok(()) };
        let tally = rows.tally();
        let sorted = rows.sort()?;
        let encoded = (0..schema::COLUMNS).map(|column| sorted.encode(column, &self.schema, &self.props));
        let topics = sorted.topics();
        let parts = self
            .dir
            .parts
            .map(|rules| PartsBuilder::new(rules, &topics, &sorted.timestamps_ns(), sorted.sources_and_payloads()));
        let is_complete = parts.as_ref().is_none_or(|parts| u64::from(parts.rows()) == tally.events);
        invariant!(is_complete, "the parts of a row group have not its rows");
        let parts = |columns_bytes| encode_parts(parts, columns_bytes);
        let placed = append_group(&mut self.parquet, encoded, parts).map_err(|error| not_written(error, &self.temp))?;
        let index = GroupIndex {
            rows: tally.events as u32,
            mark_rows: self.dir.shape.page_rows as u32,
            marks: sorted.marks(self.dir.shape.page_rows),
            ..placed.index
        };
        let index_bytes = index.encode(&topics, self.dir.salt);
        let group = RowGroup {
            offset: placed.offset,
            len: index.len,
            index_len: index_bytes.len() as u32,
            first_seq,
            last_seq,
            rows: tally.events,
            bytes: tally.bytes,
            first_timestamp_ns: tally.first_timestamp_ns,
            last_timestamp_ns: tally.last_timestamp_ns,
        };
        self.end_group(group, &topics, &index_bytes)?;
        rows.clear();
        Ok(())
    }

    /// Copies a row group of another segment of the same partition, columns, parts and index as
    /// they are.
    pub(super) fn copy_group(
        &mut self,
        group: &RowGroup,
        columns: Vec<EncodedColumn>,
        parts: &[u8],
        WholeIndex { index, topics, bytes }: &WholeIndex,
    ) -> Result<()> {
        let columns = columns.into_iter().map(Ok);
        let parts = |_| Ok((index.parts.clone(), parts.to_vec()));
        let placed = append_group(&mut self.parquet, columns, parts).map_err(|error| not_written(error, &self.temp))?;
        let copy = &placed.index;
        let is_same = (copy.len, &copy.columns, &copy.checksums) == (index.len, &index.columns, &index.checksums);
        invariant!(is_same, "a copied row group differs from the original");
        self.end_group(RowGroup { offset: placed.offset, ..group.clone() }, topics, bytes)
    }

    /// Copies the columns of a row group whose parts are not there or damaged, and puts new ones
    /// behind it.
    pub(super) fn complete_group(
        &mut self,
        group: &RowGroup,
        columns: Vec<EncodedColumn>,
        parts: PartsBuilder<'_>,
        WholeIndex { index, topics, .. }: &WholeIndex,
    ) -> Result<()> {
        invariant!(parts.rows() == index.rows, "the parts of a row group have not its rows");
        let columns = columns.into_iter().map(Ok);
        let parts = |columns_bytes| encode_parts(Some(parts), columns_bytes);
        let placed = append_group(&mut self.parquet, columns, parts).map_err(|error| not_written(error, &self.temp))?;
        let is_same = placed.index.columns == index.columns && placed.index.columns_end() == index.columns_end();
        invariant!(is_same, "a copied row group differs from the original");
        let (rows, mark_rows, marks) = (index.rows, index.mark_rows, index.marks.clone());
        let index = GroupIndex { rows, mark_rows, marks, ..placed.index };
        let bytes = index.encode(topics, self.dir.salt);
        let (offset, len, index_len) = (placed.offset, index.len, bytes.len() as u32);
        self.end_group(RowGroup { offset, len, index_len, ..group.clone() }, topics, &bytes)
    }

    /// Completes the file and gives it its name. It is durable, directory entry included, when this
    /// returns. After an error there is no unfinished file, as far as the disk still allows.
    pub(super) fn finish(self) -> Result<SegmentInfo> {
        let (disk, temp) = (Arc::clone(&self.dir.disk), self.temp.clone());
        self.complete().inspect_err(|_| drop(disk.remove(&temp)))
    }

    fn complete(self) -> Result<SegmentInfo> {
        let Self { dir, temp, parquet, directory, .. } = self;
        let directory = directory.finish();
        let Some((first, last)) = directory.groups.first().zip(directory.groups.last()) else {
            invariant!("a segment has no events");
        };
        let path = dir.path(first.first_seq, last.last_seq);
        let encoded = directory.encode(dir.salt);
        let anchor = Anchor {
            version: SEGMENT_FORMAT_VERSION,
            partition: dir.partition,
            store_id: dir.store_id,
            directory_offset: last.end(),
            directory_len: encoded.len() as u64,
            page_index_len: 0,
            footer_len: 0,
            parquet_checksum: 0,
        };
        let seqs = (first.first_seq, last.last_seq);
        let (sink, tail) =
            end_file(parquet, &dir, seqs, &encoded, anchor).map_err(|error| not_written(error, &temp))?;
        let file_bytes = sink.finish(&tail).at("write", &temp)?;
        dir.disk.rename(&temp, &path).at("rename", &temp)?;
        dir.disk.sync_dir(&dir.dir).at("sync", &dir.dir)?;
        Ok(SegmentInfo::new(path, file_bytes, &directory.groups))
    }

    /// Removes what was written.
    pub(super) fn abandon(self) {
        // Where it cannot be removed now, the next start does it.
        let _ = self.dir.disk.remove(&self.temp);
    }

    fn end_group(&mut self, group: RowGroup, topics: &TopicTable, index_bytes: &[u8]) -> Result<()> {
        self.parquet.write_all(index_bytes).at("write", &self.temp)?;
        let topics = (0..topics.len()).filter_map(|number| TopicRows::get(topics, number));
        self.directory.push(group, topics.map(|topic| (topic.topic, topic.tally)))
    }
}

/// The parts of a row group whose columns have so many bytes, and where they stand.
fn encode_parts(parts: Option<PartsBuilder>, columns_bytes: u32) -> Result<(Option<Vec<Part>>, Vec<u8>), ParquetError> {
    let Some(parts) = parts else { return Ok((None, Vec::new())) };
    let (parts, bytes) = parts.finish(columns_bytes)?;
    Ok((Some(parts), bytes))
}

/// Where a row group came to lie. The index has its pages, parts and checksums only.
struct WrittenGroup {
    offset: u64,
    index: GroupIndex,
}

fn append_group(
    parquet: &mut SerializedFileWriter<ChecksumSink>,
    columns: impl Iterator<Item = Result<EncodedColumn, ParquetError>>,
    parts: impl FnOnce(u32) -> Result<(Option<Vec<Part>>, Vec<u8>), ParquetError>,
) -> Result<WrittenGroup, ParquetError> {
    parquet.flush()?;
    parquet.inner_mut().begin_blocks();
    let mut placed = WrittenGroup { offset: parquet.bytes_written() as u64, index: GroupIndex::default() };
    let index = &mut placed.index;
    let mut group = parquet.next_row_group()?;
    for (slot, column) in index.columns.iter_mut().zip(columns) {
        let EncodedColumn { bytes, closed } = column?;
        let offset = index.len;
        let pages = closed.offset_index.as_ref().map(|index| index.page_locations.as_slice()).unwrap_or_default();
        let start = |page: &parquet::file::page_index::offset_index::PageLocation| PageStart {
            offset: offset + (page.offset as u64).saturating_sub(bytes.base) as u32,
            row: page.first_row_index as u32,
        };
        *slot = ColumnIndex { offset, pages: pages.iter().map(start).collect() };
        index.len += bytes.bytes.len() as u32;
        group.append_column(&bytes, closed)?;
    }
    group.close()?;
    let (parts, bytes) = parts(index.len)?;
    parquet.write_all(&bytes)?;
    (index.parts, index.len) = (parts, index.len + bytes.len() as u32);
    parquet.flush()?;
    index.checksums = parquet.inner_mut().finish_blocks();
    Ok(placed)
}

/// Makes what follows the row groups: both directories and anchors around Parquet's page indexes,
/// and Parquet's footer.
fn end_file(
    mut parquet: SerializedFileWriter<ChecksumSink>,
    dir: &SegmentDir,
    (first_seq, last_seq): (u64, u64),
    directory: &[u8],
    anchor: Anchor,
) -> Result<(ChecksumSink, Vec<u8>), ParquetError> {
    for (key, value) in [
        ("sekali.format", anchor.version.to_string()),
        ("sekali.store_id", format!("{:032x}", anchor.store_id)),
        ("sekali.partition", anchor.partition.to_string()),
        ("sekali.first_seq", first_seq.to_string()),
        ("sekali.last_seq", last_seq.to_string()),
    ] {
        parquet.append_key_value_metadata(KeyValue::new(key.to_owned(), value));
    }
    parquet.flush()?;
    parquet.inner_mut().hold()?;
    // Page indexes name their own offsets, so what comes before them must be there; its content may
    // follow.
    parquet.write_all(&vec![0; directory.len() + ANCHOR_BYTES])?;
    let mut sink = parquet.into_inner()?;
    let held = sink.take_held();
    let parts = split_held(&held, directory.len() + ANCHOR_BYTES);
    let (page_index, footer) = parts.ok_or_else(|| ParquetError::General("the footer is missing".to_owned()))?;
    let anchor = Anchor {
        page_index_len: page_index.len() as u64,
        footer_len: footer.len() as u64,
        parquet_checksum: xxh3_64_with_seed(&[page_index, footer].concat(), dir.salt.0),
        ..anchor
    };
    let anchor = anchor.encode(dir.salt);
    Ok((sink, [directory, &anchor, page_index, directory, &anchor, footer].concat()))
}

/// Parquet's page indexes and footer, in what it wrote behind `skip` bytes.
fn split_held(held: &[u8], skip: usize) -> Option<(&[u8], &[u8])> {
    let parquet = held.get(skip..)?;
    let (_, end) = parquet.split_last_chunk::<FOOTER_END_BYTES>()?;
    let thrift_len = u32::from_le_bytes(*end.first_chunk()?) as usize;
    parquet.split_at_checked(parquet.len().checked_sub(thrift_len + FOOTER_END_BYTES)?)
}

/// A failed write, by its cause.
pub(super) fn not_written(error: ParquetError, path: &Path) -> Error {
    let source = match error {
        ParquetError::External(cause) => {
            cause.downcast::<std::io::Error>().map_or_else(std::io::Error::other, |cause| *cause)
        }
        other => std::io::Error::other(other),
    };
    Error::Io { action: "write", path: path.to_owned(), source }
}
