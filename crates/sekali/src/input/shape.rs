//! Files whose records are no events: lines of text, the journal of systemd, and JSON and CSV of
//! any shape. Each gets an id that is the same when it is read again.

mod journal;
mod lines;
mod mapped;

use std::io;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use super::peek::Input;
use super::{ReadEvents, row};
use sekali_server::mapping::Mapping;

pub(super) use mapped::{MappedRecords, Mapper};

/// The kind of records that a file has, where they are no events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Each line is an event of this topic.
    Lines {
        /// The topic.
        topic: String,
        /// The source of all of them.
        source: String,
    },
    /// JSON as `journalctl -o json` writes it.
    Journal {
        /// The topic, unless it is the name of the program.
        topic: Option<String>,
    },
    /// JSON or CSV of any shape.
    Mapped {
        /// Where the parts of events are.
        mapping: Arc<Mapping>,
        /// The member whose array has the records, where they are not the values themselves.
        records: Option<String>,
    },
}

/// Bytes of a hash that go into an id.
const HASH_BYTES: usize = 16;

/// A reader of lines of text.
pub(super) fn lines(input: Input, name: &str, topic: &str, source: &str, now: String) -> Box<dyn ReadEvents> {
    Box::new(lines::TextLines::new(input, name, topic, source, now))
}

/// A reader of the journal.
pub(super) fn journal(input: Input, name: &str, topic: Option<String>, now: String) -> Box<dyn ReadEvents> {
    Box::new(journal::JournalEntries::new(input, name, topic, now))
}

fn hex(hash: &Sha256) -> String {
    hash.clone().finalize().iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// Replaces the contents of `event` with an event of these parts.
fn write(event: &mut Vec<u8>, cells: [&str; 5]) -> io::Result<()> {
    row::write_event(cells, event).map_err(io::Error::other)
}
