//! One column of a row group, some rows at a time.

use std::borrow::Cow;

use parquet::basic::{LogicalType, TimeUnit, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescriptor;

use sekali_wire::timestamp::append_timestamp;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// Moments, in units of so many nanoseconds.
    Time(i64),
}

/// The decoded part of a column.
pub(super) enum Column {
    Text(Cells<ByteArrayType>),
    Time(Cells<Int64Type>, i64),
    /// The file's own pages are not what its footer says.
    Other,
}

/// Decoded values; where one is missing, `present` says so.
pub(super) struct Cells<T: DataType> {
    reader: ColumnReaderImpl<T>,
    values: Vec<T::T>,
    levels: Vec<i16>,
    /// For each row the place of its value.
    places: Vec<Option<usize>>,
}

impl Kind {
    /// How to read a column; only that of the timestamp may be other than text.
    pub(super) fn of(column: &ColumnDescriptor, is_time: bool) -> std::result::Result<Self, String> {
        let name = column.name();
        if column.max_rep_level() > 0 || column.max_def_level() > 1 {
            return Err(format!("column {name} is nested"));
        }
        match (column.physical_type(), column.logical_type_ref()) {
            (Type::BYTE_ARRAY, _) => Ok(Self::Text),
            (Type::INT64, Some(LogicalType::Timestamp(time))) if is_time => Ok(Self::Time(match time.unit {
                TimeUnit::MILLIS => 1_000_000,
                TimeUnit::MICROS => 1_000,
                TimeUnit::NANOS => 1,
            })),
            (other, _) if is_time => Err(format!("column {name} is {other} and neither a timestamp nor text")),
            (other, _) => Err(format!("column {name} is {other} and not text")),
        }
    }
}

impl Column {
    pub(super) fn new(reader: ColumnReader, kind: Kind) -> Self {
        match (reader, kind) {
            (ColumnReader::ByteArrayColumnReader(reader), Kind::Text) => Self::Text(Cells::new(reader)),
            (ColumnReader::Int64ColumnReader(reader), Kind::Time(unit)) => Self::Time(Cells::new(reader), unit),
            _ => Self::Other,
        }
    }

    /// Replaces what is decoded with up to `rows` more rows; returns how many there are.
    pub(super) fn decode(&mut self, rows: usize) -> Result<usize> {
        match self {
            Self::Text(cells) => cells.decode(rows),
            Self::Time(cells, _) => cells.decode(rows),
            Self::Other => Err(ParquetError::General("a column is not of the type that the footer says".to_owned())),
        }
    }

    /// A decoded cell as text.
    pub(super) fn text(&self, row: usize) -> std::result::Result<Cow<'_, str>, String> {
        let missing = || "is null".to_owned();
        match self {
            Self::Text(cells) => {
                let value: &ByteArray = cells.get(row).ok_or_else(missing)?;
                std::str::from_utf8(value.data()).map(Cow::Borrowed).map_err(|_| "is not UTF-8".to_owned())
            }
            Self::Time(cells, unit) => {
                let value = cells.get(row).ok_or_else(missing)?;
                let ns = value.checked_mul(*unit).ok_or("is out of the range of 64 bits of nanoseconds")?;
                let mut text = Vec::new();
                append_timestamp(&mut text, ns);
                Ok(Cow::Owned(String::from_utf8_lossy(&text).into_owned()))
            }
            Self::Other => Err(missing()),
        }
    }
}

impl<T: DataType> Cells<T> {
    fn new(reader: ColumnReaderImpl<T>) -> Self {
        Self { reader, values: Vec::new(), levels: Vec::new(), places: Vec::new() }
    }

    fn decode(&mut self, rows: usize) -> Result<usize> {
        self.values.clear();
        self.levels.clear();
        self.places.clear();
        let mut read = 0;
        // A read may stop at the end of a page.
        while read < rows {
            let levels = Some(&mut self.levels);
            let (more, ..) = self.reader.read_records(rows - read, levels, None, &mut self.values)?;
            if more == 0 {
                break;
            }
            read += more;
        }
        if self.levels.is_empty() {
            self.places.extend((0..self.values.len()).map(Some));
        } else {
            let mut place = 0..;
            self.places.extend(self.levels.iter().map(|&level| if level > 0 { place.next() } else { None }));
        }
        Ok(read)
    }

    fn get(&self, row: usize) -> Option<&T::T> {
        self.values.get((*self.places.get(row)?)?)
    }
}
