//! Reads in both directions, by topic and cursor, against a plain vector; over several log files.

use sekali_store::disk::Disk;
use sekali_store::disk::memory::MemoryDisk;
use sekali_store::{Order, Scan, StoredEvent};

use crate::support::{Opened, Random, Sent, collect, log_files};

/// A store of three log files with events from 1 byte to 200 KB.
fn filled() -> (MemoryDisk, Opened) {
    let disk = MemoryDisk::new();
    let mut opened = Opened::open(&disk).unwrap();
    let mut random = Random(5);
    let mut id = 0;
    while log_files(&disk).len() < 3 {
        let events: Vec<_> = (0..1 + random.below(400))
            .map(|_| {
                id += 1;
                let len = if random.below(50) == 0 { 200_000 } else { 1 + random.below(2_000) };
                Sent::new(format!("topic-{}", random.below(4)), id, vec![b'x'; len as usize])
            })
            .collect();
        opened.commit(&events).unwrap();
        if random.below(100) == 0 {
            opened.commit(&[Sent::new("rare", id, "r"), Sent::new("$conflicts", id, "c")]).unwrap();
        }
    }
    (disk, opened)
}

fn ask(opened: &Opened, topic: Option<&str>, after: Option<u64>, order: Order) -> Vec<StoredEvent> {
    collect(&opened.reader(), Scan { topic: topic.map(str::to_owned), after, order })
}

#[test]
fn scans_agree_with_a_vector_before_and_after_a_restart() {
    let (disk, mut opened) = filled();
    let mut all = ask(&opened, None, None, Order::Ascending);
    all.extend(ask(&opened, Some("$conflicts"), None, Order::Ascending));
    all.sort_by_key(|event| event.seq);
    assert!(all.iter().map(|event| event.seq).eq(1..=opened.reader().last_seq()));
    for restarted in [false, true] {
        if restarted {
            drop(opened);
            opened = Opened::open(&disk.kill()).unwrap();
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
        let topics = opened.reader().topics();
        for topic in &topics {
            let count = all.iter().filter(|event| event.topic == topic.topic).count();
            assert_eq!(topic.events, count as u64, "{topic:?}");
        }
        assert_eq!(topics.len(), 6);
    }
}

#[test]
fn outlines_are_a_cache_and_nothing_else() {
    let (disk, opened) = filled();
    let (topics, counters) = (opened.reader().topics(), opened.reader().counters());
    let last = ask(&opened, None, None, Order::Descending).remove(0);
    drop(opened);
    for damage in ["removed", "flipped"] {
        let disk = disk.kill();
        for path in disk.paths().into_iter().filter(|path| path.extension().is_some_and(|end| end == "outline")) {
            match damage {
                "removed" => disk.remove(&path).unwrap(),
                _ => assert!(disk.corrupt(&path, |bytes| bytes[100] ^= 1)),
            }
        }
        let opened = Opened::open(&disk).unwrap();
        assert_eq!((opened.reader().topics(), opened.reader().counters()), (topics.clone(), counters));
        assert_eq!(ask(&opened, None, None, Order::Descending).remove(0), last);
        assert_eq!(opened.reader().damage(), []);
    }
}

#[test]
fn a_scan_sees_the_moment_it_began() {
    let (_disk, mut opened) = filled();
    let before = opened.reader().last_seq();
    let mut scan = opened.reader().scan(Scan::default());
    scan.next().unwrap().unwrap();
    opened.commit(&[Sent::new("later", 1, "p")]).unwrap();
    let last = scan.last().unwrap().unwrap();
    assert!(last.seq <= before && last.topic != "later");
    assert_eq!(opened.reader().find("later", "1").unwrap().unwrap().seq, before + 1);
}
