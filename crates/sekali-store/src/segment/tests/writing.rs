use proptest::prelude::*;

use super::*;
use crate::disk::memory::Fault;
use crate::disk::{Disk, TEMP_SUFFIX};
use crate::error::Error;
use crate::limits::PAYLOAD_BYTES_MAX;
use crate::log::row;
use crate::segment::seqs_of;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(events in events(200), small: bool) {
        let (_, dir) = empty(if small { SMALL } else { SegmentShape::default() });
        let path = seal(&dir, &events);
        let segment = open(&dir, &path);
        prop_assert_eq!(&all(&segment), &events);
        segment.verify().unwrap();
        prop_assert_eq!(segment.info().rows, events.len() as u64);
        let (first, last) = (events.first().unwrap().seq, events.last().unwrap().seq);
        prop_assert_eq!((segment.info().first_seq, segment.info().last_seq), (first, last));
        prop_assert_eq!(seqs_of(&path), Some((first, last)));
    }

    #[test]
    fn topics_are_counted(events in events(150)) {
        let (_, dir) = empty(SMALL);
        let segment = open(&dir, &seal(&dir, &events));
        let mut names: Vec<_> = events.iter().map(|event| event.topic.clone()).collect();
        names.sort();
        names.dedup();
        prop_assert_eq!(segment.tallies().map(|(topic, _)| topic.to_owned()).collect::<Vec<_>>(), names);
        for (topic, tally) in segment.tallies() {
            let of: Vec<_> = events.iter().filter(|event| event.topic == topic).collect();
            let mut rows = Vec::new();
            of.iter().for_each(|event| row::encode(&event.as_ref(), &mut rows));
            prop_assert_eq!((tally.events, tally.bytes), (of.len() as u64, rows.len() as u64));
            prop_assert_eq!(Some(tally.first_timestamp_ns), of.iter().map(|event| event.timestamp_ns).min());
            prop_assert_eq!(Some(tally.last_timestamp_ns), of.iter().map(|event| event.timestamp_ns).max());
            for (number, group) in segment.row_groups().iter().enumerate() {
                let here = of.iter().any(|event| (group.first_seq..=group.last_seq).contains(&event.seq));
                prop_assert_eq!(segment.has_topic(number, topic), here);
            }
        }
    }
}

#[test]
fn row_groups_are_bounded_by_rows_and_by_bytes() {
    let (_, dir) = empty(SegmentShape { group_rows: 100, group_bytes: 10_000, page_rows: 7 });
    let mut events: Vec<_> = (1..=500).map(|seq| event(seq, "t")).collect();
    for event in &mut events[250..] {
        event.payload = vec![b'x'; 3000];
    }
    let segment = open(&dir, &seal(&dir, &events));
    for group in segment.row_groups() {
        assert!(group.rows <= 100 && group.bytes < 10_000 + 3100, "{group:?}");
    }
    assert_eq!(all(&segment), events);
}

#[test]
fn the_largest_payloads_fit() {
    let (_, dir) = empty(SegmentShape::default());
    let mut events: Vec<_> = (1..=40).map(|seq| event(seq, "t")).collect();
    for (number, event) in events.iter_mut().enumerate() {
        event.payload = (0..PAYLOAD_BYTES_MAX).map(|at| (at * (number + 7) / 3) as u8).collect();
    }
    let segment = open(&dir, &seal(&dir, &events));
    assert_eq!(segment.row_groups().len(), 2);
    assert_eq!(segment.find("t", 33).unwrap().as_ref(), Some(&events[32]));
    assert_eq!(all(&segment), events);
}

#[test]
fn as_many_topics_as_events() {
    let (_, dir) = empty(SegmentShape::default());
    let events: Vec<_> = (1..=5000).map(|seq| event(seq, &format!("topic {}", seq * 7919 % 5000))).collect();
    let segment = open(&dir, &seal(&dir, &events));
    assert_eq!(all(&segment), events);
    assert_eq!(segment.find(&events[77].topic, 78).unwrap().as_ref(), Some(&events[77]));
    assert_eq!(segment.find(&events[76].topic, 78).unwrap(), None);
}

#[test]
fn no_events_make_no_file() {
    let (disk, dir) = empty(SMALL);
    assert_eq!(write(&dir, []).unwrap(), None);
    assert!(disk.paths().is_empty());
}

#[test]
fn a_failed_source_of_events_leaves_no_file() {
    let (disk, dir) = empty(SMALL);
    let good = (1..=100).map(|seq| Ok(event(seq, "t")));
    write(&dir, good.chain([Err(Error::Invalid("no more".to_owned()))])).unwrap_err();
    assert!(disk.paths().is_empty());
}

#[test]
fn seqs_that_do_not_ascend_are_refused() {
    for seqs in [[3, 3], [3, 2], [0, 1], [1, u64::MAX]] {
        let (disk, dir) = empty(SMALL);
        assert!(matches!(write(&dir, seqs.map(|seq| Ok(event(seq, "t")))), Err(Error::Invalid(_))), "{seqs:?}");
        assert!(disk.paths().is_empty());
    }
}

/// Fails every call that changes the disk in turn, and cuts the power right after: under a
/// segment's name there is nothing, or everything.
#[test]
fn a_segment_is_there_whole_or_not_at_all() {
    let events: Vec<_> = (1..=200).map(|seq| event(seq, "t")).collect();
    let (disk, dir) = empty(SMALL);
    let before = disk.calls();
    seal(&dir, &events);
    let calls = disk.calls() - before;
    assert!(calls >= 5, "create, write, sync, rename, sync the directory");
    for number in 0..=calls {
        for fault in [Fault::Eio, Fault::Enospc] {
            for choice in 0..3 {
                let (disk, dir) = empty(SMALL);
                disk.fail_call(disk.calls() + number, fault);
                let written = write(&dir, events.iter().cloned().map(Ok));
                assert_eq!(written.is_ok(), number == calls);
                assert!(disk.paths().iter().all(|path| !path.to_string_lossy().ends_with(TEMP_SUFFIX)));
                let after = disk.power_cut(&mut |most| choice % most);
                let dir = SegmentDir { disk: Arc::new(after.clone()), ..dir };
                for path in after.paths() {
                    if !path.to_string_lossy().ends_with(TEMP_SUFFIX) {
                        assert_eq!(all(&open(&dir, &path)), events);
                    }
                }
                if let Ok(written) = written {
                    assert!(after.exists(&written.unwrap().path).unwrap());
                }
            }
        }
    }
}
