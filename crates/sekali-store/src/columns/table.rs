//! A Parquet file of events that is written row by row.

use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::EnabledStatistics;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};

use super::{ColumnType, column_type, properties, schema_of};

/// Most rows of a row group.
const GROUP_ROWS: usize = 128 * 1024;
/// Rows that are handed to the encoder at a time.
const BATCH_ROWS: usize = 4 * 1024;

/// The value of a column in one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Text in UTF-8.
    Text(&'a [u8]),
    /// A number, or a time in nanoseconds since 1970-01-01T00:00:00Z.
    Number(i64),
    /// Nothing. Only columns that are none of [`COLUMN_NAMES`](super::COLUMN_NAMES) may lack a
    /// value.
    Missing,
}

/// Writes rows to a Parquet file. Those of the row group that is not complete are in memory: at
/// most the bytes of text it was made for and a row, and some 40 bytes a row. A complete row group
/// is in memory a second time while it is compressed.
pub struct TableWriter<W: Write + Send> {
    parquet: SerializedFileWriter<W>,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
    group_bytes: usize,
}

/// The cells of a column in a row group.
enum Column {
    Text {
        bytes: Vec<u8>,
        /// Where each value ends in `bytes`.
        ends: Vec<u32>,
        /// Whether each row has a value, where it may have none.
        levels: Option<Vec<i16>>,
    },
    Numbers(Vec<i64>),
}

impl<W: Write + Send> TableWriter<W> {
    /// Begins a file with these columns, which have different names. Those of
    /// [`COLUMN_NAMES`](super::COLUMN_NAMES) have their own types, others are texts that a row may
    /// lack. A row group ends with the row that reaches `group_bytes` bytes of text.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(out: W, names: &[&str], group_bytes: usize) -> io::Result<Self> {
        let begin = || -> Result<SerializedFileWriter<W>> {
            let properties = properties(names)?.set_statistics_enabled(EnabledStatistics::Chunk);
            SerializedFileWriter::new(out, schema_of(names)?, Arc::new(properties.build()))
        };
        let columns = names.iter().map(|name| Column::new(column_type(name))).collect();
        Ok(Self { parquet: begin().map_err(to_io)?, columns, rows: 0, bytes: 0, group_bytes })
    }

    /// Adds a row with one cell for each column, in their order.
    ///
    /// # Errors
    /// Those of the output; a cell that its column does not take.
    pub fn push<'a>(&mut self, cells: impl IntoIterator<Item = Cell<'a>>) -> io::Result<()> {
        let mut cells = cells.into_iter();
        for column in &mut self.columns {
            self.bytes += column.push(cells.next().unwrap_or(Cell::Missing))?;
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS || self.bytes >= self.group_bytes {
            self.end_group()?;
        }
        Ok(())
    }

    /// The output, with what was written to it so far.
    pub fn output(&mut self) -> &mut W {
        self.parquet.inner_mut()
    }

    /// Completes the file. Without this, no reader takes it for one.
    ///
    /// # Errors
    /// Those of the output.
    pub fn finish(mut self) -> io::Result<W> {
        self.end_group()?;
        self.parquet.into_inner().map_err(to_io)
    }

    fn end_group(&mut self) -> io::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.parquet.next_row_group().map_err(to_io)?;
        for column in &mut self.columns {
            column.write(&mut group).map_err(to_io)?;
        }
        group.close().map_err(to_io)?;
        (self.rows, self.bytes) = (0, 0);
        self.parquet.flush()
    }
}

impl Column {
    fn new(kind: ColumnType) -> Self {
        let text = |levels| Self::Text { bytes: Vec::new(), ends: Vec::new(), levels };
        match kind {
            ColumnType::Time | ColumnType::Number => Self::Numbers(Vec::new()),
            ColumnType::Text => text(None),
            ColumnType::OptionalText => text(Some(Vec::new())),
        }
    }

