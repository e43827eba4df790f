//! The choice of runs to merge, and of the width of a filter. These are pure functions, so that
//! tests can check them for a billion entries without writing one.

use super::block::SEQ_SPAN_MAX;
use super::filter::FILTER_BITS;
use crate::limits::{INDEX_FAN_IN, INDEX_RUN_ENTRIES_MAX};
use crate::manifest::RunInfo;

/// A run, as far as the choice depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MergeCandidate {
    /// Its number.
    pub number: u64,
    /// Its length.
    pub entries: u64,
    /// Its greatest seq.
    pub last_seq: u64,
    /// Whether a merge reads it already.
    pub busy: bool,
}

impl MergeCandidate {
    /// The run that `info` describes.
    pub(crate) fn new(info: &RunInfo, busy: bool) -> Self {
        Self { number: info.number, entries: info.entries, last_seq: info.last_seq, busy }
    }
}

/// The level of a run: the smallest `l` with `entries <= table_entries * FAN_IN^l`.
pub(crate) fn level(entries: u64, table_entries: usize) -> u32 {
    let mut room = (table_entries as u64).max(1);
    let mut level = 0;
    while room < entries {
        room = room.saturating_mul(INDEX_FAN_IN as u64);
        level += 1;
    }
    level
}

/// The merge that is due at the lowest level without a merge in progress: the level, and the
/// numbers of the runs.
pub(crate) fn next_merge(runs: &[MergeCandidate], table_entries: usize) -> Option<(u32, Vec<u64>)> {
    let levels = levels(runs, table_entries);
    let due =
        levels.iter().enumerate().find(|(_, runs)| runs.len() >= INDEX_FAN_IN && !runs.iter().any(|run| run.busy));
    due.map(|(level, runs)| (level as u32, runs.iter().take(INDEX_FAN_IN).map(|run| run.number).collect()))
}

/// How many runs there are in excess of those that would remain if no merge were due.
pub(crate) fn overdue(runs: &[MergeCandidate], table_entries: usize) -> usize {
    levels(runs, table_entries).iter().map(|runs| runs.len().saturating_sub(INDEX_FAN_IN - 1)).sum()
}

/// Entries that merges which are due will write again.
pub(crate) fn debt_entries(runs: &[MergeCandidate], table_entries: usize) -> u64 {
    let due = |runs: &Vec<MergeCandidate>| -> u64 {
        let merging = runs.len() / INDEX_FAN_IN * INDEX_FAN_IN;
        runs.iter().take(merging).map(|run| run.entries).sum()
    };
    levels(runs, table_entries).iter().map(due).sum()
}

/// Bits of a filter's value for a run of `entries` entries when all runs, this one included, have
/// `total`: 8, and one more for each doubling of `total / entries`, so that the many small runs add
/// little to the false positives.
///
/// The ratio is rounded down, so that a run with nearly all entries does not pay for the few that
/// were flushed while it was merged.
pub(crate) fn filter_bits(entries: u64, total: u64) -> u32 {
    let ratio = (total / entries.max(1)).max(1);
    let bits = FILTER_BITS.start() + ratio.next_power_of_two().trailing_zeros();
    bits.min(*FILTER_BITS.end())
}

/// The runs that may still be merged, by level, oldest first.
fn levels(runs: &[MergeCandidate], table_entries: usize) -> Vec<Vec<MergeCandidate>> {
    let mut levels: Vec<Vec<MergeCandidate>> = Vec::new();
    let mut runs: Vec<MergeCandidate> = runs.iter().copied().filter(may_merge).collect();
    runs.sort_unstable_by_key(|run| run.number);
    for run in runs {
        let level = level(run.entries, table_entries) as usize;
        if levels.len() <= level {
            levels.resize_with(level + 1, Vec::new);
        }
        if let Some(level) = levels.get_mut(level) {
            level.push(run);
        }
    }
    levels
}

