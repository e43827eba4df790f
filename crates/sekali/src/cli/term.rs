//! The terminal: output, progress, signals, the log and the help.

pub(super) mod bars;
pub(super) mod color;
pub(super) mod log;
pub(super) mod output;
pub(super) mod progress_bar;
pub(super) mod signals;
pub(super) mod usage;
pub(super) mod waiting;
