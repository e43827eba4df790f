//! NDJSON: what the server sends, as it is.

use std::io::Write;

use super::part_file::TextFile;
use super::{ExportError, WriteEvents};

/// Writes lines.
pub(super) struct Lines(pub(super) TextFile);

impl WriteEvents for Lines {
    fn write(&mut self, lines: &[u8]) -> Result<(), ExportError> {
        self.0.write_all(lines).map_err(|error| self.0.error(error))
    }

    fn finish(self: Box<Self>) -> Result<(), ExportError> {
        self.0.finish()
    }
}
