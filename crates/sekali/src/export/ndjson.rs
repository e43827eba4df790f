//! NDJSON: what the server sends, but for times that sort.

use std::io::Write;

use super::event::append_sortable;
use super::part_file::TextFile;
use super::{ExportError, WriteEvents};

/// Writes lines.
pub(super) struct NdjsonWriter {
    file: TextFile,
    text: Vec<u8>,
}

impl NdjsonWriter {
    pub(super) fn new(file: TextFile) -> Self {
        Self { file, text: Vec::new() }
    }
}

impl WriteEvents for NdjsonWriter {
    fn write(&mut self, lines: &[u8]) -> Result<(), ExportError> {
        self.text.clear();
        for line in lines.split_inclusive(|&byte| byte == b'\n').filter(|line| *line != b"\n") {
            append_sortable(line, &mut self.text)?;
        }
        self.file.write_all(&self.text).map_err(|error| self.file.error(error))
    }

    fn finish(self: Box<Self>) -> Result<(), ExportError> {
        self.file.finish()
    }
}
