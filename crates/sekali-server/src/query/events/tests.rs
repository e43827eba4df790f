//! Reads by the columns of members against payloads read one by one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use sekali_store::disk::memory::MemoryDisk;
use sekali_store::{Batch, EventRef, HashKey, IndexOptions, Partition, StoreMeta, StoreOptions, Tuning, Unread};

use super::*;
use crate::ingest::CONTENT_RULES;
use crate::query::{
    Aggregate, AggregateScan, ClientGuard, Count, CountQuery, FacetQuery, Facets, Field, Group, Histogram, Interval,
    Measure, Measures, NumberSummary, ReadEnd, ReadReport,
};

/// Log files of a few hundred events, all but the last of which are sealed and merged.
const SEALED: Tuning = Tuning {
    fingerprint_mask: u128::MAX,
    index: IndexOptions { table_entries: 5, background: false },
    log_file_bytes: 20_000,
    free_bytes_min: 0,
    segment_fan_in: 3,
    seal_in_background: false,
};

/// Payloads that are hard to tell apart, or to take apart.
const HOSTILE: [&str; 42] = [
    r#"{"a":5}"#,
    r#"{"a":"5"}"#,
    r#"{"a":5.0}"#,
    r#"{"a":50e-1}"#,
    r#"{"a":5.000000000000000000000000000001}"#,
    r#"{"a":123456789012345678901234567890}"#,
    r#"{"a":123456789012345678901234567891}"#,
    r#"{"a":1e999}"#,
    r#"{"a":-0}"#,
    r#"{"a":0}"#,
    r#"{"a":null}"#,
    r#"{"a":"null"}"#,
    r#"{"a":true}"#,
    r#"{"a":"true"}"#,
    r#"{"a":""}"#,
    r#"{"a":[5]}"#,
    r#"{"a":{"b":5}}"#,
    r#"{"a":{"b":"cache miss"},"c":5}"#,
    r#"{"a":{}}"#,
    r#"{"a":1,"a":5}"#,
    r#"{"a":5,"\u0061":1}"#,
    r#"{"\u0061":5}"#,
    r#"{"a.b":5}"#,
    r#"{"a":{"b":1},"a.b":2}"#,
    r#"{"a":{"0":5}}"#,
    r#"{"a":"\ud800"}"#,
    r#"{"a":"\u0041 word"}"#,
    r#"{"a":"a \"Word\" ÉTÉ"}"#,
    r#"{"a":"naïve été"}"#,
    r#"{"":5,"a":"x"}"#,
    r#"{"word":1}"#,
    r#"[{"a":5},"word"]"#,
    "5",
    r#" { "a" : 5 , "b" : [ "word" ] } "#,
    r#"{"a":"nul \u0000 word","c":{"d":"\u0000"}}"#,
    r#"{"a\\":5,"c\\.d":"word","\ud800":"word"}"#,
    r#"{"a":{"b":"5"},"c":{"d":5,"word":"x"}}"#,
    r#"{"id":"5ba7b810-9dad-11d1-80b4-00c04fd430c8","c":{"d":"50e-1"}}"#,
    r#"{"id":"5BA7B810-9DAD-11D1-80B4-00C04FD430C8","tags":["cache","MISS"]}"#,
    r#"{"a":"half \ud800 word","b":"\u0063ache miss"}"#,
    r#"{"a":[{"b":5},123456789012345678901234567890],"1":5}"#,
    r#"{"a":"x","c":{"d":[["word"],{"cache":"miss"}]}}"#,
];