/// Excludes runs so long that a merge of `FAN_IN` of them would pass the limit, and runs with seqs
/// past 2^40, whose distance from the first seq of a merged run might not fit an entry.
fn may_merge(run: &MergeCandidate) -> bool {
    let fan_in = INDEX_FAN_IN as u64;
    run.entries <= INDEX_RUN_ENTRIES_MAX / fan_in && run.last_seq <= SEQ_SPAN_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: usize = crate::limits::INDEX_TABLE_ENTRIES;

    struct Modelled {
        runs: Vec<(MergeCandidate, u32)>,
        written: u64,
    }

    impl Modelled {
        fn add(&mut self, number: u64, entries: u64) {
            let total: u64 = entries + self.runs.iter().map(|(run, _)| run.entries).sum::<u64>();
            self.runs.push((MergeCandidate { number, entries, last_seq: 2, busy: false }, filter_bits(entries, total)));
            self.written += entries;
        }

        fn candidates(&self) -> Vec<MergeCandidate> {
            self.runs.iter().map(|(run, _)| *run).collect()
        }
    }

    #[test]
    fn what_the_module_text_promises_holds_up_to_two_billion_entries() {
        let mut model = Modelled { runs: Vec::new(), written: 0 };
        let mut number = 0;
        for flushes in 1..=2000 {
            number += 1;
            model.add(number, T as u64);
            while let Some((_, merged)) = next_merge(&model.candidates(), T) {
                let entries =
                    model.runs.iter().filter(|(run, _)| merged.contains(&run.number)).map(|(run, _)| run.entries).sum();
                model.runs.retain(|(run, _)| !merged.contains(&run.number));
                number += 1;
                model.add(number, entries);
            }
            let entries = flushes * T as u64;
            let passed: f64 = model.runs.iter().map(|(_, bits)| 0.5_f64.powi(*bits as i32)).sum();
            assert!(passed <= 0.01, "{passed} false positives a look-up after {flushes} flushes");
            let bits: u64 = model.runs.iter().map(|(run, bits)| u64::from(*bits) * run.entries).sum();
            let bytes_an_id = bits as f64 * 1.17 / 8.0 / entries as f64 + 8.0 / 140.0;
            let most = if entries <= 1 << 30 { 1.51 } else { 1.58 };
            assert!(bytes_an_id <= most, "{bytes_an_id} bytes of memory an id after {flushes} flushes");
            assert!(
                model.runs.len()
                    <= 3 * (level(entries, T) as usize).min(4) + entries.div_ceil(INDEX_RUN_ENTRIES_MAX) as usize
            );
            assert!(model.written <= entries * u64::from(1 + level(entries, T)));
            assert_eq!(overdue(&model.candidates(), T), 0);
        }
    }

    #[test]
    fn a_level_with_a_merge_under_way_waits() {
        let run = |number, busy| MergeCandidate { number, entries: 5, last_seq: 9, busy };
        let mut runs: Vec<_> = (1..=8).map(|number| run(number, number <= 4)).collect();
        assert_eq!(next_merge(&runs, 10), None);
        assert_eq!(overdue(&runs, 10), 5);
        assert_eq!(debt_entries(&runs, 10), 40);
        runs.drain(..4);
        assert_eq!(next_merge(&runs, 10), Some((0, vec![5, 6, 7, 8])));
    }

    #[test]
    fn runs_at_the_limits_are_left_alone() {
        let run = |number| MergeCandidate { number, entries: INDEX_RUN_ENTRIES_MAX, last_seq: 9, busy: false };
        assert_eq!(next_merge(&[run(1), run(2), run(3), run(4)], T), None);
    }

    #[test]
    fn levels_are_powers_of_the_fan_in() {
        assert_eq!([1, 10, 11, 40, 41, 160, 161].map(|entries| level(entries, 10)), [0, 0, 1, 1, 2, 2, 3]);
    }

    #[test]
    fn a_small_run_among_many_entries_has_a_wide_filter() {
        assert_eq!([1, 2, 3, 4, 5, 256, 1 << 40].map(|total| filter_bits(1, total)), [8, 9, 10, 10, 11, 16, 16]);
        assert_eq!(filter_bits(100, 199), 8);
    }
}
