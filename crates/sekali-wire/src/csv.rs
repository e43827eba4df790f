//! CSV by RFC 4180, with cells that a spreadsheet would take for a formula defused.

mod cells;
mod formula;

pub use cells::{HEADER, append_cell, append_row};
pub use formula::restore;
