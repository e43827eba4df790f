//! Merges runs into one, one part at a time, in a fixed amount of memory.

use std::path::Path;
use std::sync::Arc;

use super::entry::Entry;
use super::run::{Run, RunStream, RunWriter};
use crate::disk::Disk;
use crate::error::Result;
use crate::invariant::invariant;
use crate::manifest::RunInfo;

/// A merge in progress. Dropping it leaves a temporary file and nothing else.
#[derive(Debug)]
pub(super) struct RunMerge {
    /// The level of the runs it reads.
    pub(super) level: u32,
    inputs: Vec<MergeInput>,
    writer: RunWriter,
}

#[derive(Debug)]
struct MergeInput {
    stream: RunStream,
    next: Option<Entry>,
}

impl RunMerge {
    /// Begins to merge `runs` (at least one) into run `number`, with filters of `filter_bits` bits.
    pub(super) fn begin(
        disk: &Arc<dyn Disk>,
        dir: &Path,
        runs: &[Arc<Run>],
        number: u64,
        level: u32,
        filter_bits: u32,
    ) -> Result<Self> {
        invariant!(!runs.is_empty(), "a merge of no runs was begun");
        let infos = || runs.iter().map(|run| run.info());
        let info = RunInfo {
            number,
            entries: infos().map(|info| info.entries).sum(),
            first_seq: infos().map(|info| info.first_seq).min().unwrap_or(0),
            last_seq: infos().map(|info| info.last_seq).max().unwrap_or(0),
            checksum: 0,
        };
        let writer = RunWriter::create(disk, dir, info, filter_bits)?;
        let begin = |run: &Arc<Run>| -> Result<MergeInput> {
            let mut stream = RunStream::new(Arc::clone(run));
            Ok(MergeInput { next: stream.next_entry()?, stream })
        };
        Ok(Self { level, inputs: runs.iter().map(begin).collect::<Result<_>>()?, writer })
    }

    /// The runs that it reads.
    pub(super) fn reads(&self) -> impl Iterator<Item = &Arc<Run>> {
        self.inputs.iter().map(|input| input.stream.run())
    }

    /// Writes up to `entries` entries. Returns `false` once there are no more.
    pub(super) fn advance(&mut self, entries: usize) -> Result<bool> {
        for _ in 0..entries {
            // A linear search, since there are few inputs.
            let live = self.inputs.iter_mut().filter_map(|input| input.next.map(|entry| (entry, input)));
            let Some((entry, input)) = live.min_by(|a, b| a.0.cmp(&b.0)) else {
                return Ok(false);
            };
            self.writer.push(&entry)?;
            input.next = input.stream.next_entry()?;
        }
        Ok(true)
    }

    /// Completes the run. It is durable when this returns, but no manifest names it yet.
    pub(super) fn finish(self) -> Result<Run> {
        self.writer.finish()
    }
}
