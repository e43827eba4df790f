use expect_test::{Expect, expect};
use proptest::prelude::*;
use sekali_store::{HashKey, KeyHasher};

use super::*;
use crate::limits::PROBLEMS_LISTED_MAX;
use sekali_wire::limits::BATCH_EVENTS_MAX;

fn target(partitions: u32) -> Target {
    Target { hasher: KeyHasher::new(&HashKey([7; 32])), partitions }
}

fn event(topic: &str, id: &str) -> String {
    format!(
        r#"{{"topic":"{topic}","event_id":"{id}","timestamp":"2025-10-24T21:00:00Z","source":"s","payload":{{"n":1}}}}"#
    )
}

/// The keys of the accepted events, or what was wrong.
fn read(body: &[u8], format: Format, skip_invalid: bool) -> Result<Vec<String>, IngestError> {
    let options = Options { skip_invalid, keep_keys: true, topics: None };
    let accepted = ingest(body, format, options, &target(1))?;
    assert_eq!(accepted.batches.iter().map(|(_, batch)| batch.len()).sum::<usize>(), accepted.events);
    Ok(accepted.keys.into_iter().map(|(topic, id)| format!("{topic}/{id}")).collect())
}

fn describe(refusal: &IngestError) -> String {
    match refusal {
        IngestError::Forbidden { index, topic } => format!("forbidden {index} {topic}"),
        IngestError::NotJson { line, column, reason } => format!("not JSON at {line}:{column}: {reason}\n"),
        IngestError::TooManyEvents => "too many events\n".to_owned(),
        IngestError::Invalid(rejected) => {
            let lines = rejected.problems.iter().map(|p| format!("{} {}: {}\n", p.index, p.field, p.reason));
            lines.collect::<String>()
        }
    }
}

#[track_caller]
fn refused(body: &str, format: Format, expected: &Expect) {
    let refusal = read(body.as_bytes(), format, false).expect_err("the body should have been refused");
    expected.assert_eq(&describe(&refusal));
}

#[test]
fn every_layout_gives_the_same_events() {
    let (a, b) = (event("t", "a"), event("t", "b"));
    let expected = Ok(vec!["t/a".to_owned(), "t/b".to_owned()]);
    for body in
        [format!("[{a},{b}]"), format!(" {{ \"events\" : [ {a} , {b} ] }}\n"), format!("\u{feff}\r\n[{a}\n,{b}]")]
    {
        assert_eq!(read(body.as_bytes(), Format::Json, false), expected, "{body}");
    }
    for body in [format!("{a}\n{b}"), format!("\n{a}\r\n \t\n{b}\n\n")] {
        assert_eq!(read(body.as_bytes(), Format::Ndjson, false), expected, "{body}");
    }
    assert_eq!(read(a.as_bytes(), Format::Json, false), Ok(vec!["t/a".to_owned()]));
    for empty in ["[]", "{\"events\":[]}"] {
        assert_eq!(read(empty.as_bytes(), Format::Json, false), Ok(vec![]));
    }
    assert_eq!(read(b"", Format::Ndjson, false), Ok(vec![]));
}