const QUERIES: [&str; 56] = [
    "",
    "payload.a=5",
    "payload.a=\"5\"",
    "payload.a=5.0",
    "payload.a=123456789012345678901234567890",
    "payload.a=1e999",
    "payload.a=0",
    "payload.a=null",
    "payload.a=\"null\"",
    "payload.a=true",
    "payload.a=",
    "payload.a=x",
    "payload.a.b=5",
    "payload.a.b=cache miss",
    "payload.a\\.b=5",
    "payload.a.0=5",
    "payload.a=5&payload.a=0",
    "payload.a=5&payload.c=5",
    "not.payload.a=5",
    "not.payload.a=\"5\"&not.payload.a=0",
    "min.payload.a=5",
    "below.payload.a=5",
    "min.payload.a=1&below.payload.a=6",
    "match.payload.a=^5",
    "match.payload.a=.",
    "has=a",
    "has=a.b",
    "has=a.0",
    "has=a&has=c",
    "not.has=a",
    "not.has=a&not.has=word",
    "q=5",
    "q=word",
    "q=WORD",
    "q=a",
    "q=cache m",
    "q=été",
    "q=\"",
    "q=word&q=cache",
    "not.q=word",
    "q=e&payload.a=5&source=s1",
    "source=s1&not.has=c",
    "source=s0",
    "source=s0&source=s1&not.source=s1",
    "q=b810-9dad-11d1",
    "q=5ba7b810-9dad-11d1-80b4-00c04fd430c9",
    "q=ache mis&q=long 77",
    "q=123456789012345678901234567890",
    "not.q=a&not.q=5",
    "payload.id=5ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "payload.order=7007",
    "payload.order=\"7007\"&q=7",
    "payload.order=7007.0&payload.a=5",
    "payload.tags.1=MISS",
    "payload.c.d=5&not.q=word",
    "payload.nowhere=5",
];

fn filled(payloads: &[String]) -> Partition {
    let meta = StoreMeta { store_id: 1, hash_key: HashKey([1; 32]), partitions: 1 };
    let options = StoreOptions::new().disk(Arc::new(MemoryDisk::new())).rules(CONTENT_RULES).tuning(SEALED);
    let store = options.open_or_create(Path::new("/store"), &meta).unwrap();
    let hasher = store.hasher();
    let mut partition = store.into_partitions().pop().unwrap();
    for (number, payloads) in payloads.chunks(50).enumerate() {
        let mut batch = Batch::new();
        for (at, payload) in payloads.iter().enumerate() {
            let (topic, source) = (format!("topic-{}", at % 3), format!("s{}", at % 2));
            let event_id = format!("{number}-{at}");
            let (timestamp_ns, payload) = ((number * 50 + at) as i64 * 1_000_000_000, payload.as_bytes());
            batch.push(
                &hasher,
                &EventRef { topic: &topic, event_id: &event_id, timestamp_ns, source: &source, payload },
            );
        }
        partition.commit(&[batch], number as i64, None).unwrap();
    }
    partition
}

fn parse(query: &str) -> EventQuery {
    let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
    let parameters = parameters.map(|parameter| parameter.split_once('=').unwrap());
    EventQuery::parse(parameters, 0).unwrap()
}

/// The seqs that a cursor finds, and how many events it passed over at once.
fn find(readers: &[Reader], query: &str, order: Order, unread: Unread) -> (Vec<u64>, u64) {
    let view = ReaderView { unread, columns: None };
    let mut cursor = EventCursor::for_view(readers, parse(query), order, Positions::new(), view);
    let (mut seqs, mut passed) = (Vec::new(), 0);
    loop {
        match cursor.step_with(|event| event.seq).unwrap() {
            Step::Event(seq) => seqs.push(seq),
            Step::Passed(_) => {}
            Step::Columns(_) => unreachable!("no columns were asked for"),
            Step::PassedMany(events) => passed += events,
            Step::End => return (seqs, passed + cursor.take_passed()),
        }
    }
}

