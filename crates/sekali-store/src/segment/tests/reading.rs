use std::ops::{Range, RangeInclusive};

use proptest::prelude::*;

use super::*;
use crate::event::is_reserved;
use crate::order::Order;
use crate::segment::{RowQuery, TopicChoice};

/// The right answer of [`Segment::read`], from all events of the row group.
fn model(events: &[StoredEvent], wanted: &RowQuery<'_>) -> Vec<StoredEvent> {
    let fits = |event: &&StoredEvent| {
        wanted.seqs.contains(&event.seq)
            && wanted.timestamps_ns.contains(&event.timestamp_ns)
            && match wanted.topics {
                TopicChoice::All => true,
                TopicChoice::Unreserved => !is_reserved(&event.topic),
                TopicChoice::One(topic) => event.topic == topic,
            }
    };
    let mut found: Vec<_> = events.iter().filter(fits).cloned().collect();
    if wanted.order == Order::Descending {
        found.reverse();
    }
    found.truncate(wanted.limit);
    found
}

/// Seqs to ask for: also beyond both ends, and none.
fn seqs() -> impl Strategy<Value = Range<u64>> {
    prop_oneof![Just(0..u64::MAX), (0..500_u64, 0..300_u64).prop_map(|(from, len)| from..from + len)]
}

fn times() -> impl Strategy<Value = RangeInclusive<i64>> {
    prop_oneof![Just(i64::MIN..=i64::MAX), any::<(i64, i64)>().prop_map(|(a, b)| a.min(b)..=a.max(b))]
}

fn limit() -> impl Strategy<Value = usize> {
    prop_oneof![Just(usize::MAX), 0..25_usize]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn reads_agree_with_a_plain_vector(events in events(200), seqs in seqs(), timestamps_ns in times(), limit in limit()) {
        let (_, dir) = empty(SMALL);
        let segment = open(&dir, &seal(&dir, &events));
        let topics = [TopicChoice::All, TopicChoice::Unreserved, TopicChoice::One("a"), TopicChoice::One("$conflicts"), TopicChoice::One("absent")];
        for (topics, order) in topics.into_iter().flat_map(|topics| [(topics, Order::Ascending), (topics, Order::Descending)]) {
            let wanted = RowQuery {
                topics,
                order,
                limit,
                seqs: seqs.clone(),
                timestamps_ns: timestamps_ns.clone(),
                ..RowQuery::default()
            };
            for (number, group) in segment.row_groups().iter().enumerate() {
                let here: Vec<_> = events.iter().filter(|event| (group.first_seq..=group.last_seq).contains(&event.seq)).cloned().collect();
                prop_assert_eq!(segment.read(number, &wanted).unwrap(), model(&here, &wanted), "{:?}", wanted);
            }
        }
    }

    #[test]
    fn every_event_is_found_by_topic_and_seq(events in events(120)) {
        let (_, dir) = empty(SMALL);
        let segment = open(&dir, &seal(&dir, &events));
        for event in &events {
            let found = segment.find(&event.topic, event.seq).unwrap();
            prop_assert_eq!(found.as_ref(), Some(event));
            prop_assert_eq!(segment.find("another topic", event.seq).unwrap(), None);
        }
        let last = events.last().unwrap().seq;
        for seq in (0..=last + 1).chain([u64::MAX]).filter(|seq| events.iter().all(|event| event.seq != *seq)) {
            prop_assert_eq!(segment.find("a", seq).unwrap(), None);
        }
    }
}

#[test]
fn a_row_group_that_is_not_there_is_refused() {
    let (_, dir) = empty(SMALL);
    let segment = open(&dir, &seal(&dir, &[event(1, "t")]));
    assert!(matches!(segment.read(1, &RowQuery::default()), Err(crate::Error::Invalid(_))));
}
