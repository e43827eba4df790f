//! A Parquet file with the columns of the server's own segments: the same names and the same types.

use std::fs::File;
use std::sync::Arc;

use jiff::Timestamp;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::EnabledStatistics;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use sekali_store::columns;

use super::event::{Event, each_event};
use super::part_file::PartFile;
use super::{ExportError, WriteEvents};

/// Most rows of a row group.
const GROUP_ROWS: usize = 128 * 1024;
/// A row group ends with the event that reaches so many bytes of text.
const GROUP_BYTES: usize = 16 * 1024 * 1024;

/// Gathers events to row groups.
pub(super) struct Groups {
    parquet: SerializedFileWriter<File>,
    file: PartFile,
    rows: Columns,
}

/// The cells of a row group.
#[derive(Default)]
struct Columns {
    topic: Vec<ByteArray>,
    event_id: Vec<ByteArray>,
    timestamp: Vec<i64>,
    source: Vec<ByteArray>,
    payload: Vec<ByteArray>,
    seq: Vec<i64>,
    received_at: Vec<i64>,
    bytes: usize,
}

/// A writer of the columns and encodings of segments, with statistics of whole column chunks.
fn writer(out: File) -> Result<SerializedFileWriter<File>> {
    let properties = columns::properties()?.set_statistics_enabled(EnabledStatistics::Chunk);
    SerializedFileWriter::new(out, columns::schema()?, Arc::new(properties.build()))
}

impl Groups {
    pub(super) fn create(file: PartFile) -> std::result::Result<Self, ExportError> {
        let out = file.writer()?;
        let parquet = writer(out).map_err(|error| file.format_error(error))?;
        Ok(Self { parquet, file, rows: Columns::default() })
    }

    fn end_group(&mut self) -> Result<()> {
        if self.rows.seq.is_empty() {
            return Ok(());
        }
        let mut group = self.parquet.next_row_group()?;
        self.rows.write(&mut group)?;
        group.close()?;
        self.rows = Columns::default();
        Ok(())
    }
}

impl WriteEvents for Groups {
    fn write(&mut self, lines: &[u8]) -> std::result::Result<(), ExportError> {
        each_event(lines, |event| {
            self.rows.push(event)?;
            if self.rows.seq.len() >= GROUP_ROWS || self.rows.bytes >= GROUP_BYTES {
                self.end_group().map_err(|error| self.file.format_error(error))?;
            }
            Ok(())
        })
    }

    fn finish(mut self: Box<Self>) -> std::result::Result<(), ExportError> {
        self.end_group().map_err(|error| self.file.format_error(error))?;
        let Self { parquet, file, .. } = *self;
        parquet.close().map_err(|error| file.format_error(error))?;
        file.keep()
    }
}

impl Columns {
    fn push(&mut self, event: &Event<'_>) -> std::result::Result<(), ExportError> {
        self.timestamp.push(nanoseconds(&event.timestamp)?);
        self.received_at.push(nanoseconds(&event.received_at)?);
        self.seq.push(event.seq);
        let texts = [
            (&mut self.topic, &*event.topic),
            (&mut self.event_id, &*event.event_id),
            (&mut self.source, &*event.source),
            (&mut self.payload, event.payload()),
        ];
        for (column, text) in texts {
            column.push(ByteArray::from(text));
            self.bytes += text.len();
        }
        Ok(())
    }

    /// Writes the columns in the order of the schema.
    fn write(&self, group: &mut SerializedRowGroupWriter<'_, File>) -> Result<()> {
        column::<ByteArrayType>(group, &self.topic)?;
        column::<ByteArrayType>(group, &self.event_id)?;
        column::<Int64Type>(group, &self.timestamp)?;
        column::<ByteArrayType>(group, &self.source)?;
        column::<ByteArrayType>(group, &self.payload)?;
        column::<Int64Type>(group, &self.seq)?;
        column::<Int64Type>(group, &self.received_at)
    }
}

fn column<T: DataType>(group: &mut SerializedRowGroupWriter<'_, File>, values: &[T::T]) -> Result<()> {
    let missing = || ParquetError::General("the schema has fewer columns than are written".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, None, None)?;
    column.close()
}

fn nanoseconds(text: &str) -> std::result::Result<i64, ExportError> {
    let not_a_time = || ExportError::NotAnEvent(format!("{text} is not a timestamp"));
    let timestamp: Timestamp = text.parse().map_err(|_| not_a_time())?;
    i64::try_from(timestamp.as_nanosecond()).map_err(|_| not_a_time())
}

#[cfg(test)]
mod tests {
    use sekali_wire::columns::{ADDED, EVENT};

    #[test]
    fn the_columns_are_those_of_other_exports() {
        assert!(EVENT.iter().chain(&ADDED).eq(&sekali_store::columns::COLUMN_NAMES));
    }
}
