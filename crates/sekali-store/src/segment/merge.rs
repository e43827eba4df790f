//! Joins segments.

use std::sync::Arc;

use bytes::Bytes;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::page_index::{PageIndex, PageIndexProvider};
use parquet::file::metadata::{ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use parquet::schema::types::ColumnDescPtr;

use super::dir::{PartRules, SegmentDir, SegmentShape};
use super::directory::RowGroup;
use super::group::GroupReader;
use super::index::FILTER_PART;
use super::info::SegmentInfo;
use super::parts::PartsBuilder;
use super::query::RowQuery;
use super::reader::Segment;
use super::rows::{ColumnBytes, EncodedColumn};
use super::schema::COLUMNS;
use super::writer::SegmentWriter;
use crate::error::{Error, Result};

/// Joins adjacent segments, which come in order of seq, into one segment of `dir`. Row groups that
/// are at least half full are copied as they are, without decoding them, but for the payloads of
/// those that have no parts yet; smaller ones are put together. Holds one row group in
/// memory. The inputs stay.
///
/// # Errors
/// `Damaged` where an input is, and no segment is left then; `Invalid` where the inputs are none,
/// not in order, or of another partition.
pub(crate) fn merge(dir: &SegmentDir, inputs: &[Arc<Segment>]) -> Result<SegmentInfo> {
    let mut writer = SegmentWriter::new(dir);
    for segment in inputs {
        if segment.salt != dir.salt {
            return Err(Error::Invalid("segments of different partitions cannot be merged".to_owned()));
        }
        // Without a footer that is whole every row group is written anew.
        let parquet = Parquet::of(segment)?;
        for (number, entry) in segment.row_groups().iter().enumerate() {
            let group = GroupReader::load(segment.group(number, entry)?)?;
            match &parquet {
                Some(parquet) if is_large(entry, &dir.shape) => parquet.copy(&group, number, entry, &mut writer)?,
                _ => rewrite(&group, &mut writer)?,
            }
        }
    }
    writer.finish()?.ok_or_else(|| Error::Invalid("there are no segments to merge".to_owned()))
}

fn is_large(group: &RowGroup, shape: &SegmentShape) -> bool {
    group.rows * 2 >= shape.group_rows as u64 || group.bytes * 2 >= shape.group_bytes as u64
}

fn rewrite(group: &GroupReader<'_>, writer: &mut SegmentWriter) -> Result<()> {
    let decoded = group.decode(&RowQuery::default())?;
    decoded.iter().try_for_each(|(seq, received_at_ns, event)| writer.push(seq, received_at_ns, &event))
}

/// Parquet metadata of a segment.
struct Parquet {
    metadata: ParquetMetaData,
    pages: PageIndex,
    /// The columns as segments of today describe them.
    descriptions: Vec<ColumnDescPtr>,
}

impl Parquet {
    /// `None` where it is damaged.
    fn of(segment: &Segment) -> Result<Option<Self>> {
        let tail = match segment.parquet_tail() {
            Err(Error::Damaged { .. }) => return Ok(None),
            tail => tail?,
        };
        let parsed = Self::parse(&tail, segment.info().file_bytes, segment.schema.columns().to_vec());
        let what = |error| format!("its Parquet footer is not as it should be: {error}");
        let path = || segment.info().path.clone();
        parsed.map(Some).map_err(|error| Error::Damaged { path: path(), what: what(error) })
    }

    fn parse(tail: &Bytes, file_len: u64, descriptions: Vec<ColumnDescPtr>) -> Result<Self, ParquetError> {
        let mut reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Skip);
        reader.try_parse_sized(tail, file_len)?;
        let (metadata, pages) = ParquetMetaDataReader::new_with_metadata(reader.finish()?)
            .with_page_index_policy(PageIndexPolicy::Optional)
            .read_page_index_sized_and_finish(tail, file_len)?;
        let pages = pages.ok_or_else(|| ParquetError::General("there is no page index".to_owned()))?;
        Ok(Self { metadata, pages, descriptions })
    }

    fn copy(&self, group: &GroupReader<'_>, number: usize, entry: &RowGroup, writer: &mut SegmentWriter) -> Result<()> {
        let (bytes, parts) = (group.columns()?, group.parts()?);
        let whole = group.whole_index()?;
        let index = &whole.index;
        let columns = (0..COLUMNS).map(|column| {
            let offset = index.columns[column].offset;
            let bytes: Bytes = bytes.slice(offset as usize..index.column_end(column) as usize);
            let bytes = ColumnBytes { bytes, base: entry.offset + u64::from(offset) };
            let closed = self.closed(number, column)?;
            Some(closed.map(|closed| EncodedColumn { bytes, closed }))
        });
        let columns = columns.collect::<Option<Result<_, _>>>();
        let columns = columns.ok_or_else(|| group.damaged("Parquet's footer does not have it", entry.offset))?;
        let columns = columns.map_err(|error| Error::Invalid(error.to_string()))?;
        // Parts that are damaged cost no event, and are made anew.
        let is_whole = |rules: &PartRules| rules.texts.is_none() || index.part(FILTER_PART).is_some();
        let is_without = |rules: &PartRules| index.parts.is_none() || parts.is_none() || !is_whole(rules);
        if let Some(rules) = writer.parts().filter(is_without) {
            let (sources, payloads) = group.sources_and_payloads()?;
            let rows = sources.iter().map(str::as_bytes).zip(payloads.iter());
            let made = PartsBuilder::new(rules, &whole.topics, &group.timestamps_ns()?, rows);
            return writer.file(entry.first_seq, entry.last_seq)?.complete_group(entry, columns, made, &whole);
        }
        match parts {
            Some(parts) => writer.file(entry.first_seq, entry.last_seq)?.copy_group(entry, columns, &parts, &whole),
            None => rewrite(group, writer),
        }
    }

    /// A column as its writer left it, but described as it is today. `None` where the footer does
    /// not have it.
    fn closed(&self, group: usize, column: usize) -> Option<Result<ColumnCloseResult, ParquetError>> {
        let rows = self.metadata.row_groups().get(group)?;
        let metadata = describe(rows.columns().get(column)?, Arc::clone(self.descriptions.get(column)?));
        Some(metadata.map(|metadata| ColumnCloseResult {
            bytes_written: metadata.compressed_size() as u64,
            rows_written: rows.num_rows() as u64,
            metadata,
            bloom_filter: None,
            column_index: self.pages.column_index(group, column).cloned(),
            offset_index: self.pages.offset_index(group, column).cloned(),
        }))
    }
}

/// The same column under another description. Segments of earlier builds say that payloads are
/// JSON, and a writer takes no column that is described otherwise than its own.
fn describe(column: &ColumnChunkMetaData, description: ColumnDescPtr) -> Result<ColumnChunkMetaData, ParquetError> {
    let mut described = ColumnChunkMetaData::builder(description)
        .set_compression_codec(column.compression_codec())
        .set_encodings_mask(*column.encodings_mask())
        .set_num_values(column.num_values())
        .set_total_compressed_size(column.compressed_size())
        .set_total_uncompressed_size(column.uncompressed_size())
        .set_data_page_offset(column.data_page_offset())
        .set_dictionary_page_offset(column.dictionary_page_offset())
        .set_unencoded_byte_array_data_bytes(column.unencoded_byte_array_data_bytes());
    if let Some(statistics) = column.statistics() {
        described = described.set_statistics(statistics.clone());
    }
    if let Some(encodings) = column.page_encoding_stats() {
        described = described.set_page_encoding_stats(encodings.clone());
    }
    described.build()
}
