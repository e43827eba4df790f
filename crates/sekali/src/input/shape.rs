//! Files whose records are no events: lines of text, and the journal of systemd. Each gets an id
//! that is the same when it is read again.

mod journal;
mod lines;

use std::io;

use super::peek::Input;
use super::{ReadEvents, row};

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
}

/// A reader of records of this shape. `now` is for those without a time of their own.
pub(super) fn reader(input: Input, name: &str, shape: &Shape, now: String) -> Box<dyn ReadEvents> {
    match shape {
        Shape::Lines { topic, source } => Box::new(lines::TextLines::new(input, name, topic, source, now)),
        Shape::Journal { topic } => Box::new(journal::JournalEntries::new(input, name, topic.clone(), now)),
    }
}

/// Replaces the contents of `event` with an event of these parts.
fn write(event: &mut Vec<u8>, cells: [&str; 5]) -> io::Result<()> {
    row::write_event(cells, event).map_err(io::Error::other)
}
