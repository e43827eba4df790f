//! When the events of files were received, whatever the clock said then.
//!
//! Commits have the time of the clock, which may have run ahead or behind for a while. Events are
//! received in order of seq, so a time before that of an earlier event is too early, and one in the
//! future tells nothing.

use super::data_file::DataFile;
use crate::error::{Error, Result};
use crate::invariant::invariant;

/// When the events of a file were received, in nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileTimes {
    /// None of them before this.
    pub(super) earliest_ns: i64,
    /// None of them after this.
    pub(super) latest_ns: i64,
}

/// The times of some files in order of seq, at `now_ns`. The last log file may still grow.
///
/// # Errors
/// Those of reading, but for damage: a file that tells no time lies between its neighbours.
pub(super) fn times_of(files: &[DataFile], now_ns: i64) -> Result<Vec<FileTimes>> {
    let mut times = Vec::with_capacity(files.len());
    let mut earliest_ns = i64::MIN;
    for file in files {
        let (first_ns, last_ns) = told(file)?;
        let plausible = |told_ns: Option<i64>| told_ns.filter(|told_ns| *told_ns <= now_ns);
        earliest_ns = earliest_ns.max(plausible(first_ns).unwrap_or(earliest_ns).min(now_ns));
        // Where the last event is too early, when the file ended is known only to be before the next.
        let latest_ns = plausible(last_ns).filter(|last_ns| *last_ns >= earliest_ns);
        times.push((earliest_ns, latest_ns));
        earliest_ns = latest_ns.unwrap_or(earliest_ns);
    }
    let mut following_ns = now_ns;
    for (earliest_ns, latest_ns) in times.iter_mut().rev() {
        following_ns = *latest_ns.get_or_insert(following_ns);
        invariant!(*earliest_ns <= following_ns, "events were received in another order than that of their seqs");
    }
    let times = times.into_iter();
    Ok(times
        .map(|(earliest_ns, latest_ns)| FileTimes { earliest_ns, latest_ns: latest_ns.unwrap_or(now_ns) })
        .collect())
}

/// Times of the first and the last event of a file, as the clock said.
fn told(file: &DataFile) -> Result<(Option<i64>, Option<i64>)> {
    match file {
        DataFile::Segment(segment) => match segment.received_at_ns() {
            Ok((first_ns, last_ns)) => Ok((Some(first_ns), Some(last_ns))),
            Err(Error::Damaged { .. }) => Ok((None, None)),
            Err(error) => Err(error),
        },
        DataFile::Log(file) => {
            let last_ns = file.after().map(|after| after.received_at_ns);
            Ok((file.first_received_at_ns()?, last_ns))
        }
    }
}
