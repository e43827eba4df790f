use bytes::Bytes;
use parquet::basic::LogicalType;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use proptest::prelude::*;

use super::*;
use crate::disk::{Disk, create_afresh};
use crate::error::Error;
use crate::segment::index::MEMBERS_PART;
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

/// How a segment's footer annotates payloads.
fn payload_type(disk: &MemoryDisk, path: &Path) -> Option<LogicalType> {
    let bytes = Bytes::from(crate::disk::read_all(disk, path).unwrap());
    let file = SerializedFileReader::new(bytes).unwrap();
    file.metadata().file_metadata().schema_descr().column(4).logical_type_ref().cloned()
}

#[test]
fn payloads_are_text_for_other_readers_whatever_they_hold() {
    let (disk, dir) = empty(SMALL);
    let path = seal(&dir, &[event(1, "t")]);
    assert_eq!(payload_type(&disk, &path), Some(LogicalType::String));
}

#[test]
fn row_groups_of_segments_that_called_payloads_json_are_copied_and_call_them_text() {
    // So few rows make a large row group that those of the fixture are copied and not written anew.
    let (disk, dir) = empty(SegmentShape { group_rows: 20, ..SMALL });
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/store-v1/p0000/segments");
    let mut paths: Vec<_> = std::fs::read_dir(fixture).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let parts: Vec<_> = paths
        .iter()
        .map(|path| {
            let to = Path::new(DIR).join(path.file_name().unwrap());
            create_afresh(&disk, &to).unwrap().write_all_at(&std::fs::read(path).unwrap(), 0).unwrap();
            assert_eq!(payload_type(&disk, &to), Some(LogicalType::Json));
            Arc::new(open(&dir, &to))
        })
        .collect();
    let info = merge(&dir, &parts).unwrap();
    let merged = open(&dir, &info.path);
    merged.verify().unwrap();
    assert_eq!(payload_type(&disk, &info.path), Some(LogicalType::String));
    assert_eq!(all(&merged), parts.iter().flat_map(|part| all(part)).collect::<Vec<_>>());
    let copied = |part: &Arc<Segment>| part.row_groups().len();
    assert_eq!(merged.row_groups().len(), parts.iter().map(copied).sum::<usize>());
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

#[test]
fn row_groups_that_were_sealed_without_columns_of_members_get_them_when_they_are_merged() {
    let events: Vec<_> = (1..=400).map(|seq| event(seq, ["a", "b"][(seq % 2) as usize])).collect();
    let (_, dir) = empty(SMALL);
    let with_members = |segment: &Segment| {
        let groups = segment.row_groups().iter().enumerate();
        let indexes = groups.map(|(number, entry)| segment.group(number, entry).unwrap().read_index().unwrap().index);
        indexes.filter(|index| index.part(MEMBERS_PART).is_some()).count()
    };
    let late = seal_parts(&dir.with_parts(None), &events[..200], 100);
    let soon = seal_parts(&dir, &events[200..], 100);
    assert!(late.iter().all(|segment| with_members(segment) == 0));
    assert!(soon.iter().all(|segment| with_members(segment) == segment.row_groups().len()));
    let parts: Vec<_> = late.into_iter().chain(soon).collect();
    for members in [None, dir.parts()] {
        let merged = open(&dir, &merge(&dir.with_parts(members), &parts).unwrap().path);
        merged.verify().unwrap();
        assert_eq!(all(&merged), events);
        let groups = merged.row_groups().len();
        assert!(with_members(&merged) == groups || (members.is_none() && with_members(&merged) < groups));
        // It can be merged again, with the parts as they are.
        let again = open(&dir, &merge(&dir, &[Arc::new(merged)]).unwrap().path);
        again.verify().unwrap();
        assert_eq!(all(&again), events);
        assert_eq!(with_members(&again), again.row_groups().len());
    }
}
