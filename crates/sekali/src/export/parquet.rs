//! A Parquet file with the columns of the server's own segments: the same names and the same types.

use std::fs::File;

use jiff::Timestamp;
use sekali_store::columns::{COLUMN_NAMES, Cell, TableWriter};

use super::event::each_event;
use super::part_file::PartFile;
use super::{ExportError, WriteEvents};

/// A row group ends with the event that reaches so many bytes of text.
const GROUP_BYTES: usize = 16 * 1024 * 1024;

/// Gathers events to row groups.
pub(super) struct Groups {
    table: TableWriter<File>,
    file: PartFile,
}

impl Groups {
    pub(super) fn create(file: PartFile) -> Result<Self, ExportError> {
        let out = file.writer()?;
        let table = TableWriter::new(out, &COLUMN_NAMES, GROUP_BYTES).map_err(|error| file.error(error))?;
        Ok(Self { table, file })
    }
}

impl WriteEvents for Groups {
    fn write(&mut self, lines: &[u8]) -> Result<(), ExportError> {
        each_event(lines, |event| {
            let [topic, event_id, source] = [&event.topic, &event.event_id, &event.source].map(|text| text.as_bytes());
            let row = [
                Cell::Text(topic),
                Cell::Text(event_id),
                Cell::Number(nanoseconds(&event.timestamp)?),
                Cell::Text(source),
                Cell::Text(event.payload().as_bytes()),
                Cell::Number(event.seq),
                Cell::Number(nanoseconds(&event.received_at)?),
            ];
            self.table.push(row).map_err(|error| self.file.error(error))
        })
    }

    fn finish(self: Box<Self>) -> Result<(), ExportError> {
        let Self { table, file } = *self;
        table.finish().map_err(|error| file.error(error))?;
        file.keep()
    }
}

fn nanoseconds(text: &str) -> Result<i64, ExportError> {
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
