//! `sekali export` and `import`: exported events are imported unchanged.

mod damaged;
mod dedup_db;
mod evidence;
mod interrupted;
mod packed;
mod read_only;
mod round_trip;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::value::RawValue;

use crate::process::{Run, run, run_with_input};

/// The five members of an event that its producer sends, with the payload's bytes.
#[derive(serde::Deserialize)]
struct Event {
    topic: String,
    event_id: String,
    timestamp: String,
    source: String,
    payload: Box<RawValue>,
}

/// All events of a server, by key.
fn stored(url: &str) -> BTreeMap<(String, String), String> {
    let events = run(&["events", "--url", url]);
    assert_eq!(events.code, Some(0), "{events:?}");
    let events = events.stdout.lines().map(|line| serde_json::from_str::<Event>(line).unwrap());
    events
        .map(|event| {
            let rest = format!("{} {:?} {}", event.timestamp, event.source, event.payload);
            ((event.topic, event.event_id), rest)
        })
        .collect()
}

/// Stores events that are difficult to write in one format or another.
fn store_awkward_events(url: &str) {
    let payloads = [
        r#"{}"#,
        r#"{"n":1.50, "big":123456789012345678901234567890,"exp":1E+2}"#,
        r#"{"b":1,"a":2,"b":3}"#,
        r#"{"quote\"d":"a,b;c\n\t\u0000\ud83d","emoji":"👩‍💻 é","path":"C:\\x"}"#,
        r#"{ "spaced" : [ 1 ,  { } ] }"#,
    ];
    let texts =
        ["plain", "=1+1", "'=quoted", "''-x", "+49", "@here", "-", "a,b", "with \"quotes\"", "'tis", "日本語 ☺"];
    let timestamps = ["2025-10-24T21:00:00Z", "1677-09-21T00:12:43.145224194Z", "2262-04-11T23:47:16.854775806Z"];
    let mut lines = String::new();
    for (number, text) in texts.into_iter().enumerate() {
        for (index, payload) in payloads.into_iter().enumerate() {
            let text = serde_json::to_string(text).unwrap();
            let id = serde_json::to_string(&format!("{}{index}", ["=", "", "'"][index % 3])).unwrap();
            let timestamp = timestamps[(number + index) % 3];
            let source = if index == 0 { "\"\"" } else { &text };
            lines.push_str(&format!(
                "{{\"topic\":{text},\"event_id\":{id},\"timestamp\":\"{timestamp}\",\"source\":{source},\"payload\":{payload}}}\n"
            ));
        }
    }
    let published = run_with_input(&["publish", "--url", url, "--json"], &lines).json();
    assert_eq!(published["stored"], texts.len() * payloads.len());
}

fn export(url: &str, file: &Path) -> Run {
    run(&["export", "--url", url, "-o", file.to_str().unwrap()])
}

fn import(url: &str, file: &Path) -> Run {
    run(&["import", "--url", url, "--json", file.to_str().unwrap()])
}

/// The summary of an import that may have skipped rows.
fn account(run: &Run) -> [u64; 4] {
    let report: serde_json::Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    ["stored", "duplicates", "conflicts", "invalid"].map(|field| report[field].as_u64().unwrap())
}