#[test]
fn what_the_server_added_can_be_published_again() {
    let exported = event("t", "a").replacen('{', r#"{"seq":7,"received_at":"2025-10-24T21:00:00Z","#, 1);
    assert_eq!(read(exported.as_bytes(), Format::Json, false), Ok(vec!["t/a".to_owned()]));
}

#[test]
fn what_is_not_json_is_named_by_line_and_column() {
    refused(
        "",
        Format::Json,
        &expect![[r"
        not JSON at 1:0: EOF while parsing a value
    "]],
    );
    refused(
        "[\n{\"topic\":}]",
        Format::Json,
        &expect![[r"
        not JSON at 2:10: expected value
    "]],
    );
    refused(
        "{} {}",
        Format::Json,
        &expect![[r"
        not JSON at 1:4: trailing characters; for one event a line send application/x-ndjson
    "]],
    );
    refused(
        "{\"events\":[1,]}",
        Format::Json,
        &expect![[r"
        not JSON at 1:14: expected value
    "]],
    );
    refused(
        &format!("{}\n\n{{\"a\":1\n", event("t", "a")),
        Format::Ndjson,
        &expect![[r"
        not JSON at 3:6: EOF while parsing an object
    "]],
    );
    // The line for Windows PowerShell, in another shell.
    for format in [Format::Json, Format::Ndjson] {
        refused(
            r#"{\"topic\":\"demo\"}"#,
            format,
            &expect![[r#"
        not JSON at 1:2: key must be a string; the quotes are escaped twice: \" is for Windows PowerShell 5; elsewhere write '{"topic": …}', or send a file
    "#]],
        );
    }
    let refusal = read(b"[\n\"a\xff\"]", Format::Json, false).expect_err("not UTF-8");
    expect![[r"
        not JSON at 2:3: not valid UTF-8
    "]]
    .assert_eq(&describe(&refusal));
}

#[test]
fn every_invalid_event_is_named_by_index_and_field() {
    let body = format!(
        r#"[{}, {{}}, 5, {{"topic":1,"event_id":"","timestamp":"noon","source":null,"payload":[1],"host":"x","host":"y"}},
           {}, {}, {{"topic":"a","topic":"b","seq":1,"seq":2,"event_id":"\ud800","timestamp":"2025-01-01","source":"\u0007","payload":{{}}}}]"#,
        event("t", "a"),
        event("$conflicts", "a"),
        event(&"x".repeat(256), "a"),
    );
    refused(
        &body,
        Format::Json,
        &expect![[r"
        1 topic: is missing
        1 event_id: is missing
        1 timestamp: is missing
        1 source: is missing
        1 payload: is missing
        2 : must be an object, not a number
        3 topic: must be a string, not a number
        3 event_id: must not be empty
        3 timestamp: must be a timestamp such as 2025-10-24T21:00:00Z, with at most 9 fraction digits
        3 source: must be a string, not null
        3 payload: must be an object, not an array
        3 host: unknown field: put it inside payload
        3 host: unknown field: put it inside payload
        4 topic: topics that begin with `$` are reserved
        5 topic: has 256 bytes; at most 255 are allowed
        6 topic: must be given once
        6 event_id: is not valid Unicode
        6 source: must not contain control characters
        6 seq: must be given once
    "]],
    );
}

#[test]
fn a_time_in_numbers_is_answered_with_its_timestamp() {
    let body = ["1761339600", "1761339600000", "1761339600.5", "\"1761339600000000\"", "1", "1e9"]
        .map(|time| format!(r#"{{"topic":"t","event_id":"a","timestamp":{time},"source":"s","payload":{{}}}}"#))
        .join("\n");
    refused(
        &body,
        Format::Ndjson,
        &expect![[r#"
        0 timestamp: must be a string such as "2025-10-24T21:00:00Z", not a number; 1761339600 seconds since 1970 are 2025-10-24T21:00:00Z
        1 timestamp: must be a string such as "2025-10-24T21:00:00Z", not a number; 1761339600000 milliseconds since 1970 are 2025-10-24T21:00:00Z
        2 timestamp: must be a string such as "2025-10-24T21:00:00Z", not a number; 1761339600 seconds since 1970 are 2025-10-24T21:00:00Z
        3 timestamp: must be a timestamp such as 2025-10-24T21:00:00Z, with at most 9 fraction digits; 1761339600000000 microseconds since 1970 are 2025-10-24T21:00:00Z
        4 timestamp: must be a string such as "2025-10-24T21:00:00Z", not a number
        5 timestamp: must be a string such as "2025-10-24T21:00:00Z", not a number
    "#]],
    );
}

#[test]
fn a_broken_envelope_is_refused() {
    let a = event("t", "a");
    refused(
        r#"{"events":{}}"#,
        Format::Json,
        &expect![[r"
        0 events: must be an array of events
    "]],
    );
    refused(
        &format!(r#"{{"events":[{a}],"events":[{a}],"x":1}}"#),
        Format::Json,
        &expect![[r"
        0 events: must be given once
        0 x: unknown member beside `events`
    "]],
    );
    refused(
        &a.replacen('{', r#"{"events":[],"#, 1),
        Format::Json,
        &expect![[r"
        0 events: unknown field: put it inside payload
    "]],
    );
    refused(
        &format!("{{\"events\":[{a}]}}"),
        Format::Ndjson,
        &expect![[r"
        0 topic: is missing
        0 event_id: is missing
        0 timestamp: is missing
        0 source: is missing
        0 payload: is missing
        0 events: unknown field: put it inside payload
    "]],
    );
    refused(
        "\"x\"",
        Format::Json,
        &expect![[r"
        0 : must be an object, not a string
    "]],
    );
}

#[test]
fn the_good_events_are_kept_when_asked_for() {
    let body = format!("{}\n{{\"topic\":5}}\nnot json\n{}", event("t", "a"), event("t", "b"));
    let options = Options { skip_invalid: true, keep_keys: true, topics: None };
    let accepted = ingest(body.as_bytes(), Format::Ndjson, options, &target(1)).expect("skips");
    assert_eq!(accepted.keys, [("t".into(), "a".into()), ("t".into(), "b".into())]);
    assert_eq!((accepted.events, accepted.rejected.events), (2, 2));
    assert_eq!(accepted.rejected.problems.last().map(|p| (p.index, p.reason.as_str())), {
        Some((2, "line 3 is not JSON: expected ident"))
    });
}

#[test]
fn payload_limits_are_what_they_say() {
    use sekali_store::limits::PAYLOAD_BYTES_MAX;
    let with = |payload: &str| event("t", "a").replace(r#"{"n":1}"#, payload);
    let sized = |len: usize| with(&format!("{{\"a\":\"{}\"}}", "x".repeat(len - 8)));
    let deep = |depth: usize| with(&format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1)));
    assert!(read(sized(PAYLOAD_BYTES_MAX).as_bytes(), Format::Json, false).is_ok());
    assert!(read(deep(64).as_bytes(), Format::Json, false).is_ok());
    refused(
        &deep(65),
        Format::Json,
        &expect![[r"
        0 payload: is nested too deep; at most 64 levels are allowed
    "]],
    );
    refused(
        &deep(1_000_000),
        Format::Json,
        &expect![[r"
        0 payload: has 2000004 bytes; at most 1048576 are allowed
    "]],
    );
    match read(sized(PAYLOAD_BYTES_MAX + 1).as_bytes(), Format::Json, false) {
        Err(IngestError::Invalid(rejected)) => assert!(!rejected.malformed, "only too large"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_number_of_events_is_limited_and_so_is_the_list_of_problems() {
    let a = event("t", "a");
    let many = |count: usize| format!("[{}{a}]", format!("{a},").repeat(count - 1));
    assert!(read(many(BATCH_EVENTS_MAX).as_bytes(), Format::Json, false).is_ok());
    assert_eq!(read(many(BATCH_EVENTS_MAX + 1).as_bytes(), Format::Json, false), Err(IngestError::TooManyEvents));
    assert_eq!(
        read("1\n".repeat(BATCH_EVENTS_MAX + 1).as_bytes(), Format::Ndjson, true),
        Err(IngestError::TooManyEvents)
    );
    match read("1\n".repeat(PROBLEMS_LISTED_MAX + 5).as_bytes(), Format::Ndjson, false) {
        Err(IngestError::Invalid(rejected)) => {
            assert_eq!(rejected.problems.len(), PROBLEMS_LISTED_MAX);
            assert_eq!((rejected.events, rejected.unlisted), (PROBLEMS_LISTED_MAX + 5, 5));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn outcomes_come_back_in_request_order() {
    use sekali_store::Outcome;
    let body: String = (0..50).map(|i| event(&format!("topic-{}", i * 7 % 10), &i.to_string()) + "\n").collect();
    let options = Options { keep_keys: true, ..Options::default() };
    let mut accepted = ingest(body.as_bytes(), Format::Ndjson, options, &target(4)).expect("valid");
    assert!(accepted.batches.len() > 1, "topics should spread");
    // Let each partition answer with numbers that say where the event went and as which.
    let answer = |(partition, batch): &(u32, sekali_store::Batch)| {
        (0..batch.len() as u64).map(|at| Outcome::Stored { seq: u64::from(*partition) * 1000 + at }).collect()
    };
    let outcomes = accepted.batches.iter().map(answer).collect();
    let mut next = [0; 4];
    let expected = accepted.keys.iter().map(|(topic, _)| {
        let partition = sekali_store::partition_of(topic, 4);
        let at = &mut next[partition as usize];
        *at += 1;
        Outcome::Stored { seq: u64::from(partition) * 1000 + *at - 1 }
    });
    let expected: Vec<_> = expected.collect();
    let order = accepted.take_order();
    assert_eq!(order.restore(outcomes), expected);
}

proptest! {
    /// The two paths agree on what is valid.
    #[test]
    fn the_slow_path_accepts_what_the_fast_path_accepts(
        topic in "[a-z$ é\u{1}]{0,3}", id in "[a-z]{0,2}", timestamp in "2025-1[0-3]-0[0-2]", payload in "[{}\\[\\]1]{1,4}",
    ) {
        let body = format!(
            r#"{{"topic":"{topic}","event_id":"{id}","timestamp":"{timestamp}","source":"","payload":{payload}}}"#
        );
        let strict = read(body.as_bytes(), Format::Ndjson, false);
        let skipping = read(format!("0\n{body}").as_bytes(), Format::Ndjson, true);
        prop_assert_eq!(strict.is_ok(), skipping.is_ok_and(|keys| keys.len() == 1), "{}", body);
    }

    #[test]
    fn no_body_panics(body: Vec<u8>, text in "[\\[\\]{}\",:a-z0-9\\\\ \n]{0,80}") {
        for format in [Format::Json, Format::Ndjson] {
            for skip in [false, true] {
                let _ = read(&body, format, skip);
                let _ = read(text.as_bytes(), format, skip);
            }
        }
    }
}
