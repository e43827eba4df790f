//! A writer that has several frames on their way to the disk, on a medium that keeps any of them.
//! Today's decides the next commit ahead, but never writes it ahead.

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::counters::Counters;
use crate::event::EventRef;
use crate::log::frame::{FrameBuilder, FrameHeader};
use crate::log::row;

const SALT: Salt = Salt(9);
/// Frames that are under way at most.
const UNDER_WAY: u64 = 4;

/// A log file as its writer meant it.
struct Written {
    bytes: Vec<u8>,
    /// Where the frame of each commit is, its durable mark, and where the log stands behind it.
    frames: Vec<(Range<usize>, u64, LogPosition)>,
}

/// Frames with so many rows, each with the mark that lags so far behind.
fn written(shapes: &[(u64, u64)]) -> Written {
    let mut position = LogPosition::default();
    let header = FileHeader { partition: 0, store_id: 1, first_seq: 1, first_commit: 1, previous: 0 };
    let mut written = Written { bytes: header.encode(SALT).to_vec(), frames: Vec::new() };
    let (mut builder, mut mark) = (FrameBuilder::new(SALT), 0);
    for &(rows, lag) in shapes {
        let commit = position.next_commit;
        mark = mark.max((commit - 1).saturating_sub(lag));
        builder.begin(position.next_seq, 0);
        for _ in 0..rows {
            let mut bytes = Vec::new();
            row::encode(
                &EventRef { topic: "t", event_id: "e", timestamp_ns: 1, source: "", payload: &[b'p'; 90] },
                &mut bytes,
            );
            builder.push(&bytes);
        }
        let header = FrameHeader {
            commit,
            durable_commit: mark,
            first_seq: position.next_seq,
            received_at_ns: 0,
            upstream: None,
            counts: Counters { received: rows, stored: rows, ..Counters::default() },
            totals: Counters::default(),
            previous: position.previous,
        };
        let bytes = builder.finish(&header);
        position.pass(&frame::decode(bytes, SALT).unwrap());
        let start = written.bytes.len();
        written.bytes.extend_from_slice(bytes);
        written.frames.push((start..written.bytes.len(), mark, position));
    }
    written
}

/// The parts of an unfinished frame that a crash leaves.
#[derive(Debug, Clone, Copy)]
enum Left {
    Whole,
    Nothing,
    /// Only its first part, or only what follows that.
    Torn(usize, bool),
}

fn left() -> impl Strategy<Value = Left> {
    prop_oneof![
        2 => Just(Left::Whole),
        1 => Just(Left::Nothing),
        1 => (1..100_usize, any::<bool>()).prop_map(|(at, front)| Left::Torn(at, front)),
    ]
}

impl Left {
    fn apply(self, frame: &mut [u8]) {
        match self {
            Self::Whole => {}
            Self::Nothing => frame.fill(0),
            Self::Torn(at, true) => frame[at..].fill(0),
            Self::Torn(at, false) => frame[..at].fill(0),
        }
    }
}

/// Recovers a file; answers what was found, where the log stands, and which seqs there are.
fn recover(bytes: &[u8], durable: LogPosition) -> (Findings, LogPosition, Vec<u64>) {
    let (mut position, mut seqs) = (LogPosition::default(), Vec::new());
    let source = LogFileBytes { path: Path::new("log"), bytes, unreadable: &[], is_last: true, durable, salt: SALT };
    let findings = scan(&source, &mut position, |block, _| seqs.extend(block.first_seq..block.end_seq()));
    (findings, position, seqs)
}

/// A second recovery, of what the first has kept, must find the same.
fn recover_twice(bytes: &[u8], durable: LogPosition) -> (Findings, LogPosition, Vec<u64>) {
    let first = recover(bytes, durable);
    let again = recover(&bytes[..first.0.end as usize], durable);
    assert_eq!((&again.0.damage, again.1, &again.2), (&first.0.damage, first.1, &first.2));
    assert_eq!(again.0.torn, None, "a tail is torn again");
    first
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_crash_costs_nothing_durable_and_is_never_taken_for_damage(
        shapes in prop::collection::vec((0..3_u64, 0..=UNDER_WAY), 1..12),
        fates in prop::collection::vec(left(), 12),
        synced: Index,
    ) {
        let Written { mut bytes, frames } = written(&shapes);
        // What the last frame says was durable, and perhaps some more.
        let least = frames.last().unwrap().1 as usize;
        let durable = least + synced.index(frames.len() + 1 - least);
        for ((range, ..), fate) in frames.iter().zip(&fates).skip(durable) {
            fate.apply(&mut bytes[range.clone()]);
        }
        let (findings, position, seqs) = recover_twice(&bytes, LogPosition::default());
        prop_assert_eq!(findings.damage, vec![]);
        let lucky = fates.iter().skip(durable).take(frames.len() - durable);
        let kept = durable + lucky.take_while(|fate| matches!(fate, Left::Whole)).count();
        prop_assert_eq!(position, frames[..kept].last().map_or_else(LogPosition::default, |frame| frame.2));
        prop_assert_eq!(seqs, (1..position.next_seq).collect::<Vec<_>>());
    }

    #[test]
    fn rot_in_what_was_durable_is_named_if_anything_that_is_left_tells(
        shapes in prop::collection::vec((0..3_u64, 0..=UNDER_WAY), 1..12),
        fates in prop::collection::vec(left(), 12),
        (synced, vouched, rotten, place) in any::<(Index, Index, Index, Index)>(),
    ) {
        let Written { mut bytes, frames } = written(&shapes);
        let least = frames.last().unwrap().1 as usize;
        let durable = least + synced.index(frames.len() + 1 - least);
        prop_assume!(durable > 0);
        for ((range, ..), fate) in frames.iter().zip(&fates).skip(durable) {
            fate.apply(&mut bytes[range.clone()]);
        }
        let rotten = rotten.index(durable);
        let range = frames[rotten].0.clone();
        bytes[range.start + place.index(range.len())] ^= 8;
        // What the manifest knows: some place up to which everything is durable.
        let vouched = vouched.index(durable + 1);
        let known = frames[..vouched].last().map_or_else(LogPosition::default, |frame| frame.2);

        let (findings, position, seqs) = recover_twice(&bytes, known);
        let is_whole = |at: usize| at < durable || matches!(fates[at], Left::Whole);
        let told = |at: usize| is_whole(at) && frames[at].1 > rotten as u64;
        let provable = rotten < vouched || (rotten + 1..frames.len()).any(told);
        let named = |seq: &u64| findings.damage.iter().any(|damage| (damage.first_seq..=damage.last_seq).contains(seq));
        if provable {
            prop_assert!(!findings.damage.is_empty(), "damage passes for a torn tail");
            prop_assert!(position.next_commit as usize > frames[..vouched.max(rotten + 1)].len());
            let end = frames[..durable].last().unwrap().2.next_seq;
            let all = (1..end).filter(|seq| *seq < position.next_seq).collect::<Vec<_>>();
            prop_assert!(all.iter().all(|seq| seqs.contains(seq) || named(seq)), "silently missing");
        } else {
            prop_assert_eq!(findings.damage.len(), 0, "only the frame itself could tell");
            prop_assert_eq!(position.next_commit as usize, rotten + 1);
        }
        prop_assert!(seqs.is_sorted_by(|a, b| a < b) && !seqs.iter().any(named), "served and named");
    }
}
