//! CSV with a header line and no cell that a spreadsheet would run, as the server itself writes it,
//! but for times that sort.

use std::io::Write;

use super::event::{each_event, sortable};
use super::part_file::TextFile;
use super::{ExportError, WriteEvents};
use sekali_wire::csv::{HEADER, append_row};

/// Writes rows.
pub(super) struct CsvWriter {
    file: TextFile,
    text: Vec<u8>,
}

impl CsvWriter {
    /// Writes the header.
    pub(super) fn new(mut file: TextFile) -> Result<Self, ExportError> {
        file.write_all(HEADER.as_bytes()).map_err(|error| file.error(error))?;
        Ok(Self { file, text: Vec::new() })
    }
}

impl WriteEvents for CsvWriter {
    fn write(&mut self, lines: &[u8]) -> Result<(), ExportError> {
        self.text.clear();
        each_event(lines, |event| {
            let (seq, payload) = (event.seq.to_string(), event.payload());
            let [topic, event_id] = [&*event.topic, &*event.event_id];
            let [timestamp, received_at] = [&event.timestamp, &event.received_at].map(|time| sortable(time));
            let cells = [topic, event_id, &timestamp, &event.source, payload, &seq, &received_at];
            append_row(&mut self.text, cells.map(str::as_bytes));
            Ok(())
        })?;
        self.file.write_all(&self.text).map_err(|error| self.file.error(error))
    }

    fn finish(self: Box<Self>) -> Result<(), ExportError> {
        self.file.finish()
    }
}
