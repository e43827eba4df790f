//! Rows on their way into a row group.

use std::collections::HashMap;

use bytes::Bytes;
use parquet::column::writer::{ColumnCloseResult, ColumnWriterImpl, get_column_writer, get_typed_column_writer};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::SchemaDescriptor;

use super::dir::SegmentShape;
use super::index::TopicRows;
use super::schema::{EVENT_ID, PAYLOAD, RECEIVED_AT, SEQ, SOURCE, TIMESTAMP, TOPIC};
use super::table::TopicTable;
use crate::event::EventRef;
use crate::invariant::invariant;
use crate::limits::SEGMENT_PAGE_ROWS;
use crate::log::row;
use crate::tally::Tally;

/// Collects rows in order of seq and gives them back in order of topic and seq.
#[derive(Debug, Default)]
pub(super) struct RowBuffer {
    rows: Vec<BufferedRow>,
    /// Event id, source and payload of every row, one after the other.
    texts: Vec<u8>,
    topics: Vec<BufferedTopic>,
    known: HashMap<Box<str>, usize>,
    tally: Tally,
}

#[derive(Debug)]
struct BufferedRow {
    seq: u64,
    received_at_ns: i64,
    timestamp_ns: i64,
    start: usize,
    event_id_len: u32,
    source_len: u32,
    payload_len: u32,
}

#[derive(Debug)]
struct BufferedTopic {
    name: Box<str>,
    tally: Tally,
    /// Numbers of its rows, ascending.
    rows: Vec<u32>,
}

/// An encoded column and where its pages are.
pub(super) struct EncodedColumn {
    pub(super) bytes: ColumnBytes,
    pub(super) closed: ColumnCloseResult,
}

/// The bytes of a column, read by offsets that count from elsewhere.
pub(super) struct ColumnBytes {
    pub(super) bytes: Bytes,
    /// The offset of the first byte.
    pub(super) base: u64,
}

impl Length for ColumnBytes {
    fn len(&self) -> u64 {
        self.base + self.bytes.len() as u64
    }
}

impl ChunkReader for ColumnBytes {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        self.bytes.get_read(start.saturating_sub(self.base))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.bytes.get_bytes(start.saturating_sub(self.base), length)
    }
}

impl RowBuffer {
    /// Appends a row, whose seq is greater than the one before.
    pub(super) fn push(&mut self, seq: u64, received_at_ns: i64, event: &EventRef<'_>) {
        let (number, start) = (self.rows.len() as u32, self.texts.len());
        self.texts.extend_from_slice(event.event_id.as_bytes());
        self.texts.extend_from_slice(event.source.as_bytes());
        self.texts.extend_from_slice(event.payload);
        self.rows.push(BufferedRow {
            seq,
            received_at_ns,
            timestamp_ns: event.timestamp_ns,
            start,
            event_id_len: event.event_id.len() as u32,
            source_len: event.source.len() as u32,
            payload_len: event.payload.len() as u32,
        });
        let tally = Tally {
            events: 1,
            bytes: (row::HEADER_BYTES + event.topic.len() + self.texts.len() - start) as u64,
            first_timestamp_ns: event.timestamp_ns,
            last_timestamp_ns: event.timestamp_ns,
        };
        self.tally.add(&tally);
        let topic = self.topic(event.topic);
        topic.tally.add(&tally);
        topic.rows.push(number);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether the row group should be written now.
    pub(super) fn is_full(&self, shape: &SegmentShape) -> bool {
        self.rows.len() >= shape.group_rows || self.tally.bytes >= shape.group_bytes as u64
    }

    /// Counts of all rows.
    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    /// The first and the last seq; `None` where there are no rows.
    pub(super) fn seqs(&self) -> Option<(u64, u64)> {
        Some((self.rows.first()?.seq, self.rows.last()?.seq))
    }

    /// Brings the rows into the order of a row group.
    ///
    /// # Errors
    /// [`Error::Broken`](crate::Error::Broken) where that leaves rows out.
    pub(super) fn sort(&mut self) -> crate::Result<Sorted<'_>> {
        self.topics.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let order = self.topics.iter().flat_map(|topic| &topic.rows);
        let rows: Vec<_> = order.filter_map(|&number| self.rows.get(number as usize)).collect();
        invariant!(rows.len() == self.rows.len(), "a sorted row group has not the rows that were pushed");
        Ok(Sorted { buffer: self, rows })
    }

    /// Forgets the rows, but keeps the memory.
    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.texts.clear();
        self.topics.clear();
        self.known.clear();
        self.tally = Tally::default();
    }

    fn topic(&mut self, name: &str) -> &mut BufferedTopic {
        let next = self.topics.len();
        let number = self.known.get(name).copied().unwrap_or(next);
        if number == next {
            self.known.insert(name.into(), number);
            self.topics.push(BufferedTopic { name: name.into(), tally: Tally::default(), rows: Vec::new() });
        }
        &mut self.topics[number]
    }
}

/// The rows of a [`RowBuffer`] in the order of a row group.
pub(super) struct Sorted<'a> {
    buffer: &'a RowBuffer,
    rows: Vec<&'a BufferedRow>,
}

#[cold]
fn text_is_gone() -> ParquetError {
    ParquetError::General("the text of a row is gone".to_owned())
}