/// Compares what every query finds with what it finds in all events, one by one. Answers how many
/// events were passed over at once.
fn check(payloads: &[String]) -> u64 {
    let partition = filled(payloads);
    let readers = [partition.reader()];
    let events: Vec<_> = readers[0].scan(sekali_store::Scan::default()).collect::<Result<_>>().unwrap();
    assert_eq!(events.len(), payloads.len());
    let mut passed = 0;
    for text in QUERIES {
        for topic in ["", "&topic=topic-1", "&topic=topic-*&since=1970-01-01T00:01:00.5Z"] {
            let text = format!("{text}{topic}");
            let query = parse(&text);
            let mut expected: Vec<_> =
                events.iter().filter(|event| query.matches(&event.view())).map(|event| event.seq).collect();
            let nothing = Unread { event_ids: true, sources: true, payloads: true };
            let (found, over) = find(&readers, &text, Order::Ascending, nothing);
            assert_eq!(found, expected, "{text}");
            expected.reverse();
            assert_eq!(find(&readers, &text, Order::Descending, Unread::default()).0, expected, "{text}");
            passed += over;
            let of_topic = parse(&format!("topic=*{topic}").replace("=*&topic", ""));
            let looked_at = events.iter().filter(|event| of_topic.matches(&event.view())).count() as u64;
            // Of the log, which is not sealed, events of other times are looked at, too, and of
            // sealed events none where counts of them are enough.
            let is_plain = topic.contains("since") || query.filter.conditions().is_none_or(|all| !all.ask_payloads());
            let matching: Vec<_> = events.iter().filter(|event| query.matches(&event.view())).collect();
            let answers = Answers { readers: &readers, text: &text, matching: &matching };
            for (by, interval) in COUNTS {
                let report = answers.compare(&|| count(by, interval), describe, &format!("by {by} {interval:?}"));
                assert!(report.events == looked_at || is_plain, "{text} by {by} {interval:?}");
            }
            if !topic.is_empty() {
                continue;
            }
            for (number, by, interval) in NUMBERS {
                let of = || Measures::new(Measure::parse(number).unwrap(), fields(by), histogram(interval));
                answers.compare(&of, describe_numbers, &format!("{number} by {by} {interval:?}"));
            }
            for field in FIELDS {
                let query = || FacetQuery {
                    field: Some(field).filter(|field| !field.is_empty()).map(str::to_owned),
                    below: None,
                };
                answers.compare(&|| Facets::new(query()), describe_fields, field);
            }
        }
    }
    passed
}

/// A query, and the events that it should find.
struct Answers<'a> {
    readers: &'a [Reader],
    text: &'a str,
    matching: &'a [&'a StoredEvent],
}

impl Answers<'_> {
    /// Compares what a total says of the query with what it says of the events one by one.
    fn compare<A: Aggregate>(&self, new: &dyn Fn() -> A, describe: fn(&A) -> String, of: &str) -> ReadReport {
        let mut slow = new();
        self.matching.iter().for_each(|event| slow.add(&event.view()).unwrap());
        let cursor =
            EventCursor::for_view(self.readers, parse(self.text), Order::Ascending, Positions::new(), slow.view());
        let client = ClientGuard::default();
        let mut scan = AggregateScan::new(cursor, u64::MAX, client.budget(u64::MAX, Duration::from_secs(3600)), new());
        let (fast, report) = loop {
            if let Some(done) = scan.turn().unwrap() {
                break done;
            }
        };
        assert_eq!(report.end, ReadEnd::All);
        assert_eq!(describe(&fast), describe(&slow), "{} {of}", self.text);
        report
    }
}

/// Fields to count by, and the length of intervals.
const COUNTS: [(&str, Option<&str>); 11] = [
    ("", None),
    ("", Some("7s")),
    ("", Some("2m")),
    ("payload.a", None),
    ("payload.a", Some("1m")),
    ("topic", Some("7s")),
    ("topic", Some("1m")),
    ("payload.c.d,topic", None),
    ("source,payload.a", None),
    ("source", None),
    ("source", Some("1m")),
];

/// Numbers, fields to tell them apart by, and the length of intervals.
const NUMBERS: [(&str, &str, Option<&str>); 4] = [
    ("payload.a", "", None),
    ("payload.a", "topic,source", Some("1m")),
    ("payload.c.d", "payload.a", None),
    ("delay", "", None),
];

/// Fields whose values are told; an empty name stands for all.
const FIELDS: [&str; 5] = ["payload.a", "source", "payload.a.*", "payload.c.d", ""];

fn count(by: &str, interval: Option<&str>) -> Count {
    Count::new(CountQuery { by: fields(by), histogram: histogram(interval) })
}

fn fields(by: &str) -> Vec<Field> {
    if by.is_empty() { Vec::new() } else { Field::parse_list(by, 3).unwrap() }
}

fn histogram(interval: Option<&str>) -> Option<Histogram> {
    interval.map(|text| Histogram::new(Interval::parse(text).unwrap(), None, None, None).unwrap())
}

/// All that a summary of numbers says, but for the last digits of a sum, which depend on the order.
fn describe_summary(numbers: &NumberSummary) -> String {
    let percentiles = [0.0, 50.0, 99.0].map(|percent| numbers.percentile(percent));
    format!("{} {:.9e} {:?} {percentiles:?}", numbers.count(), numbers.sum(), numbers.range())
}

