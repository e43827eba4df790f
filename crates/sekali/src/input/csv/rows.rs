//! Rows of cells. The `csv` crate takes rows apart; where a row ends is found here, since a quote
//! that is not closed must not swallow the rows behind it.

use std::io::{self, Read};

use super::lines::{Lines, Text};
use crate::input::peek::Input;
use crate::input::{InputError, Record, invalid};

/// Reads rows, of which it holds one.
pub(super) struct Rows {
    lines: Lines,
    parser: csv::Reader<Pending>,
    row: csv::ByteRecord,
    name: String,
}

/// The lines that a row takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowLines {
    pub(super) first: i64,
    last: i64,
}

impl RowLines {
    /// The record of a row that is no event.
    pub(super) fn invalid(self, reason: String) -> Record {
        let Self { first, last } = self;
        let reason = if last > first { format!("lines {first} to {last}: {reason}") } else { reason };
        invalid(first, reason)
    }
}

impl Rows {
    /// Reads the header, and passes it to `columns`. `judge` finds the separator in the first line,
    /// and `expected` is said where there is none.
    ///
    /// # Errors
    /// [`InputError::Syntax`] where the header is missing or damaged, or `columns` refuses it.
    pub(super) fn begin<C>(
        input: Input,
        name: &str,
        judge: fn(&[u8]) -> Option<u8>,
        expected: &str,
        columns: impl FnOnce(&csv::ByteRecord) -> Result<C, String>,
    ) -> Result<(Self, C), InputError> {
        let syntax = |line, reason| InputError::Syntax { name: name.to_owned(), line, reason };
        let mut lines = Lines::new(input);
        let separator = lines.start(judge).map_err(|error| InputError::reading(name, 1, error))?;
        let mut rows = Self { lines, parser: parser(separator), row: csv::ByteRecord::new(), name: name.to_owned() };
        match rows.lines.next().map_err(|error| InputError::reading(name, 1, error))? {
            None => Err(syntax(1, format!("there is no header: {expected}"))),
            Some(Text::Damaged { line, reason }) => Err(syntax(line, format!("the header is damaged: {reason}"))),
            Some(Text::Row { text, line, .. }) => {
                rows.parse(text);
                let columns = columns(&rows.row).map_err(|reason| syntax(line, reason))?;
                Ok((rows, columns))
            }
        }
    }

    /// Takes the next row apart. `None` at the end, and the record of one that is damaged.
    ///
    /// # Errors
    /// Those of reading.
    pub(super) fn next(&mut self) -> Result<Option<Result<RowLines, Record>>, InputError> {
        let line = self.lines.line();
        let text = self.lines.next().map_err(|error| InputError::reading(&self.name, line, error))?;
        Ok(text.map(|text| match text {
            Text::Damaged { line, reason } => Err(invalid(line, reason)),
            Text::Row { text, line, last_line } => {
                self.parse(text);
                Ok(RowLines { first: line, last: last_line })
            }
        }))
    }

    /// The cells of the row.
    pub(super) fn row(&self) -> &csv::ByteRecord {
        &self.row
    }

    fn parse(&mut self, text: Vec<u8>) {
        self.row.clear();
        *self.parser.get_mut() = Pending { text, at: 0 };
        // It reads from memory, and rows may have any width.
        if !self.parser.read_byte_record(&mut self.row).unwrap_or(false) {
            self.parser = parser(self.lines.separator());
        }
    }
}

fn parser(separator: u8) -> csv::Reader<Pending> {
    csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(Pending::default())
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
