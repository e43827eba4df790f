//! The thread that gives live tails their events.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use sekali_store::Reader;

use super::TailOutput;
use super::board::Board;
use super::group::TailGroup;
use crate::limits::{TAIL_PASS_INTERVAL, TAIL_PASS_MAX, TAIL_TICK_INTERVAL};

/// The priority of the thread, as `nice` counts. At 10 it has a tenth of the ordinary share of a
/// core: of two cores that publish as fast as they can, no more than a twentieth.
const NICE: i32 = 10;

/// The live tails, and what is known of commits.
pub(super) struct Hub {
    board: Arc<Board>,
    readers: Arc<[Reader]>,
    group: TailGroup,
    /// The last seq of each partition that was told of.
    last_seqs: Vec<u64>,
    tick_interval: Duration,
}

impl Hub {
    pub(super) fn new(board: Arc<Board>, readers: Arc<[Reader]>) -> Self {
        let (group, last_seqs) = (TailGroup::new(readers.len()), vec![0; readers.len()]);
        Self { board, readers, group, last_seqs, tick_interval: TAIL_TICK_INTERVAL }
    }

    /// Runs until the board is closed.
    pub(super) fn run(mut self) {
        // Of this thread alone. Without the right to it the work is done all the same.
        let _ = rustix::process::setpriority_process(None, NICE);
        let mut has_all = true;
        let mut next_tick = Instant::now() + self.tick_interval;
        loop {
            let until = (!self.group.is_empty()).then(|| if has_all { next_tick } else { Instant::now() });
            let word = self.board.take(until, self.group.is_empty());
            let begun = Instant::now();
            if word.is_closed {
                return self.group.close();
            }
            self.group.note(word.topics);
            self.raise(&word.last_seqs);
            for joining in word.joining {
                if self.group.is_empty() {
                    // Commits of the time without tails have not been told of.
                    let last_seqs: Vec<_> = self.readers.iter().map(Reader::last_seq).collect();
                    self.raise(&last_seqs);
                }
                let heartbeat = joining.tail.output.as_ref().map(TailOutput::heartbeat);
                self.tick_interval = heartbeat.unwrap_or(self.tick_interval).min(self.tick_interval);
                self.group.join(&self.readers, joining);
            }
            has_all = self.group.give(&self.readers, &self.last_seqs, begun + TAIL_PASS_MAX);
            if Instant::now() >= next_tick {
                self.group.tick();
                next_tick = Instant::now() + self.tick_interval;
            }
            if has_all && !self.group.is_empty() {
                // Commits of this time are given out together.
                thread::sleep(TAIL_PASS_INTERVAL.saturating_sub(begun.elapsed()));
            }
        }
    }

    fn raise(&mut self, last_seqs: &[u64]) {
        self.last_seqs.iter_mut().zip(last_seqs).for_each(|(last, &told)| *last = told.max(*last));
    }
}
