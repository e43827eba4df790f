//! The limits of the disk: one append and sync after the other, nothing else running.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::Outcome;
use crate::peer::Latency;

/// Duration of the measurement of each size.
const DURATION: Duration = Duration::from_secs(1);
/// Sizes of an append: a page, and a typical write of a busy server.
const SIZES: [usize; 2] = [4 * 1024, 64 * 1024];

/// Appends of one size, each synced.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Syncs {
    pub(crate) bytes: usize,
    /// Of the sync alone.
    pub(crate) latency_ms: Latency,
    pub(crate) count: u64,
}

/// Measures in `dir`.
pub(crate) fn measure(dir: &Path) -> Outcome<Vec<Syncs>> {
    SIZES.iter().map(|bytes| measure_size(&dir.join(format!("syncs-of-{bytes}")), *bytes)).collect()
}

fn measure_size(path: &Path, bytes: usize) -> Outcome<Syncs> {
    let mut file = File::create(path)?;
    let content = vec![b'x'; bytes];
    let mut times = Histogram::new(3)?;
    let until = Instant::now() + DURATION;
    while Instant::now() < until {
        file.write_all(&content)?;
        let begun = Instant::now();
        file.sync_data()?;
        times.record(u64::try_from(begun.elapsed().as_nanos())?)?;
    }
    Ok(Syncs { bytes, latency_ms: Latency::of_nanoseconds(&times), count: times.len() })
}
