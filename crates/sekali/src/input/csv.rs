//! CSV with a header line, separated by commas, semicolons, tabs or bars. Cells are read as `sekali
//! export` writes them, see [`sekali_wire::csv`].
//!
//! The `csv` crate takes rows apart; where a row ends is found here, since a quote that is not
//! closed must not swallow the rows behind it.

mod any;
mod lines;

use std::io::{self, Read};

pub(super) use self::any::AnyRows;
pub(super) use self::lines::{names_separator, separator_of};

use self::lines::{Lines, Text};
use super::peek::Input;
use super::row::write_event;
use super::{InputError, ReadEvents, Record, invalid};
use sekali_wire::columns::{ADDED, EVENT};
use sekali_wire::csv::restore;

/// The separators of cells, the usual one first.
const SEPARATORS: [u8; 4] = *b",;\t|";

/// Reads rows and writes them as JSON.
pub(super) struct CsvRows {
    lines: Lines,
    parser: csv::Reader<Pending>,
    row: csv::ByteRecord,
    columns: Columns,
    name: String,
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
        let syntax = |reason| InputError::Syntax { name: name.to_owned(), line: 1, reason };
        let mut lines = Lines::new(input);
        let separator = lines.start(separator_of).map_err(|error| InputError::reading(name, 1, error))?;
        let columns = Columns { places: [0; 5], width: 0 };
        let (parser, row) = (parser(separator), csv::ByteRecord::new());
        let mut rows = Self { lines, parser, row, columns, name: name.to_owned() };
        match rows.lines.next().map_err(|error| InputError::reading(name, 1, error))? {
            None => return Err(syntax(format!("there is no header: it must be {}", EVENT.join(",")))),
            Some(Text::Damaged { reason, .. }) => return Err(syntax(format!("the header is damaged: {reason}"))),
            Some(Text::Row { text, line, .. }) => {
                rows.parse(text);
                let found = find_columns(&rows.row);
                rows.columns = found.map_err(|reason| InputError::Syntax { name: name.to_owned(), line, reason })?;
            }
        }
        Ok(rows)
    }

    /// Takes a row apart.
    fn parse(&mut self, text: Vec<u8>) {
        self.row.clear();
        *self.parser.get_mut() = Pending { text, at: 0 };
        // It reads from memory, and rows may have any width.
        if !self.parser.read_byte_record(&mut self.row).unwrap_or(false) {
            self.parser = parser(self.lines.separator());
        }
    }
}

impl ReadEvents for CsvRows {
    fn next(&mut self, event: &mut Vec<u8>) -> Result<Option<Record>, InputError> {
        loop {
            let line = self.lines.line();
            let text = self.lines.next().map_err(|error| InputError::reading(&self.name, line, error))?;
            let (text, line, last_line) = match text {
                None => return Ok(None),
                Some(Text::Damaged { line, reason }) => return Ok(Some(invalid(line, reason))),
                Some(Text::Row { text, line, last_line }) => (text, line, last_line),
            };
            self.parse(text);
            // Where files were joined, the header of the next one stands in the middle.
            if self.row.iter().any(|cell| cell.trim_ascii() == EVENT[1].as_bytes())
                && let Ok(columns) = find_columns(&self.row)
            {
                self.columns = columns;
                continue;
            }
            return Ok(Some(match read_row(&self.row, &self.columns, event) {
                Ok(()) => Record::Event { line },
                Err(reason) if last_line > line => invalid(line, format!("lines {line} to {last_line}: {reason}")),
                Err(reason) => invalid(line, reason),
            }));
        }
    }
}

fn parser(separator: u8) -> csv::Reader<Pending> {
    csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(Pending::default())
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

/// One row, for the parser to read.
#[derive(Default)]
struct Pending {
    text: Vec<u8>,
    at: usize,
}

impl Read for Pending {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = (&self.text[self.at..]).read(buffer)?;
        self.at += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