fn describe_numbers(measures: &Measures) -> String {
    let numbers: Vec<_> = measures.histogram.iter().flat_map(Histogram::numbers).collect();
    let mut parts = Vec::new();
    for group in measures.groups.iter().flat_map(|groups| groups.top(usize::MAX)) {
        let key = String::from_utf8_lossy(&group.key).into_owned();
        let of = |interval: Option<i64>| measures.part(Some(group.number()), interval).map(describe_summary);
        parts.push((key, group.count, of(None), numbers.iter().map(|number| of(Some(*number))).collect::<Vec<_>>()));
    }
    let buckets: Vec<_> = measures.histogram.iter().flat_map(Histogram::buckets).collect();
    let rest = measures.groups.as_ref().map(|groups| (groups.missing(), groups.grouped()));
    let (missing, not_numbers) = (measures.missing, measures.not_numbers);
    let total = describe_summary(&measures.total);
    format!("{total} {missing} {not_numbers} {buckets:?} {parts:?} {rest:?} {}", measures.is_exact())
}

fn describe_fields(facets: &Facets) -> String {
    let of = |(name, facet): (&str, &crate::query::Facet)| {
        let values: Vec<_> = facet
            .top(usize::MAX)
            .into_iter()
            .map(|(value, count)| (String::from_utf8_lossy(value).into_owned(), count))
            .collect();
        let kinds: Vec<_> = facet.kinds().collect();
        let numbers = facet.numbers.as_deref().map(describe_summary);
        format!("{name} {} {kinds:?} {values:?} {numbers:?} {:?}", facet.events, facet.distinct())
    };
    format!("{} {:?}", facets.events, facets.fields().into_iter().map(of).collect::<Vec<_>>())
}

/// All that a count says.
fn describe(count: &Count) -> String {
    let buckets: Vec<_> = count.histogram.iter().flat_map(Histogram::buckets).collect();
    let numbers: Vec<_> = count.histogram.iter().flat_map(Histogram::numbers).collect();
    let groups = count.groups.iter().flat_map(|groups| {
        let cells = |group: &Group| numbers.iter().map(|&number| groups.cell(group, number)).collect::<Vec<_>>();
        let top = groups.top(usize::MAX);
        top.into_iter()
            .map(|group| (String::from_utf8_lossy(&group.key).into_owned(), group.count, cells(&group)))
            .collect::<Vec<_>>()
    });
    let rest = count.groups.as_ref().map(|groups| (groups.missing(), groups.grouped(), groups.is_exact()));
    format!("{} {buckets:?} {:?} {rest:?}", count.events, groups.collect::<Vec<_>>())
}

#[test]
fn columns_find_what_payloads_say_however_hostile() {
    let payloads: Vec<_> = HOSTILE.iter().cycle().take(1_500).map(|payload| (*payload).to_owned()).collect();
    check(&payloads);
}

#[test]
fn columns_of_ordinary_payloads_leave_events_unread() {
    let payload = |number: usize| match number % 100 {
        0 => HOSTILE[number / 100 % HOSTILE.len()].to_owned(),
        rest if rest % 3 == 0 => {
            let long = "word ".repeat(rest);
            format!(
                r#"{{"a":{},"order":{},"id":"{number:036x}","text":"{long}long {number}"}}"#,
                rest % 7,
                7_000 + number
            )
        }
        rest => format!(r#"{{"a":{},"c":{{"d":"cache {}"}},"word":{rest}}}"#, rest % 7, rest % 11),
    };
    let payloads: Vec<_> = (0..3_000).map(payload).collect();
    let passed = check(&payloads);
    assert!(passed > 100_000, "{passed}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn columns_find_what_any_payloads_say(
        payloads in prop::collection::vec(
            prop_oneof![
                4 => prop::sample::select(&HOSTILE[..]).prop_map(str::to_owned),
                8 => (0..9_u8, "[a-c]").prop_map(|(number, name)| format!(r#"{{"{name}":{number},"a.b":"word {number}"}}"#)),
            ],
            300..900,
        )
    ) {
        check(&payloads);
    }
}
