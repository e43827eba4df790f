//! Columns and counts of rows against the events themselves, also where parts are damaged.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use proptest::prelude::*;

use super::*;
use crate::rules::{Need, PayloadConditions, Texting};
use crate::segment::summary::{MINUTE_NS, minute_of};
use crate::segment::{ColumnsWanted, RowQuery, TimesWanted, TopicChoice};

/// Whether the source is this one.
#[derive(Debug)]
struct OfSource(&'static str);

impl PayloadConditions for OfSource {
    fn paths(&self) -> Vec<String> {
        vec![String::new()]
    }

    fn hold(&self, _: usize, text: Option<&[u8]>) -> bool {
        text == Some(self.0.as_bytes())
    }

    fn ask_payloads(&self) -> bool {
        false
    }

    fn needs(&self, _: usize) -> Option<Vec<Need>> {
        None
    }

    fn texts(&self, _: Texting) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn has_text(&self, _: Texting, _: &[u8]) -> bool {
        false
    }

    fn may_name(&self, _: Texting, _: &str) -> bool {
        false
    }

    fn are_all(&self) -> bool {
        true
    }
}

/// Events by topic, source and time, as far as they are told apart.
type Told = BTreeMap<(String, Option<Vec<u8>>, Option<i64>), u64>;

/// The rows that a segment tells, and the others as it reads them, told in the same way.
fn told(segment: &Segment, group: usize, wanted: &RowQuery<'_>, columns: &ColumnsWanted) -> Option<Told> {
    let (found, rest) = segment.column_rows(group, wanted, columns).unwrap()?;
    let mut told = Told::new();
    let time = |ns: i64| match columns.times {
        TimesWanted::None => None,
        TimesWanted::Minutes => Some(minute_of(ns)),
        TimesWanted::Exact => Some(ns),
    };
    let texts = found.texts(0);
    for topic in found.topics() {
        for row in 0..topic.rows {
            let source = topic.codes.first().map(|codes| texts[usize::from(codes[row])].unwrap().to_vec());
            let time = topic.timestamps_ns.get(row).and_then(|ns| time(*ns));
            *told.entry((topic.topic.to_owned(), source, time)).or_default() += 1;
        }
    }
    for count in found.counts() {
        let source = count.source.map(<[u8]>::to_vec);
        *told.entry((count.topic.to_owned(), source, count.minute)).or_default() += count.rows;
    }
    let rest = RowQuery { rows: Some(&rest), ..wanted.clone() };
    let passes = |event: &&StoredEvent| {
        wanted.conditions.is_none_or(|conditions| conditions.hold(0, Some(event.source.as_bytes())))
    };
    for event in segment.read(group, &rest).unwrap().iter().filter(passes) {
        let source = (!columns.members.is_empty()).then(|| event.source.clone().into_bytes());
        *told.entry((event.topic.clone(), source, time(event.timestamp_ns))).or_default() += 1;
    }
    Some(told)
}

fn expected(events: &[StoredEvent], wanted: &RowQuery<'_>, columns: &ColumnsWanted) -> Told {
    let mut told = Told::new();
    for event in events {
        let is_wanted = wanted.topics.include(&event.topic)
            && wanted.timestamps_ns.contains(&event.timestamp_ns)
            && wanted.conditions.is_none_or(|conditions| conditions.hold(0, Some(event.source.as_bytes())));
        let time = match columns.times {
            TimesWanted::None => None,
            TimesWanted::Minutes => Some(minute_of(event.timestamp_ns)),
            TimesWanted::Exact => Some(event.timestamp_ns),
        };
        let source = (!columns.members.is_empty()).then(|| event.source.clone().into_bytes());
        if is_wanted {
            *told.entry((event.topic.clone(), source, time)).or_default() += 1;
        }
    }
    told
}

/// Questions of every kind, of these times.
fn questions(timestamps_ns: &RangeInclusive<i64>) -> Vec<(RowQuery<'static>, ColumnsWanted)> {
    const SOURCE: &dyn PayloadConditions = &OfSource("sensor");
    let mut questions = Vec::new();
    for topics in [TopicChoice::All, TopicChoice::Unreserved, TopicChoice::One("a"), TopicChoice::One("zz")] {
        for conditions in [None, Some(SOURCE)] {
            let wanted = RowQuery { topics, timestamps_ns: timestamps_ns.clone(), conditions, ..RowQuery::default() };
            for times in [TimesWanted::None, TimesWanted::Minutes, TimesWanted::Exact] {
                for members in [vec![], vec![String::new()]] {
                    for counts in [false, true] {
                        let members = members.clone();
                        questions.push((wanted.clone(), ColumnsWanted { times, members, counts }));
                    }
                }
            }
        }
    }
    questions
}

/// Events at times near each other, of few sources.
fn near(most: usize) -> impl Strategy<Value = Vec<StoredEvent>> {
    let one = (-5 * MINUTE_NS..5 * MINUTE_NS, prop::sample::select(vec!["a", "b", "$conflicts", "zz"]), 0..3_usize);
    prop::collection::vec(one, 1..most).prop_map(|rows| {
        (1..)
            .zip(rows)
            .map(|(seq, (timestamp_ns, topic, source))| StoredEvent {
                timestamp_ns,
                source: ["sensor", "", "other"][source].to_owned(),
                ..event(seq, topic)
            })
            .collect()
    })
}

fn times() -> impl Strategy<Value = RangeInclusive<i64>> {
    let even = (-6..6_i64, 0..6_i64).prop_map(|(from, len)| from * MINUTE_NS..=(from + len) * MINUTE_NS - 1);
    let any = (-6 * MINUTE_NS..6 * MINUTE_NS, 0..6 * MINUTE_NS).prop_map(|(from, len)| from..=from + len);
    prop_oneof![Just(i64::MIN..=i64::MAX), even, any]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn columns_and_counts_say_what_the_events_say(events in prop_oneof![near(150), super::events(100)], timestamps_ns in times()) {
        let (_, dir) = empty(SMALL);
        let segment = open(&dir, &seal(&dir, &events));
        for (number, group) in segment.row_groups().iter().enumerate() {
            let here: Vec<_> = events.iter().filter(|event| (group.first_seq..=group.last_seq).contains(&event.seq)).cloned().collect();
            for (wanted, columns) in questions(&timestamps_ns) {
                if let Some(told) = told(&segment, number, &wanted, &columns) {
                    prop_assert_eq!(told, expected(&here, &wanted, &columns), "{:?} {:?}", wanted, columns);
                }
            }
        }
    }
}

/// Events of two minutes, topics and sources.
fn plain(count: u64) -> Vec<StoredEvent> {
    let of = |seq: u64| StoredEvent {
        timestamp_ns: (seq % 2) as i64 * MINUTE_NS,
        source: ["sensor", "other"][usize::from(seq.is_multiple_of(3))].to_owned(),
        ..event(seq, ["a", "zz"][(seq % 2) as usize])
    };
    (1..=count).map(of).collect()
}

#[test]
fn unfiltered_counts_take_no_rows() {
    let (_, dir) = empty(SMALL);
    let events = plain(40);
    let segment = open(&dir, &seal(&dir, &events));
    let all = RowQuery::default();
    let first = RowQuery { timestamps_ns: i64::MIN..=MINUTE_NS - 1, ..RowQuery::default() };
    for (wanted, times, members) in [
        (&all, TimesWanted::None, vec![]),
        (&all, TimesWanted::Minutes, vec![]),
        (&all, TimesWanted::None, vec![String::new()]),
        (&first, TimesWanted::None, vec![]),
        (&first, TimesWanted::Minutes, vec![]),
    ] {
        let columns = ColumnsWanted { times, members, counts: true };
        let (found, rest) = segment.column_rows(0, wanted, &columns).unwrap().unwrap();
        assert!(found.topics().next().is_none() && rest.is_empty() && found.looked_at() == 0, "{columns:?}");
        let rows: u64 = found.counts().map(|count| count.rows).sum();
        assert_eq!(rows, expected(&events, wanted, &columns).values().sum::<u64>(), "{columns:?}");
    }
}

#[test]
fn damage_of_parts_is_named_and_neither_hides_events_nor_changes_counts() {
    let (disk, dir) = empty(SegmentShape::default());
    // Parts begin in a block of their own.
    let events: Vec<_> = plain(20_000)
        .into_iter()
        .map(|event| StoredEvent { payload: event.event_id.repeat(4).into_bytes(), ..event })
        .collect();
    let path = seal(&dir, &events);
    let segment = open(&dir, &path);
    let own = segment.parts_place(0);
    assert!(own.0 < own.1, "{own:?}");
    for at in [own.0, (own.0 + own.1) / 2, own.1 - 1] {
        disk.corrupt(&path, |file| file[at as usize] ^= 4);
        let segment = open(&dir, &path);
        for (wanted, columns) in questions(&(0..=MINUTE_NS - 1)) {
            let right = expected(&events, &wanted, &columns);
            if let Some(told) = told(&segment, 0, &wanted, &columns) {
                assert_eq!(told, right, "{wanted:?} {columns:?}");
            }
            let read = segment.read(0, &wanted).unwrap();
            let passes = |event: &&StoredEvent| {
                wanted.conditions.is_none_or(|conditions| conditions.hold(0, Some(event.source.as_bytes())))
            };
            assert_eq!(read.iter().filter(passes).count() as u64, right.values().sum::<u64>(), "{wanted:?}");
        }
        let named = segment.flaw(0).expect("damage that was come upon").to_string();
        assert!(named.contains("row group 0 (seq 1 to 20000)") && named.contains("are safe"), "{named}");
        let check = open(&dir, &path).verify_group(0).unwrap();
        assert_eq!(check.flaw.map(|flaw| flaw.to_string()), Some(named));
        // Merging makes the parts anew.
        let small = SegmentDir { shape: SegmentShape { group_rows: 20_000, ..SegmentShape::default() }, ..dir.clone() };
        let merged = crate::segment::merge(&small.revised(1), &[Arc::new(segment)]).unwrap();
        let merged = open(&dir, &merged.path);
        merged.verify().unwrap();
        assert_eq!(all(&merged), events);
        assert!(
            told(&merged, 0, &RowQuery::default(), &ColumnsWanted { counts: true, ..ColumnsWanted::default() })
                .is_some()
        );
        disk.corrupt(&path, |file| file[at as usize] ^= 4);
    }
}
