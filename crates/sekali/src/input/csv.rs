//! CSV with a header line, separated by commas, semicolons, tabs or bars. Cells are read as `sekali
//! export` writes them, see [`sekali_wire::csv`].

mod any;
mod lines;
mod rows;

pub(super) use self::any::AnyRows;
pub(super) use self::lines::{names_separator, separator_of};

use self::rows::Rows;
use super::peek::Input;
use super::row::write_event;
use super::{InputError, ReadEvents, Record};
use sekali_wire::columns::{ADDED, EVENT};
use sekali_wire::csv::restore;

/// The separators of cells, the usual one first.
const SEPARATORS: [u8; 4] = *b",;\t|";

/// Reads rows and writes them as JSON.
pub(super) struct CsvRows {
    rows: Rows,
    columns: Columns,
}

/// Where the columns of an event are, and how many there are in all.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Columns {
    places: [usize; 5],
    width: usize,
}

impl CsvRows {
    /// Reads the header.
    pub(super) fn new(input: Input, name: &str) -> Result<Self, InputError> {
        let expected = format!("it must be {}", EVENT.join(","));
        let (rows, columns) = Rows::begin(input, name, separator_of, &expected, find_columns)?;
        Ok(Self { rows, columns })
    }
}

impl ReadEvents for CsvRows {
    fn next(&mut self, event: &mut Vec<u8>) -> Result<Option<Record>, InputError> {
        loop {
            let lines = match self.rows.next()? {
                None => return Ok(None),
                Some(Err(damaged)) => return Ok(Some(damaged)),
                Some(Ok(lines)) => lines,
            };
            let row = self.rows.row();
            // Where files were joined, the header of the next one stands in the middle.
            if row.iter().any(|cell| cell.trim_ascii() == EVENT[1].as_bytes())
                && let Ok(columns) = find_columns(row)
            {
                self.columns = columns;
                continue;
            }
            return Ok(Some(match read_row(row, &self.columns, event) {
                Ok(()) => Record::Event { line: lines.first },
                Err(reason) => lines.invalid(reason),
            }));
        }
    }
}

fn find_columns(header: &csv::ByteRecord) -> Result<Columns, String> {
    let mut places = [None; 5];
    for (index, column) in header.iter().enumerate() {
        let column = std::str::from_utf8(column).map_err(|_| "the header is not UTF-8")?.trim();
        match EVENT.iter().position(|&known| known == column) {
            Some(known) if places[known].replace(index).is_some() => return Err(format!("two columns named {column}")),
            Some(_) => {}
            None if ADDED.contains(&column) => {}
            None => return Err(format!("unknown column {column:?}: the header must be {}", EVENT.join(","))),
        }
    }
    let mut columns = Columns { places: [0; 5], width: header.len() };
    for ((column, place), name) in columns.places.iter_mut().zip(places).zip(EVENT) {
        *column = place.ok_or_else(|| format!("no column {name}: the header must be {}", EVENT.join(",")))?;
    }
    Ok(columns)
}

fn read_row(row: &csv::ByteRecord, columns: &Columns, event: &mut Vec<u8>) -> Result<(), String> {
    if row.len() != columns.width {
        return Err(format!("has {} columns where the header has {}", row.len(), columns.width));
    }
    let mut cells = [""; 5];
    for ((cell, column), name) in cells.iter_mut().zip(columns.places).zip(EVENT) {
        let bytes = row.get(column).unwrap_or_default();
        *cell = restore(std::str::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8"))?);
    }
    write_event(cells, event)
}

#[cfg(test)]
mod tests;
