//! Opens the runs of an index at a start.

use std::path::Path;
use std::sync::Arc;

use super::run::{Run, number_of};
use crate::disk::{Disk, TEMP_SUFFIX};
use crate::error::{Error, IoContext as _, Result};
use crate::manifest::{Manifest, ManifestFile, RunInfo};

/// The live runs, and where numbering and covering go on.
#[derive(Debug)]
pub(super) struct OpenRuns {
    pub(super) runs: Vec<Arc<Run>>,
    pub(super) covered_seq: u64,
    pub(super) next_run: u64,
}

/// Opens every run that the manifest names.
pub(super) fn open(disk: &dyn Disk, dir: &Path, manifest: &ManifestFile) -> Result<OpenRuns> {
    disk.create_dir_all(dir).at("create", dir)?;
    let live = manifest.get();
    let mut runs = Vec::with_capacity(live.runs.len());
    let mut lost = Vec::new();
    for info in &live.runs {
        match Run::open(disk, dir, info) {
            Ok(run) => runs.push(Arc::new(run)),
            Err(error) => lost.push(why_lost(info, error)?),
        }
    }
    if !lost.is_empty() {
        let what = format!("{}; rebuild the dedup index", lost.join("; "));
        return Err(Error::Damaged { path: dir.to_owned(), what });
    }
    // Without a manifest the files here are unexplained, so none is deleted; but no number is used
    // twice.
    if manifest.existed() {
        remove_leftovers(disk, dir, &live.runs)?;
    }
    let next_run = next_run(disk, dir, &live)?;
    Ok(OpenRuns { runs, covered_seq: live.covered_seq, next_run })
}

/// The number of the next run: above every number that the manifest or a file has.
pub(super) fn next_run(disk: &dyn Disk, dir: &Path, live: &Manifest) -> Result<u64> {
    let names = disk.list(dir).at("list", dir)?;
    let above = names.iter().filter_map(|name| number_of(name)).max().map_or(0, |number| number.saturating_add(1));
    Ok(live.next_run.max(above))
}

/// Removes the leftovers of crashes: files of an index that are not among the `live` runs. Other
/// files are not touched.
pub(super) fn remove_leftovers(disk: &dyn Disk, dir: &Path, live: &[RunInfo]) -> Result<()> {
    for name in disk.list(dir).at("list", dir)? {
        let of_run = number_of(name.strip_suffix(TEMP_SUFFIX).unwrap_or(&name));
        let is_temp = name.ends_with(TEMP_SUFFIX);
        let is_leftover = of_run.is_some_and(|number| is_temp || live.iter().all(|run| run.number != number));
        if is_leftover {
            let path = dir.join(&name);
            disk.remove(&path).at("remove", &path)?;
        }
    }
    Ok(())
}

/// Describes a run that cannot be trusted. Returns errors that say nothing about the run itself.
pub(super) fn why_lost(info: &RunInfo, error: Error) -> Result<String> {
    let (number, first, last) = (info.number, info.first_seq, info.last_seq);
    match error {
        Error::Damaged { what, .. } => Ok(format!("run {number} (seqs {first} to {last}): {what}")),
        error if error.is_not_found() => Ok(format!("run {number} (seqs {first} to {last}) is missing")),
        other => Err(other),
    }
}
