//! The limit of the disk: the bytes of the same commits, written and synced, and nothing else.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use super::StoreSpec;
use crate::Outcome;
use crate::measure::{Generator, rate};

/// Enough events for this measurement.
const EVENTS_MAX: u64 = 2_000_000;

/// The rate at which rows of events are appended to a new file at `path` and synced commit by
/// commit. Repeats cost nothing here.
pub(super) fn append(spec: &StoreSpec, path: &Path) -> Outcome<f64> {
    let mut generator = Generator::new(spec.payload_bytes as usize);
    let mut rows = Vec::new();
    for number in 0..spec.unique(spec.commit) {
        let event = generator.event(number);
        rows.extend_from_slice(&[0; 24]);
        [event.topic.as_bytes(), event.event_id.as_bytes(), event.source.as_bytes(), event.payload]
            .iter()
            .for_each(|text| rows.extend_from_slice(text));
    }
    let mut file = File::create_new(path)?;
    let commits = spec.events.min(EVENTS_MAX).div_ceil(spec.commit);
    let before = Instant::now();
    for _ in 0..commits {
        file.write_all(&rows)?;
        file.sync_data()?;
    }
    let rate = rate(commits * spec.commit, before.elapsed());
    std::fs::remove_file(path)?;
    Ok(rate)
}
