//! Common parts of the measuring programs: cost of a run, changes of its rate, and its data.

mod deciles;
mod generated;
mod process;

pub(crate) use deciles::Deciles;
pub(crate) use generated::{Generator, entry};
pub(crate) use process::{Cpu, resident_bytes, status_bytes};

use std::fs;
use std::path::Path;
use std::time::Duration;

/// A rate: a count in a time.
pub(crate) fn rate(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64().max(1e-9)
}

/// Bytes of all files below `dir` with this ending.
pub(crate) fn bytes_below(dir: &Path, suffix: &str) -> u64 {
    // Files may vanish meanwhile, and then do not count.
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(data) if data.is_dir() => bytes_below(&entry.path(), suffix),
            Ok(data) if entry.file_name().to_string_lossy().ends_with(suffix) => data.len(),
            _ => 0,
        })
        .sum()
}
