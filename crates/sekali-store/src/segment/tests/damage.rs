use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::error::{Error, Result};
use crate::meta::SEGMENT_FORMAT_VERSION;
use crate::segment::RowQuery;
use crate::segment::anchor::{ANCHOR_BYTES, Anchor};

/// Everything that can still be read of a damaged segment, and what was said of the rest.
fn salvage(dir: &SegmentDir, path: &Path) -> (Vec<StoredEvent>, Vec<String>) {
    let segment = match Segment::open(dir, path) {
        Ok(segment) => segment,
        Err(error) => return (Vec::new(), vec![named(error, path)]),
    };
    let (mut events, mut errors) = (Vec::new(), Vec::new());
    for group in 0..segment.row_groups().len() {
        match segment.read(group, &RowQuery::default()) {
            Ok(found) => events.extend(found),
            Err(error) => {
                let text = named(error, path);
                let expected = &segment.row_groups()[group];
                assert!(
                    text.contains(&format!("row group {group} (seq {} to {})", expected.first_seq, expected.last_seq)),
                    "{text}"
                );
                errors.push(text);
            }
        }
    }
    if let Err(error) = segment.verify() {
        errors.push(named(error, path));
    }
    (events, errors)
}

fn named(error: Error, path: &Path) -> String {
    assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(path.to_str().unwrap()), "{text}");
    text
}

fn sealed(rows: u64) -> (MemoryDisk, SegmentDir, PathBuf, Vec<StoredEvent>) {
    let (disk, dir) = empty(SMALL);
    let events: Vec<_> = (1..=rows).map(|seq| event(seq, ["a", "b", "$c"][(seq % 3) as usize])).collect();
    let path = seal(&dir, &events);
    (disk, dir, path, events)
}

#[test]
fn a_flipped_bit_anywhere_is_named_and_costs_at_most_one_row_group() {
    let (disk, dir, path, events) = sealed(90);
    let mut bytes = 0;
    disk.corrupt(&path, |file| bytes = file.len());
    for at in (0..bytes).step_by(3) {
        let bit = 1 << (at % 8);
        disk.corrupt(&path, |file| file[at] ^= bit);
        let (found, errors) = salvage(&dir, &path);
        assert!(!errors.is_empty(), "byte {at} of {bytes}");
        assert!(found.len() >= events.len() - SMALL.group_rows, "byte {at} of {bytes}: {errors:?}");
        assert!(found.iter().all(|event| events.contains(event)), "byte {at} of {bytes}");
        disk.corrupt(&path, |file| file[at] ^= bit);
    }
    assert_eq!(salvage(&dir, &path), (events, vec![]));
}

#[test]
fn rot_behind_what_an_open_segment_remembers_is_named() {
    let (disk, dir, path, events) = sealed(30);
    let segment = open(&dir, &path);
    assert_eq!(all(&segment), events);
    let end = segment.row_groups()[0].end() as usize;
    let mut wrong = 0;
    for at in 4..end {
        disk.corrupt(&path, |file| file[at] ^= 4);
        assert!(segment.verify().is_err_and(|error| matches!(error, Error::Damaged { .. })), "byte {at}");
        match segment.read(0, &RowQuery::default()) {
            Ok(found) => assert_eq!(found, events, "byte {at}"),
            Err(error) => drop((named(error, &path), wrong += 1)),
        }
        disk.corrupt(&path, |file| file[at] ^= 4);
    }
    assert!(wrong > 100, "{wrong}");
    assert_eq!(all(&segment), events);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn zeroed_and_overwritten_places_are_named(from: prop::sample::Index, len in 1..3000_usize, value in prop_oneof![Just(0_u8), any::<u8>()]) {
        let (disk, dir, path, events) = sealed(130);
        let mut changed = false;
        disk.corrupt(&path, |file| {
            let from = from.index(file.len());
            let end = (from + len).min(file.len());
            changed = file[from..end].iter().any(|byte| *byte != value);
            file[from..end].fill(value);
        });
        let (found, errors) = salvage(&dir, &path);
        prop_assert_eq!(errors.is_empty(), !changed);
        prop_assert!(found.iter().all(|event| events.contains(event)));
    }

    #[test]
    fn a_cut_or_lengthened_file_is_named(cut: prop::sample::Index, more in prop::collection::vec(any::<u8>(), 1..200)) {
        let (disk, dir, path, events) = sealed(130);
        let mut whole = Vec::new();
        disk.corrupt(&path, |file| {
            whole.clone_from(file);
            file.truncate(cut.index(file.len()));
        });
        let (found, errors) = salvage(&dir, &path);
        prop_assert!(!errors.is_empty());
        prop_assert!(found.iter().all(|event| events.contains(event)));
        disk.corrupt(&path, |file| *file = [&whole[..], &more].concat());
        let (found, errors) = salvage(&dir, &path);
        prop_assert!(!errors.is_empty());
        prop_assert!(found.iter().all(|event| events.contains(event)));
    }
}

#[test]
fn a_topic_whose_pages_are_sound_is_read_though_another_is_damaged() -> Result<()> {
    let (disk, dir) = empty(SegmentShape::default());
    let mut events: Vec<_> = (1..=2000).map(|seq| event(seq, ["a", "b"][usize::from(seq > 1000)])).collect();
    // Random enough to fill many blocks.
    let mut state = 1_u64;
    for event in &mut events {
        let random = (0..100).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) as u8
        });
        event.payload = random.collect();
    }
    let dir = SegmentDir { shape: SegmentShape { page_rows: 100, ..SegmentShape::default() }, ..dir };
    let path = seal(&dir, &events);
    // In the middle of the payloads of topic "a".
    disk.corrupt(&path, |file| file[60_000] ^= 1);
    let segment = open(&dir, &path);
    assert!(segment.read(0, &RowQuery::default()).is_err());
    let of = |topic| RowQuery { topics: crate::segment::TopicChoice::One(topic), ..RowQuery::default() };
    assert!(segment.read(0, &of("a")).is_err());
    assert_eq!(segment.read(0, &of("b"))?, events[1000..]);
    Ok(())
}

#[test]
fn segments_of_another_store_or_partition_are_refused() {
    let (disk, dir, path, _) = sealed(5);
    let disk = Arc::new(disk);
    let other = StoreMeta { store_id: 1, ..STORE };
    for dir in
        [SegmentDir::new(disk.clone(), DIR.into(), &other, 0), SegmentDir::new(disk.clone(), DIR.into(), &STORE, 1)]
    {
        assert!(matches!(Segment::open(&dir, &path), Err(Error::Damaged { .. })));
    }
    Segment::open(&dir, &path).unwrap();
}

#[test]
fn segments_of_a_newer_format_are_refused() {
    let (disk, dir, path, _) = sealed(5);
    let anchor = Anchor { version: SEGMENT_FORMAT_VERSION + 1, ..open(&dir, &path).anchor };
    let second = (anchor.footer_offset() as usize) - ANCHOR_BYTES;
    disk.corrupt(&path, |file| file[second..second + ANCHOR_BYTES].copy_from_slice(&anchor.encode(dir.salt)));
    assert!(matches!(Segment::open(&dir, &path), Err(Error::NewerFormat { .. })));
}
