//! Reads in both directions, by topic and cursor, over several log files, compared with a plain
//! vector.

use std::sync::{Arc, Mutex};

use sekali_store::disk::Disk;
use sekali_store::disk::memory::MemoryDisk;
use sekali_store::{CommitListener, IndexOptions, Order, Scan, StorageStats, StoredEvent, Tuning};

use crate::support::{BUSY, Opened, Random, Sent, collect, files};

/// Log files of 4 MB. None is sealed, because the index is entirely in memory.
const UNSEALED: Tuning =
    Tuning { log_file_bytes: 4 << 20, index: IndexOptions { table_entries: 1 << 20, background: false }, ..BUSY };

/// All of the log except its end is sealed, and segments are merged.
const SEALED: Tuning =
    Tuning { log_file_bytes: 1 << 20, index: IndexOptions { table_entries: 100, background: false }, ..BUSY };

/// A store of some 12 MB, with events from 1 byte to 200 KB.
fn filled(tuning: Tuning) -> (MemoryDisk, Opened) {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, tuning).unwrap();
    let mut random = Random(5);
    for id in 0..25 {
        let events: Vec<_> = (0..1 + random.below(400))
            .map(|number| {
                let len = if random.below(50) == 0 { 200_000 } else { 1 + random.below(2_000) };
                let id = format!("{id}-{number}");
                Sent::new(format!("topic-{}", random.below(4)), id, vec![b'x'; len as usize])
            })
            .collect();
        opened.commit(&events).unwrap();
        if id % 10 == 0 {
            opened.commit(&[Sent::new("rare", id, "r"), Sent::new("$conflicts", id, "c")]).unwrap();
        }
    }
    (disk, opened)
}

fn ask(opened: &Opened, topic: Option<&str>, after: Option<u64>, order: Order) -> Vec<StoredEvent> {
    collect(&opened.reader(), Scan { topic: topic.map(str::to_owned), after, order, ..Scan::default() })
}

#[test]
fn scans_of_the_log_agree_with_a_vector() {
    let stats = scans_agree_with_a_vector(UNSEALED);
    assert!(stats.log_files >= 3 && stats.segments == 0, "{stats:?}");
}

#[test]
fn scans_of_segments_agree_with_a_vector() {
    let stats = scans_agree_with_a_vector(SEALED);
    assert!(stats.segments >= 2, "{stats:?}");
}

/// Before a restart and after it.
fn scans_agree_with_a_vector(tuning: Tuning) -> StorageStats {
    let (disk, mut opened) = filled(tuning);
    let mut all = ask(&opened, None, None, Order::Ascending);
    all.extend(ask(&opened, Some("$conflicts"), None, Order::Ascending));
    all.sort_by_key(|event| event.seq);
    assert_eq!(collect(&opened.reader(), Scan { reserved: true, ..Scan::default() }), all);
    assert!(all.iter().map(|event| event.seq).eq(1..=opened.reader().last_seq()));
    for restarted in [false, true] {
        if restarted {
            drop(opened);
            opened = Opened::open_with(&disk.kill(), tuning).unwrap();
        }
        let mut random = Random(11);
        for topic in [None, Some("topic-1"), Some("rare"), Some("$conflicts"), Some("no such topic")] {
            for order in [Order::Ascending, Order::Descending] {
                for _ in 0..3 {
                    let after = (random.below(3) > 0).then(|| random.below(all.len() as u64 + 2));
                    let mut expected: Vec<_> = all
                        .iter()
                        .filter(|event| topic.map_or(!event.topic.starts_with('$'), |topic| event.topic == topic))
                        .filter(|event| match (order, after) {
                            (_, None) => true,
                            (Order::Ascending, Some(after)) => event.seq > after,
                            (Order::Descending, Some(after)) => event.seq < after,
                        })
                        .collect();
                    if order == Order::Descending {
                        expected.reverse();
                    }
                    let got = ask(&opened, topic, after, order);
                    assert!(got.iter().eq(expected), "{topic:?} {after:?} {order:?} restarted: {restarted}");
                }
            }
        }
        for event in all.iter().step_by(97) {
            let found = opened.reader().find(&event.topic, &event.event_id).unwrap();
            assert_eq!(found.as_ref(), Some(event));
        }
        let topics = opened.reader().topics().unwrap();
        for topic in &topics {
            let count = all.iter().filter(|event| event.topic == topic.topic).count();
            assert_eq!(topic.events, count as u64, "{topic:?}");
        }
        assert_eq!(topics.len(), 6);
    }
    opened.reader().storage_stats()
}

