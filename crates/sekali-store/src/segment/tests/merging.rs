use proptest::prelude::*;

use super::*;
use crate::disk::Disk;
use crate::error::Error;
use crate::segment::{RowQuery, merge};

/// Seals events in several segments.
fn seal_parts(dir: &SegmentDir, events: &[StoredEvent], part: usize) -> Vec<Arc<Segment>> {
    events.chunks(part).map(|events| Arc::new(open(dir, &seal(dir, events)))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_merged_segment_is_the_concatenation(events in events(400), part in 1..150_usize) {
        let (disk, dir) = empty(SMALL);
        let parts = seal_parts(&dir, &events, part);
        let info = merge(&dir, &parts).unwrap();
        let merged = open(&dir, &info.path);
        merged.verify().unwrap();
        prop_assert_eq!(merged.info(), &info);
        prop_assert_eq!(&all(&merged), &events);
        prop_assert!(disk.paths().iter().all(|path| !path.to_string_lossy().ends_with(".tmp")));
        for event in events.iter().step_by(7) {
            let found = merged.find(&event.topic, event.seq).unwrap();
            prop_assert_eq!(found.as_ref(), Some(event));
        }
        // The same rows sealed at once have the same tallies.
        let (_, dir) = empty(SMALL);
        let whole = open(&dir, &seal(&dir, &events));
        prop_assert!(whole.tallies().eq(merged.tallies()));
        prop_assert_eq!(whole.info().bytes, merged.info().bytes);
        // Small row groups do not pile up.
        prop_assert!(merged.row_groups().len() <= 2 * whole.row_groups().len() + 1);
    }

    #[test]
    fn merging_damaged_segments_names_the_damage_and_leaves_nothing(at: prop::sample::Index) {
        let events: Vec<_> = (1..=200).map(|seq| event(seq, ["a", "b"][(seq % 2) as usize])).collect();
        let (disk, dir) = empty(SMALL);
        let parts = seal_parts(&dir, &events, 100);
        let path = parts[1].info().path.clone();
        disk.corrupt(&path, |file| {
            let at = at.index(file.len());
            file[at] ^= 4;
        });
        match merge(&dir, &parts) {
            // What was damaged was not needed: a footer, or the copy of a directory.
            Ok(info) => {
                let merged = open(&dir, &info.path);
                prop_assert_eq!(all(&merged), events);
                merged.verify().unwrap();
            }
            Err(error) => {
                let damaged = matches!(error, Error::Damaged { .. });
                prop_assert!(damaged);
                prop_assert_eq!(disk.list(Path::new(DIR)).unwrap().len(), 2);
            }
        }
    }
}

#[test]
fn merged_row_groups_are_copies() {
    let (disk, dir) = empty(SMALL);
    let events: Vec<_> = (1..=80).map(|seq| event(seq, "t")).collect();
    let parts = seal_parts(&dir, &events, 40);
    // Written anew they would have other pages.
    let dir = SegmentDir { shape: SegmentShape { page_rows: 5, ..SMALL }, ..dir };
    let info = merge(&dir, &parts).unwrap();
    let bytes = |path: &Path| crate::disk::read_all(&disk, path).unwrap();
    let merged = bytes(&info.path);
    for part in &parts {
        let group = &part.row_groups()[0];
        let copy = bytes(&part.info().path)[group.offset as usize..group.end() as usize].to_vec();
        assert!(merged.windows(copy.len()).any(|window| window == copy));
    }
}

#[test]
fn inputs_out_of_order_and_none_are_refused() {
    let (_, dir) = empty(SMALL);
    let events: Vec<_> = (1..=80).map(|seq| event(seq, "t")).collect();
    let mut parts = seal_parts(&dir, &events, 40);
    parts.reverse();
    assert!(matches!(merge(&dir, &parts), Err(Error::Invalid(_))));
    assert!(matches!(merge(&dir, &[]), Err(Error::Invalid(_))));
    assert!(parts[0].read(0, &RowQuery::default()).is_ok());
}