    /// Adds a cell, and returns how many bytes of text it has.
    fn push(&mut self, cell: Cell<'_>) -> io::Result<usize> {
        match (self, cell) {
            (Self::Numbers(numbers), Cell::Number(number)) => {
                numbers.push(number);
                Ok(0)
            }
            (Self::Text { bytes, ends, levels }, Cell::Text(text)) => {
                bytes.extend_from_slice(text);
                ends.push(u32::try_from(bytes.len()).map_err(io::Error::other)?);
                levels.iter_mut().for_each(|levels| levels.push(1));
                Ok(text.len())
            }
            (Self::Text { levels: Some(levels), .. }, Cell::Missing) => {
                levels.push(0);
                Ok(0)
            }
            _ => Err(io::Error::other("a column does not take such a cell")),
        }
    }

    /// Writes the cells, which are gone then.
    fn write<W: Write + Send>(&mut self, group: &mut SerializedRowGroupWriter<'_, W>) -> Result<()> {
        let missing = || ParquetError::General("the schema has fewer columns than are written".to_owned());
        let mut column = group.next_column()?.ok_or_else(missing)?;
        match self {
            Self::Numbers(numbers) => {
                column.typed::<Int64Type>().write_batch(numbers, None, None)?;
                numbers.clear();
            }
            Self::Text { bytes, ends, levels } => {
                let writer = column.typed::<ByteArrayType>();
                let text = Bytes::from(std::mem::take(bytes));
                let mut begin = 0;
                let mut values = ends.iter().map(|&end| {
                    let value = text.slice(begin..end as usize);
                    begin = end as usize;
                    ByteArray::from(value)
                });
                let mut batch = Vec::with_capacity(BATCH_ROWS);
                let rows = levels.as_ref().map_or(ends.len(), Vec::len);
                for from in (0..rows).step_by(BATCH_ROWS) {
                    let to = rows.min(from + BATCH_ROWS);
                    let levels = levels.as_ref().and_then(|levels| levels.get(from..to));
                    let present = levels.map_or(to - from, |levels| levels.iter().filter(|level| **level > 0).count());
                    batch.clear();
                    batch.extend(values.by_ref().take(present));
                    writer.write_batch(&batch, levels, None)?;
                }
                ends.clear();
                levels.iter_mut().for_each(Vec::clear);
            }
        }
        column.close()
    }
}

fn to_io(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        error => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;
    use crate::columns::COLUMN_NAMES;

    #[test]
    fn every_row_comes_back_whatever_the_size_of_its_group() {
        for group_bytes in [1, 100, 1 << 20] {
            let mut table = TableWriter::new(Vec::new(), &["seq", "payload.a", "topic"], group_bytes).unwrap();
            let rows = 2 * BATCH_ROWS + 3;
            let text = |row: usize| (!row.is_multiple_of(3)).then(|| format!("value {row}"));
            for row in 0..if group_bytes == 1 { 5 } else { rows } {
                let value = text(row);
                let cell = value.as_ref().map_or(Cell::Missing, |value| Cell::Text(value.as_bytes()));
                table.push([Cell::Number(row as i64), cell, Cell::Text(b"t")]).unwrap();
            }
            let file = SerializedFileReader::new(Bytes::from(table.finish().unwrap())).unwrap();
            for (row, found) in file.get_row_iter(None).unwrap().enumerate() {
                let value = text(row).map_or("null".to_owned(), |value| format!("\"{value}\""));
                assert_eq!(found.unwrap().to_string(), format!("{{seq: {row}, payload.a: {value}, topic: \"t\"}}"));
            }
        }
    }

    #[test]
    fn a_file_is_none_before_it_is_finished() {
        let mut table = TableWriter::new(Vec::new(), &["topic"], 1).unwrap();
        table.push([Cell::Text(b"t")]).unwrap();
        let begun = Bytes::from(table.output().clone());
        assert!(begun.starts_with(b"PAR1") && begun.len() > 10, "{begun:?}");
        assert!(SerializedFileReader::new(begun).is_err());
    }

    #[test]
    fn a_cell_of_another_kind_is_an_error() {
        let mut table = TableWriter::new(Vec::new(), &COLUMN_NAMES, 1).unwrap();
        assert!(table.push([Cell::Missing]).is_err());
        let mut table = TableWriter::new(Vec::new(), &["seq"], 1).unwrap();
        assert!(table.push([Cell::Text(b"1")]).is_err());
    }
}