#[test]
fn reads_of_very_many_topics_agree_with_a_vector() {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open_with(&disk, SEALED).unwrap();
    let mut random = Random(3);
    for batch in 0..30 {
        let events: Vec<_> = (0..700)
            .map(|number| Sent::new(format!("topic {}", random.below(3_000)), format!("{batch}-{number}"), [b'x'; 150]))
            .collect();
        opened.commit(&events).unwrap();
    }
    let all = ask(&opened, None, None, Order::Ascending);
    for restarted in [false, true] {
        if restarted {
            drop(opened);
            opened = Opened::open_with(&disk.kill(), SEALED).unwrap();
        }
        let stats = opened.reader().storage_stats();
        assert!(stats.segments >= 2, "{stats:?}");
        assert_eq!(all.len(), 21_000);
        assert_eq!(ask(&opened, None, None, Order::Ascending), all);
        for event in all.iter().step_by(331) {
            assert_eq!(opened.reader().find(&event.topic, &event.event_id).unwrap().as_ref(), Some(event));
            assert_eq!(opened.reader().find("topic 3000", &event.event_id).unwrap(), None);
            let mut expected: Vec<_> = all.iter().filter(|other| other.topic == event.topic).cloned().collect();
            assert_eq!(ask(&opened, Some(&event.topic), None, Order::Ascending), expected);
            expected.retain(|other| other.seq < event.seq);
            expected.reverse();
            assert_eq!(ask(&opened, Some(&event.topic), Some(event.seq), Order::Descending), expected);
        }
        assert_eq!(opened.reader().oldest().unwrap().as_ref(), all.first());
        assert_eq!(opened.reader().topics().unwrap().iter().map(|topic| topic.events).sum::<u64>(), 21_000);
    }
}

#[test]
fn outlines_are_a_cache_and_nothing_else() {
    let (disk, opened) = filled(UNSEALED);
    let (topics, counters) = (opened.reader().topics().unwrap(), opened.reader().counters());
    let last = ask(&opened, None, None, Order::Descending).remove(0);
    drop(opened);
    for damage in ["removed", "flipped"] {
        let disk = disk.kill();
        let outlines = files(&disk, "outline");
        assert!(outlines.len() >= 2);
        for path in outlines {
            match damage {
                "removed" => disk.remove(&path).unwrap(),
                _ => assert!(disk.corrupt(&path, |bytes| bytes[100] ^= 1)),
            }
        }
        let opened = Opened::open_with(&disk, UNSEALED).unwrap();
        assert_eq!((opened.reader().topics().unwrap(), opened.reader().counters()), (topics.clone(), counters));
        assert_eq!(ask(&opened, None, None, Order::Descending).remove(0), last);
        assert_eq!(opened.reader().damage(), []);
    }
}

#[test]
fn a_scan_sees_the_moment_it_began_whatever_is_sealed_and_merged_under_it() {
    let (_disk, mut opened) = filled(SEALED);
    let expected = ask(&opened, None, None, Order::Ascending);
    let mut scan = opened.reader().scan(Scan::default());
    let mut seen = vec![scan.next().unwrap().unwrap()];
    let before = opened.reader().storage_stats();
    for id in 0..200 {
        opened.commit(&[Sent::new("later", id, vec![b'y'; 100_000])]).unwrap();
    }
    assert_ne!(opened.reader().storage_stats(), before);
    seen.extend(scan.map(Result::unwrap));
    assert_eq!(seen.len(), expected.len());
    assert_eq!(seen, expected);
    assert_eq!(ask(&opened, Some("later"), None, Order::Ascending).len(), 200);
}

#[test]
fn a_scan_that_lets_go_of_what_it_read_goes_on_where_it_was() {
    for tuning in [UNSEALED, SEALED] {
        let (_disk, opened) = filled(tuning);
        for (topic, order) in [(None, Order::Ascending), (None, Order::Descending), (Some("topic-1"), Order::Ascending)]
        {
            let expected = ask(&opened, topic, None, order);
            let scan = Scan { topic: topic.map(str::to_owned), order, ..Scan::default() };
            for steps in [1, 100, 1_000] {
                let mut scanner = opened.reader().scan(scan.clone());
                scanner.release();
                let mut found = Vec::new();
                while let Some(event) = scanner.next().transpose().unwrap() {
                    found.push(event);
                    if found.len().is_multiple_of(steps) {
                        scanner.release();
                    }
                }
                assert!(found == expected, "{order:?} {steps}");
            }
        }
    }
}

#[derive(Debug, Default)]
struct Heard(Mutex<Vec<(u64, Vec<String>)>>);

impl CommitListener for Heard {
    fn committed(&self, end_seq: u64, topics: &mut dyn Iterator<Item = &str>) {
        let mut topics: Vec<_> = topics.map(str::to_owned).collect();
        topics.sort();
        self.0.lock().unwrap().push((end_seq, topics));
    }
}

#[test]
fn a_listener_hears_of_every_commit_once_it_can_be_read() {
    let mut opened = Opened::open(&MemoryDisk::new()).unwrap();
    let sent = |topic: &str, id: u64| Sent::new(topic.to_owned(), id, "x");
    opened.commit(&[sent("before", 1)]).unwrap();
    let heard = Arc::new(Heard::default());
    opened.partition.listen(Arc::clone(&heard) as Arc<dyn CommitListener>);
    opened.commit(&[sent("a", 1), sent("b", 1), sent("a", 2)]).unwrap();
    opened.commit(&[sent("a", 1)]).unwrap();
    opened.commit(&[sent("b", 2)]).unwrap();
    let expected: [(u64, &[&str]); 3] = [(5, &["a", "b"]), (5, &[]), (6, &["b"])];
    let heard = heard.0.lock().unwrap();
    assert_eq!(heard.len(), expected.len());
    for ((end_seq, topics), (expected_seq, expected_topics)) in heard.iter().zip(expected) {
        assert_eq!(
            (*end_seq, topics.as_slice()),
            (expected_seq, expected_topics.iter().map(|&topic| topic.to_owned()).collect::<Vec<_>>().as_slice())
        );
    }
}
