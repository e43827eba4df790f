//! One column of a row group, some rows at a time.

use std::borrow::Cow;

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArrayType, DataType, FixedLenByteArrayType, Int32Type, Int64Type, Int96, Int96Type};
use parquet::errors::{ParquetError, Result};

use super::kind::Kind;
use sekali_wire::timestamp::append_timestamp;

/// The Julian day of 1970-01-01.
const JULIAN_DAY_OF_1970: i128 = 2_440_588;
const NS_PER_DAY: i128 = 86_400_000_000_000;

/// The decoded part of a column.
pub(super) struct Column {
    kind: Kind,
    cells: AnyCells,
}

enum AnyCells {
    Bytes(Cells<ByteArrayType>),
    Fixed(Cells<FixedLenByteArrayType>),
    Int32(Cells<Int32Type>),
    Int64(Cells<Int64Type>),
    Int96(Cells<Int96Type>),
    /// The file's own pages are not what its footer says.
    Other,
}

/// Decoded values; where one is missing, its place is `None`.
struct Cells<T: DataType> {
    reader: ColumnReaderImpl<T>,
    values: Vec<T::T>,
    levels: Vec<i16>,
    /// For each row the place of its value.
    places: Vec<Option<usize>>,
}

impl Column {
    pub(super) fn new(reader: ColumnReader, kind: Kind) -> Self {
        let cells = match reader {
            ColumnReader::ByteArrayColumnReader(reader) => AnyCells::Bytes(Cells::new(reader)),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => AnyCells::Fixed(Cells::new(reader)),
            ColumnReader::Int32ColumnReader(reader) => AnyCells::Int32(Cells::new(reader)),
            ColumnReader::Int64ColumnReader(reader) => AnyCells::Int64(Cells::new(reader)),
            ColumnReader::Int96ColumnReader(reader) => AnyCells::Int96(Cells::new(reader)),
            _ => AnyCells::Other,
        };
        Self { kind, cells }
    }

    /// Replaces what is decoded with up to `rows` more rows; returns how many there are.
    pub(super) fn decode(&mut self, rows: usize) -> Result<usize> {
        match &mut self.cells {
            AnyCells::Bytes(cells) => cells.decode(rows),
            AnyCells::Fixed(cells) => cells.decode(rows),
            AnyCells::Int32(cells) => cells.decode(rows),
            AnyCells::Int64(cells) => cells.decode(rows),
            AnyCells::Int96(cells) => cells.decode(rows),
            AnyCells::Other => {
                Err(ParquetError::General("a column is not of the type that the footer says".to_owned()))
            }
        }
    }

    /// A decoded cell as text.
    pub(super) fn text(&self, row: usize) -> std::result::Result<Cow<'_, str>, String> {
        let text = match (&self.cells, self.kind) {
            (AnyCells::Bytes(cells), _) => return utf8(cells.get(row)?.data()),
            (AnyCells::Fixed(cells), Kind::Uuid) => uuid(cells.get(row)?.data()),
            (AnyCells::Fixed(cells), _) => return utf8(cells.get(row)?.data()),
            (AnyCells::Int32(cells), Kind::Date) => moment(i128::from(*cells.get(row)?) * NS_PER_DAY)?,
            (AnyCells::Int32(cells), Kind::Int32 { signed: false }) => cells.get(row)?.cast_unsigned().to_string(),
            (AnyCells::Int32(cells), _) => cells.get(row)?.to_string(),
            (AnyCells::Int64(cells), Kind::Time(unit)) => moment(i128::from(*cells.get(row)?) * i128::from(unit))?,
            (AnyCells::Int64(cells), Kind::Int64 { signed: false }) => cells.get(row)?.cast_unsigned().to_string(),
            (AnyCells::Int64(cells), _) => cells.get(row)?.to_string(),
            (AnyCells::Int96(cells), _) => moment(ns_of_int96(cells.get(row)?))?,
            (AnyCells::Other, _) => return Err("is not of the type that the footer says".to_owned()),
        };
        Ok(Cow::Owned(text))
    }
}

fn utf8(bytes: &[u8]) -> std::result::Result<Cow<'_, str>, String> {
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| "is not UTF-8".to_owned())
}

/// As UUIDs are usually written: 01234567-89ab-cdef-0123-456789abcdef.
fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(digit.into(), 16).unwrap_or_default());
        }
    }
    text
}

fn ns_of_int96(value: &Int96) -> i128 {
    let [low, high, day] = [0, 1, 2].map(|word| i128::from(value.data().get(word).copied().unwrap_or_default()));
    (day - JULIAN_DAY_OF_1970) * NS_PER_DAY + (high << 32) + low
}

/// A moment, given in nanoseconds since 1970, as events have it.
fn moment(ns: i128) -> std::result::Result<String, String> {
    let ns = i64::try_from(ns).map_err(|_| "lies outside of 1677-09-21 to 2262-04-11".to_owned())?;
    let mut text = Vec::new();
    append_timestamp(&mut text, ns);
    Ok(String::from_utf8_lossy(&text).into_owned())
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

    fn get(&self, row: usize) -> std::result::Result<&T::T, String> {
        let place = self.places.get(row).copied().flatten();
        place.and_then(|place| self.values.get(place)).ok_or_else(|| "is null".to_owned())
    }
}
