//! Parquet files with the columns of an event: our own exports, the server's segments, or what
//! others wrote like them.

mod column;
mod kind;

use std::fs::File;

use parquet::basic::{ConvertedType, LogicalType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::Type;

use self::column::Column;
use self::kind::{Kind, Role};
use super::progress::ReadProgress;
use super::row::write_event;
use super::{InputError, ReadEvents, Record, invalid};
use sekali_wire::columns::EVENT;

/// Rows that are decoded together. Few: each may have a payload of a mebibyte.
const BATCH_ROWS: usize = 128;

/// Reads row group after row group.
pub(super) struct ParquetRows {
    file: SerializedFileReader<File>,
    /// Where each column of an event is, and how it is read.
    columns: [(usize, Kind); 5],
    progress: ReadProgress,
    /// The next row group.
    group: usize,
    reading: Option<Reading>,
    /// The number of the last row that was handed on, from 1.
    row: i64,
}

/// The rest of a row group.
struct Reading {
    columns: Vec<Column>,
    /// Rows that were not decoded.
    rows_left: u64,
    /// Rows that were decoded and not handed on.
    decoded: std::ops::Range<usize>,
    bytes: u64,
}

impl ParquetRows {
    /// Reads the footer.
    pub(super) fn open(file: File, name: &str, progress: ReadProgress) -> Result<Self, InputError> {
        let unusable = |reason: String| InputError::Unusable { name: name.to_owned(), reason };
        let file = SerializedFileReader::new(file).map_err(|error| unusable(error.to_string()))?;
        let columns = find_columns(&file).map_err(unusable)?;
        Ok(Self { file, columns, progress, group: 0, reading: None, row: 0 })
    }

    /// Opens the next row group; `None` after the last.
    fn next_group(&mut self) -> Option<Result<Reading, (u64, ParquetError)>> {
        if self.group == self.file.num_row_groups() {
            return None;
        }
        let metadata = self.file.metadata().row_group(self.group);
        let rows_left = u64::try_from(metadata.num_rows()).unwrap_or_default();
        let bytes = u64::try_from(metadata.compressed_size()).unwrap_or_default();
        let group = self.file.get_row_group(self.group);
        self.group += 1;
        let columns = group.and_then(|group| {
            self.columns.iter().map(|&(index, kind)| Ok(Column::new(group.get_column_reader(index)?, kind))).collect()
        });
        Some(match columns {
            Ok(columns) => Ok(Reading { columns, rows_left, decoded: 0..0, bytes }),
            Err(error) => Err((rows_left, error)),
        })
    }

    /// A row group that cannot be read any further spoils only what is left of it.
    fn lost(&mut self, rows: u64, error: &ParquetError) -> Record {
        let (first, last) = (self.row + 1, self.row.saturating_add_unsigned(rows));
        self.row = last;
        Record::Invalid { line: first, rows, reason: format!("rows {first} to {last} cannot be read: {error}") }
    }
}

impl ReadEvents for ParquetRows {
    fn next(&mut self, event: &mut Vec<u8>) -> Result<Option<Record>, InputError> {
        loop {
            let mut reading = match self.reading.take() {
                Some(reading) => reading,
                None => match self.next_group() {
                    None => return Ok(None),
                    Some(Ok(reading)) => reading,
                    Some(Err((rows, error))) => return Ok(Some(self.lost(rows, &error))),
                },
            };
            if let Some(index) = reading.decoded.next() {
                self.row += 1;
                let line = self.row;
                let written = reading.write(index, event);
                self.reading = Some(reading);
                return Ok(Some(match written {
                    Ok(()) => Record::Event { line },
                    Err(reason) => invalid(line, reason),
                }));
            }
            if reading.rows_left == 0 {
                self.progress.add(reading.bytes);
                continue;
            }
            let rows_left = reading.rows_left;
            match reading.decode() {
                Ok(()) => self.reading = Some(reading),
                Err(error) => return Ok(Some(self.lost(rows_left, &error))),
            }
        }
    }
}

impl Reading {
    fn decode(&mut self) -> Result<(), ParquetError> {
        let wanted = BATCH_ROWS.min(usize::try_from(self.rows_left).unwrap_or(BATCH_ROWS));
        for (column, name) in self.columns.iter_mut().zip(EVENT) {
            let rows = column.decode(wanted)?;
            if rows != wanted {
                return Err(ParquetError::General(format!("column {name} ends early")));
            }
        }
        self.rows_left -= wanted as u64;
        self.decoded = 0..wanted;
        Ok(())
    }

    fn write(&self, index: usize, event: &mut Vec<u8>) -> Result<(), String> {
        let mut texts: [std::borrow::Cow<'_, str>; 5] = Default::default();
        for ((text, column), name) in texts.iter_mut().zip(&self.columns).zip(EVENT) {
            *text = column.text(index).map_err(|reason| format!("{name} {reason}"))?;
        }
        write_event(texts.each_ref().map(|text| &**text), event)
    }
}

fn find_columns(file: &SerializedFileReader<File>) -> Result<[(usize, Kind); 5], String> {
    let schema = file.metadata().file_metadata().schema_descr();
    let fields = schema.root_schema().get_fields();
    let mut columns = [(0, Kind::Text); 5];
    for (found, name) in columns.iter_mut().zip(EVENT) {
        let mut named = fields.iter().filter(|field| field.name() == name);
        let field = named.next().ok_or_else(|| format!("no column {name}; it needs {}", EVENT.join(", ")))?;
        if named.next().is_some() {
            return Err(format!("two columns named {name}"));
        }
        let role = Role::of(name);
        let index = (0..schema.num_columns()).find(|&index| schema.column(index).path().string() == name);
        let index = index.filter(|&index| schema.column(index).max_rep_level() == 0);
        let nested = || format!("column {name} is nested ({}): {}", shape(field), role.remedy());
        let index = index.ok_or_else(nested)?;
        *found = (index, Kind::of(&schema.column(index), role)?);
    }
    Ok(columns)
}

/// The type of a nested column, for people.
fn shape(field: &Type) -> &'static str {
    let info = field.get_basic_info();
    match (info.logical_type_ref(), info.converted_type()) {
        (Some(LogicalType::List), _) | (None, ConvertedType::LIST) => "a list",
        (Some(LogicalType::Map), _) | (None, ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE) => "a map",
        _ if field.is_primitive() => "a list",
        _ => "a struct",
    }
}

#[cfg(test)]
mod tests;