impl Sorted<'_> {
    /// Topics with their rows.
    pub(super) fn topics(&self) -> TopicTable {
        let mut end = 0;
        TopicRows::collect(self.buffer.topics.iter().map(|topic| {
            let start = end;
            end += topic.rows.len() as u32;
            TopicRows { topic: &topic.name, rows: start..end, tally: topic.tally }
        }))
    }

    /// Seqs of every so many rows.
    pub(super) fn marks(&self, step: usize) -> Vec<u64> {
        self.rows.iter().step_by(step).map(|row| row.seq).collect()
    }

    /// The timestamps.
    pub(super) fn timestamps_ns(&self) -> Vec<i64> {
        self.rows.iter().map(|row| row.timestamp_ns).collect()
    }

    /// The sources and payloads.
    pub(super) fn sources_and_payloads(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.rows.iter().map(|row| {
            let text = |skip: u32, len: u32| {
                let start = row.start + skip as usize;
                self.buffer.texts.get(start..start + len as usize).unwrap_or_default()
            };
            let source = text(row.event_id_len, row.source_len);
            (source, text(row.event_id_len + row.source_len, row.payload_len))
        })
    }

    /// Encodes a column.
    pub(super) fn encode(
        &self,
        column: usize,
        schema: &SchemaDescriptor,
        props: &WriterPropertiesPtr,
    ) -> Result<EncodedColumn> {
        let encoder = Encoder { column, schema, props };
        match column {
            TOPIC => encoder.encode::<ByteArrayType>(|writer| self.write_topics(writer)),
            EVENT_ID => encoder.encode(|writer| self.write_texts(writer, |row| (0, row.event_id_len))),
            SOURCE => encoder.encode(|writer| self.write_texts(writer, |row| (row.event_id_len, row.source_len))),
            PAYLOAD => encoder
                .encode(|writer| self.write_texts(writer, |row| (row.event_id_len + row.source_len, row.payload_len))),
            TIMESTAMP => encoder.encode(|writer| self.write_numbers(writer, |row| row.timestamp_ns)),
            SEQ => encoder.encode(|writer| self.write_numbers(writer, |row| row.seq as i64)),
            RECEIVED_AT => encoder.encode(|writer| self.write_numbers(writer, |row| row.received_at_ns)),
            _ => Err(ParquetError::General(format!("there is no column {column}"))),
        }
    }

    fn write_topics(&self, writer: &mut ColumnWriterImpl<'_, ByteArrayType>) -> Result<()> {
        for topic in &self.buffer.topics {
            let name = ByteArray::from(topic.name.as_bytes().to_vec());
            let names = vec![name; topic.rows.len().min(SEGMENT_PAGE_ROWS)];
            for rows in topic.rows.chunks(SEGMENT_PAGE_ROWS) {
                writer.write_batch(names.get(..rows.len()).unwrap_or_default(), None, None)?;
            }
        }
        Ok(())
    }

    /// `place` tells where in the row's texts a text begins, and its length.
    fn write_texts(
        &self,
        writer: &mut ColumnWriterImpl<'_, ByteArrayType>,
        place: impl Fn(&BufferedRow) -> (u32, u32),
    ) -> Result<()> {
        for rows in self.rows.chunks(SEGMENT_PAGE_ROWS) {
            // One allocation for all values of a batch, and none that would keep the whole buffer
            // alive.
            let mut texts = Vec::with_capacity(rows.iter().map(|row| place(row).1 as usize).sum());
            for row in rows {
                let (skip, len) = place(row);
                let start = row.start + skip as usize;
                let text = self.buffer.texts.get(start..start + len as usize);
                texts.extend_from_slice(text.ok_or_else(text_is_gone)?);
            }
            let (texts, mut start) = (Bytes::from(texts), 0);
            let values = rows.iter().map(|row| {
                let from = start;
                start += place(row).1 as usize;
                ByteArray::from(texts.slice(from..start))
            });
            writer.write_batch(&values.collect::<Vec<_>>(), None, None)?;
        }
        Ok(())
    }

    fn write_numbers(
        &self,
        writer: &mut ColumnWriterImpl<'_, Int64Type>,
        number: impl Fn(&BufferedRow) -> i64,
    ) -> Result<()> {
        let numbers: Vec<i64> = self.rows.iter().map(|row| number(row)).collect();
        writer.write_batch(&numbers, None, None).map(drop)
    }
}

struct Encoder<'a> {
    column: usize,
    schema: &'a SchemaDescriptor,
    props: &'a WriterPropertiesPtr,
}

impl Encoder<'_> {
    fn encode<T: DataType>(
        &self,
        write: impl FnOnce(&mut ColumnWriterImpl<'_, T>) -> Result<()>,
    ) -> Result<EncodedColumn> {
        let mut out = TrackedWrite::new(Vec::new());
        let pages = Box::new(SerializedPageWriter::new(&mut out));
        let mut writer =
            get_typed_column_writer::<T>(get_column_writer(self.schema.column(self.column), self.props.clone(), pages));
        write(&mut writer)?;
        let closed = writer.close()?;
        let bytes = ColumnBytes { bytes: out.into_inner()?.into(), base: 0 };
        Ok(EncodedColumn { bytes, closed })
    }
}
