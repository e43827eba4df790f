use super::super::{InputFormat, Options, Record, read_all, reader};
use proptest::prelude::*;

fn check(text: &'static str, expected: &expect_test::Expect) {
    let found = match read_all(text, "x.json", Some(InputFormat::Json)) {
        Ok(found) => found.join("\n"),
        Err(error) => format!("error: {error}"),
    };
    expected.assert_eq(&found);
}

#[test]
fn arrays_wrappers_and_sequences_are_taken_apart() {
    check(
        "[{\"a\":\"]}\\\"\"},\n {\"b\":[{}]}\n]\n",
        &expect_test::expect![[r#"
            1: {"a":"]}\""}
            2: {"b":[{}]}"#]],
    );
    check("\n{ \"events\" : [ {\"a\":1} ] }", &expect_test::expect![[r#"2: {"a":1}"#]]);
    check(
        "{\n\"a\":1}\n{\"b\":2}",
        &expect_test::expect![[r#"
            1: {
            "a":1}
            3: {"b":2}"#]],
    );
    check("[]", &expect_test::expect![[""]]);
    check("", &expect_test::expect![[""]]);
}

#[test]
fn joined_files_are_read_one_behind_the_other() {
    check(
        "[{\"a\":1}]\n\u{feff}[{\"b\":2}]{\"events\":[{\"c\":3}]}\u{feff}\n{\"d\":4}{\"e\":5}",
        &expect_test::expect![[r#"
            1: {"a":1}
            2: {"b":2}
            2: {"c":3}
            3: {"d":4}
            3: {"e":5}"#]],
    );
}

#[test]
fn a_bad_element_spoils_only_itself() {
    check(
        "[{\"a\":},\n12, \"x\", nonsense, {\"b\":2}]",
        &expect_test::expect![[r#"
            1: invalid, not JSON: expected value at column 6
            2: 12
            2: "x"
            2: invalid, not JSON: it begins with "nonsense"
            2: {"b":2}"#]],
    );
}

const EVENT: &str = r#"{"topic":"t","event_id":"ID","payload":{"a":[{"b":1}]}}"#;

fn event(id: usize) -> String {
    EVENT.replace("ID", &id.to_string())
}

/// The ids of the events that are read, and everything else that is said.
fn ids(text: &str) -> (Vec<usize>, Vec<String>) {
    let text: &'static str = text.to_owned().leak();
    let (mut ids, mut others) = (Vec::new(), Vec::new());
    for found in read_all(text, "x.json", Some(InputFormat::Json)).unwrap() {
        let (_, rest) = found.split_once(": ").unwrap();
        let event: serde_json::Value = serde_json::from_str(rest).unwrap_or_default();
        match event["event_id"].as_str() {
            Some(id) => ids.push(id.parse().unwrap()),
            None => others.push(found),
        }
    }
    (ids, others)
}

/// Ways in which an event loses its end or its beginning.
fn torn(event: &str) -> Vec<String> {
    let ends = (1..event.len()).map(|length| event[..length].to_owned());
    let beginnings = (1..event.len()).map(|start| event[start..].to_owned());
    ends.chain(beginnings).collect()
}

#[test]
fn of_lines_in_a_file_called_json_a_torn_one_spoils_only_itself() {
    for broken in torn(&event(3)) {
        for at in [0, 2, 5] {
            let mut lines: Vec<String> = (1..=5).map(|id| event(id * 10)).collect();
            lines.insert(at, broken.clone());
            let (found, others) = ids(&lines.join("\n"));
            assert_eq!(found, [10, 20, 30, 40, 50], "{broken:?} in line {}: {others:?}", at + 1);
            let place = format!("{}: invalid, ", at + 1);
            // What begins like an array is one, to begin with.
            if at > 0 || !broken.starts_with('[') {
                assert!(
                    others.len() == 1 && others[0].starts_with(&place),
                    "{broken:?} in line {}: {others:?}",
                    at + 1
                );
            }
        }
    }
}

#[test]
fn torn_lines_that_follow_one_another_are_named_one_by_one() {
    let text = format!("{}\n{{\"topic\":\"t\",\"ev\n{{\"topic\":\nopic\":1}}\n{}\n", event(1), event(2));
    let (found, others) = ids(&text);
    assert_eq!(found, [1, 2]);
    let lines: Vec<_> = others.iter().map(|other| other.split_once(':').unwrap().0).collect();
    assert_eq!(lines, ["2", "3", "4"], "{others:?}");
}

#[test]
fn events_of_several_lines_may_stand_behind_events_of_one() {
    let pretty =
        |id| serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&event(id)).unwrap()).unwrap();
    let text = format!("{}\n{}\n{}\n{}\n", event(1), event(2), pretty(3), pretty(4));
    assert_eq!(ids(&text), (vec![1, 2, 3, 4], vec![]));
}

#[test]
fn an_event_of_several_lines_that_is_damaged_spoils_only_itself() {
    let pretty =
        |id| serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&event(id)).unwrap()).unwrap();
    for damage in ["\n  \"event_id\"", "}\n    ]", "\"t\""] {
        let broken = pretty(2).replacen(damage, "", 1);
        let text = [pretty(1), broken.clone(), pretty(3), pretty(4)].join("\n");
        let (found, others) = ids(&text);
        assert_eq!(found, [1, 3, 4], "{broken}\n{others:?}");
        assert_eq!(others.len(), 1, "{others:?}");
    }
    let torn = format!("{}\n{}", pretty(1), &pretty(2)[..40]);
    let (found, others) = ids(&torn);
    assert_eq!((found, others.len()), (vec![1], 1), "{others:?}");
}

#[test]
fn in_an_array_a_torn_event_spoils_only_itself() {
    for (between, around) in [(",\n", ""), (",", ""), (",\n  ", "\n")] {
        for broken in torn(&event(3)) {
            let events = [event(1), event(2), broken.clone(), event(4), event(5)];
            let text = format!("[{around}{}{around}]", events.join(between));
            let (found, others) = ids(&text);
            assert!(found.starts_with(&[1, 2]) && found.ends_with(&[5]), "{text}: {found:?}, {others:?}");
            // Next to a line break inside of a string an event ends early; in one line the next one
            // may go with it.
            assert!(found.contains(&4) || !between.contains('\n'), "{text}: {found:?}, {others:?}");
            assert!(!others.is_empty(), "{text}");
        }
    }
}

#[test]
fn a_missing_comma_is_named_and_costs_nothing() {
    check(
        "[{\"a\":1}\n{\"b\":2}]",
        &expect_test::expect![[r#"
            1: {"a":1}
            2: invalid, expected a comma or ] after the event
            2: {"b":2}"#]],
    );
}

#[test]
fn an_array_that_is_cut_off_is_read_to_its_end() {
    let whole = format!("[{}]", (1..=1_200).map(event).collect::<Vec<_>>().join(",\n"));
    for cut in [1, 2, 20] {
        let (found, others) = ids(&whole[..whole.len() - cut]);
        let last = if cut == 1 { 1_200 } else { 1_199 };
        assert_eq!(found, (1..=last).collect::<Vec<_>>());
        assert!(others.len() == 1 && others[0].contains("cut off"), "{others:?}");
    }
}

#[test]
fn an_array_that_goes_wrong_is_named_with_its_line() {
    for (text, expected) in [
        ("[{\"a\":1},\n]", "error: x.json:2: expected an event after the comma"),
        ("[{\"a\":1},\n{\"b\":", "error: x.json:2: the file ends inside an event: it was cut off"),
        ("[{\"a\":1}", "error: x.json:1: the file ends inside the array: it was cut off"),
        ("[{\"a\":1}]\n]", "error: x.json:2: expected nothing after the array"),
        ("{\"events\":[{\"a\":1}],\"x\":1}", "error: x.json:1: expected } after the array of events"),
    ] {
        assert_eq!(read_all(text, "x.json", Some(InputFormat::Json)).unwrap(), ["1: {\"a\":1}", expected]);
    }
}

#[test]
fn an_endless_event_is_not_held_in_memory_and_what_follows_is_read() {
    use super::super::EVENT_TEXT_BYTES_MAX;
    use std::io::Read as _;
    let long = || std::io::repeat(b'x').take(3 * EVENT_TEXT_BYTES_MAX as u64);
    let (one, two) = (format!("[{},{{\"topic\":\"", event(1)), format!("\"}},\n{}]", event(2)));
    let array = std::io::Cursor::new(one).chain(long()).chain(std::io::Cursor::new(two));
    let (one, two) = (format!("{}\n{{\"topic\":\"", event(1)), format!("\"}}\n{}\n", event(2)));
    let lines = std::io::Cursor::new(one).chain(long()).chain(std::io::Cursor::new(two));
    let inputs: [Box<dyn std::io::Read + Send>; 2] = [Box::new(array), Box::new(lines)];
    for input in inputs {
        let mut reader = reader(input, "x.json", &Options::default()).unwrap();
        let mut text = Vec::new();
        assert!(matches!(reader.next(&mut text).unwrap(), Some(Record::Event { .. })));
        assert!(matches!(reader.next(&mut text).unwrap(), Some(Record::Invalid { rows: 1, .. })));
        assert!(matches!(reader.next(&mut text).unwrap(), Some(Record::Event { .. })));
        assert_eq!(text, event(2).as_bytes());
        assert_eq!(reader.next(&mut text).unwrap(), None);
    }
}

/// Hands out a few bytes at a time, as pipes do.
struct Dribble(std::io::Cursor<Vec<u8>>, usize);

impl std::io::Read for Dribble {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(self.1);
        self.0.read(&mut buffer[..length])
    }
}

/// Everything that is read of a text, given out in steps.
fn values(text: Vec<u8>, step: usize) -> Vec<serde_json::Value> {
    let options = Options { format: Some(InputFormat::Json), ..Options::default() };
    let mut reader = reader(Dribble(std::io::Cursor::new(text), step), "x.json", &options).unwrap();
    let (mut event, mut found) = (Vec::new(), Vec::new());
    while let Some(record) = reader.next(&mut event).unwrap() {
        assert!(matches!(record, Record::Event { .. }), "{record:?}");
        found.push(serde_json::from_slice::<serde_json::Value>(&event).unwrap());
    }
    found
}

proptest! {
    #[test]
    fn any_array_and_any_sequence_comes_back_event_by_event(
        texts in prop::collection::vec((".{0,20}", any::<bool>()), 0..20),
        step in 1usize..9,
    ) {
        let events: Vec<_> = texts.iter().map(|(text, _)| serde_json::json!({"payload": {text: [text]}})).collect();
        prop_assert_eq!(&values(serde_json::to_vec_pretty(&events).unwrap(), step), &events);
        let one = |(event, pretty): (&serde_json::Value, bool)| {
            if pretty { serde_json::to_string_pretty(event) } else { serde_json::to_string(event) }.unwrap()
        };
        let sequence: Vec<_> = events.iter().zip(texts.iter().map(|(_, pretty)| *pretty)).map(one).collect();
        prop_assert_eq!(&values(sequence.join("\n").into_bytes(), step), &events);
    }

    #[test]
    fn no_text_makes_it_stop_or_go_on_for_ever(text in "[\\[\\]{}:,\"\\\\a\n ]{0,60}", step in 1usize..9) {
        let options = Options { format: Some(InputFormat::Json), ..Options::default() };
        let input = Dribble(std::io::Cursor::new(text.clone().into_bytes()), step);
        let mut reader = reader(input, "x.json", &options).unwrap();
        let mut event = Vec::new();
        let mut records = 0;
        while let Ok(Some(_)) = reader.next(&mut event) {
            records += 1;
            prop_assert!(records <= text.len() + 1, "{text:?}");
        }
    }
}
