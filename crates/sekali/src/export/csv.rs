//! CSV (RFC 4180, with line feeds) with a header line and no cell that a spreadsheet would run.

use super::event::each_event;
use super::part_file::TextFile;
use super::{ExportError, WriteEvents};
use crate::columns::{ADDED, EVENT};
use crate::formula::defuse;

/// Writes rows.
pub(super) struct Rows {
    rows: csv::Writer<Vec<u8>>,
    file: TextFile,
}

impl Rows {
    /// Writes the header.
    pub(super) fn new(file: TextFile) -> Result<Self, ExportError> {
        let mut rows = Self { rows: csv::Writer::from_writer(Vec::new()), file };
        rows.rows.write_record(EVENT.iter().chain(&ADDED)).map_err(|error| rows.file.error(error.into()))?;
        Ok(rows)
    }

    /// Hands on the rows that were written to memory.
    fn hand_on(&mut self) -> Result<(), ExportError> {
        let empty = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
        let full = std::mem::replace(&mut self.rows, empty);
        let text = full.into_inner().map_err(|error| self.file.error(error.into_error()))?;
        std::io::Write::write_all(&mut self.file, &text).map_err(|error| self.file.error(error))
    }
}

impl WriteEvents for Rows {
    fn write(&mut self, lines: &[u8]) -> Result<(), ExportError> {
        each_event(lines, |event| {
            let seq = event.seq.to_string();
            let texts = [&event.topic, &event.event_id, &event.timestamp, &event.source];
            let cells = texts.map(|text| defuse(text));
            let row = cells.iter().map(|cell| &**cell).chain([event.payload(), &seq, &event.received_at]);
            self.rows.write_record(row).map_err(|error| self.file.error(error.into()))
        })?;
        self.hand_on()
    }

    fn finish(mut self: Box<Self>) -> Result<(), ExportError> {
        self.hand_on()?;
        self.file.finish()
    }
}
