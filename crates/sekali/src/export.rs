//! Writing events that a server sends as NDJSON to a file of another kind, of any size, in flat
//! memory.
//!
//! An export is written beside its destination and takes its name only when it is complete and on
//! disk, so that a broken one never looks whole.

mod csv;
mod event;
mod format;
mod ndjson;
mod parquet;
mod part_file;
mod sqlite;
mod thread;

pub use format::OutputFormat;
pub use thread::{Exporter, Written};

use std::path::PathBuf;

/// Where an export goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// Standard output, for formats that are text.
    Stdout,
    /// A file, which is replaced when the export is complete.
    File(PathBuf),
}

/// Why an export cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Standard output does not take it; perhaps its reader has seen enough.
    #[error("cannot write to standard output: {0}")]
    Stdout(std::io::Error),
    /// The operating system refused.
    #[error("cannot write {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The library that knows the format could not write.
    #[error("cannot write {}: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The server sent something that is not an event.
    #[error("what the server sent is not an event ({0}): is this the right address?")]
    NotAnEvent(String),
    /// The events ended before they were complete.
    #[error("the export is not complete")]
    Incomplete,
}

/// A file that events are being written to.
trait WriteEvents {
    /// Appends the events of `lines`, each of which ends with a line break.
    fn write(&mut self, lines: &[u8]) -> Result<(), ExportError>;

    /// Completes the file; it is on disk when this returns.
    fn finish(self: Box<Self>) -> Result<(), ExportError>;
}
