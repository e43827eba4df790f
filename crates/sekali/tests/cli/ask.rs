//! `sekali count --by`, `fields`, `stats --field`, `conflicts`, `events --columns` and
//! `publish --only-new`, with a real server.

use serde_json::{Value, json};

use crate::process::{Run, run, run_with_input};
use crate::served::Served;

fn event(id: usize, status: u32, attempt: u32) -> String {
    format!(
        "{{\"topic\":\"web\",\"event_id\":\"{id}\",\"timestamp\":\"2025-01-01\",\"source\":\"s{}\",\
         \"payload\":{{\"status\":{status},\"ms\":{id},\"attempt\":{attempt}}}}}\n",
        id % 2
    )
}

fn filled(dir: &tempfile::TempDir) -> Served {
    let served = Served::start(&dir.path().join("data"));
    let events: String = (0..20).map(|id| event(id, if id < 15 { 200 } else { 500 }, 1)).collect();
    let again: String = (0..3).map(|id| event(id, 200, 2)).collect();
    for (input, conflicts) in [(events, 0), (again, 3)] {
        let published = run_with_input(&["publish", "--url", &served.url, "--json"], &input);
        assert_eq!(published.json()["conflicts"], conflicts, "{published:?}");
    }
    served
}

fn ask(served: &Served, arguments: &[&str]) -> Run {
    let answer = run(&[arguments, &["--url", &served.url]].concat());
    assert_eq!((answer.code, answer.stderr.as_str()), (Some(0), ""), "{arguments:?}: {answer:?}");
    assert!(answer.stdout.lines().all(|line| line.starts_with('{') || line.chars().count() <= 80), "{answer:?}");
    answer
}

#[test]
fn questions_are_answered_in_tables_and_in_json() {
    let dir = tempfile::tempdir().unwrap();
    let served = filled(&dir);
    expect_test::expect![[r#"
        payload.status          count   share
        200                        15   75.0%  ████████████████████
        20 events, 5 in 1 other groups
    "#]]
    .assert_eq(&ask(&served, &["count", "--by", "payload.status", "--top", "1"]).stdout);
    let counted = ask(&served, &["count", "--by", "source", "--where", "status=500", "--json"]).json();
    assert_eq!((&counted["count"], &counted["groups"][0]), (&json!(5), &json!({"key": ["s1"], "count": 3})));

    expect_test::expect![[r#"
        payload.attempt          count   share
        1                           20  100.0%  ████████████████████
        1 different values in 20 events
        of 20 events
    "#]]
    .assert_eq(&ask(&served, &["fields", "--field", "payload.attempt"]).stdout);
    let fields = ask(&served, &["fields", "--under", "payload", "--json"]).json();
    let names: Vec<_> = fields["fields"].as_array().unwrap().iter().map(|field| field["field"].clone()).collect();
    assert_eq!(names, ["payload.attempt", "payload.ms", "payload.status"]);

    let numbers = ask(&served, &["stats", "--field", "payload.ms", "--by", "payload.status"]).stdout;
    let lines: Vec<_> = numbers.lines().collect();
    assert!(lines[1].starts_with("min 0  p50 ") && lines[1].ends_with("max 19  mean 9.5"), "{numbers}");
    assert!(lines.contains(&"20 numbers"), "{numbers}");
    let size = ask(&served, &["stats", "--field", "size", "--json", "--percentiles", "50"]).json();
    assert_eq!(size["count"], 20);
    assert_eq!(run(&["stats", "--topic", "web"]).code, Some(2));

    expect_test::expect![[r#"
        path                     count   share
        payload.attempt              3  100.0%  ████████████████████
        3 conflicts
        if payload.attempt says how an event was sent, leave it out of the event
    "#]]
    .assert_eq(&ask(&served, &["conflicts", "--by", "path"]).stdout);
}

#[test]
fn conflicts_are_listed_newest_first_or_all() {
    let dir = tempfile::tempdir().unwrap();
    let served = filled(&dir);
    let newest = run(&["conflicts", "--limit", "2", "--url", &served.url]);
    let lines: Vec<_> = newest.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{newest:?}");
    assert!(lines[0].contains(" web 2 s0 ") && lines[0].contains(" s after seq 3"), "{newest:?}");
    assert_eq!(lines[1], "    payload.attempt: 1 -> 2");
    assert!(newest.stderr.contains("newest 2"), "{newest:?}");
    let all = ask(&served, &["conflicts", "--limit", "0", "--json"]);
    let ids: Vec<_> =
        all.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["event_id"].clone()).collect();
    assert_eq!(ids, ["0", "1", "2"]);
    let none = run(&["conflicts", "--topic", "other", "--url", &served.url]);
    assert_eq!((none.code, none.stdout.as_str(), none.stderr.as_str()), (Some(0), "", "no conflicts\n"));
}

#[test]
fn events_have_the_columns_that_are_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let served = filled(&dir);
    let columns = ["events", "--limit", "2", "--columns", "event_id,payload.status,payload.gone"];
    assert_eq!(
        ask(&served, &columns).stdout,
        "{\"event_id\":\"0\",\"payload.status\":200}\n{\"event_id\":\"1\",\"payload.status\":200}\n"
    );
    let table = ask(&served, &[&columns[..], &["--csv"]].concat()).stdout;
    assert_eq!(table, "event_id,payload.status,payload.gone\r\n0,200,\r\n1,200,\r\n");
    assert_eq!(run(&["events", "--columns", "status", "--url", &served.url]).code, Some(4));
}

#[test]
fn only_new_events_are_sent() {
    let dir = tempfile::tempdir().unwrap();
    let served = filled(&dir);
    let input: String = (10..30).map(|id| event(id, 200, 1)).collect();
    let only_new = ["publish", "--only-new", "--batch-size", "7", "--url", &served.url, "--json"];
    let first = run_with_input(&only_new, &input);
    let figure = |run: &Run, name: &str| run.json()[name].as_u64().unwrap();
    let figures = |run: &Run| ["received", "stored", "duplicates", "known"].map(|name| figure(run, name));
    assert_eq!((first.code, figures(&first)), (Some(0), [10, 10, 0, 10]), "{first:?}");
    let again = run_with_input(&only_new, &input);
    assert_eq!((again.code, figures(&again)), (Some(0), [0, 0, 0, 20]), "{again:?}");
    // An event that is not valid is named with its line, though others before it were left out.
    let wrong = input + "{\"topic\":\"web\",\"event_id\":\"\"}\n" + &event(40, 200, 1);
    let refused = run_with_input(&["publish", "--only-new", "--url", &served.url], &wrong);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(refused.stderr.contains("stdin:21"), "{refused:?}");
    let counters = run(&["stats", "--json", "--url", &served.url]).json();
    assert_eq!(counters["duplicate_dropped"], 3);
}
