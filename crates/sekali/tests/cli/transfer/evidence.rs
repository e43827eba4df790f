//! Evidence of conflicts, taken along.

use super::{account, export, import, stored};
use crate::process::{run, run_with_input};
use crate::served::Served;

fn event(id: &str, n: u32) -> String {
    format!(
        "{{\"topic\":\"t\",\"event_id\":\"{id}\",\"timestamp\":\"2025-01-0{n}T00:00:00Z\",\"source\":\"s\",\"payload\":{{\"n\":{n}}}}}\n"
    )
}

/// Two events, one of which two others conflict with.
fn store_conflicts(url: &str) {
    let lines = [event("a", 1), event("b", 1), event("a", 2), event("a", 3)].concat();
    let published = run_with_input(&["publish", "--url", url, "--json"], &lines).json();
    assert_eq!((published["stored"].as_u64(), published["conflicts"].as_u64()), (Some(2), Some(2)));
}

/// The payloads that were refused, and of which event.
fn evidence(url: &str) -> Vec<String> {
    let events = run(&["events", "--url", url, "--topic", "$conflicts"]);
    let mut found: Vec<String> = events
        .stdout
        .lines()
        .map(|line| {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            let payload = &event["payload"];
            format!("{} {} {} {}", payload["topic"], payload["event_id"], payload["payload"], event["timestamp"])
        })
        .collect();
    found.sort_unstable();
    found
}

#[test]
fn evidence_is_exported_in_every_format_and_importing_makes_the_same_evidence() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&dir.path().join("data"));
    store_conflicts(&served.url);
    let original = (stored(&served.url), evidence(&served.url));
    assert_eq!(original.1.len(), 2);
    for name in ["events.ndjson", "events.csv", "events.db", "events.parquet"] {
        let file = dir.path().join(name);
        let exported = run(&["export", "--url", &served.url, "--with-conflicts", "-o", file.to_str().unwrap()]);
        assert_eq!(exported.code, Some(0), "{exported:?}");
        assert!(exported.stderr.contains("exported 4 events"), "{exported:?}");
        let other = Served::start(&dir.path().join(format!("{name}.data")));
        let first = import(&other.url, &file);
        assert_eq!((first.code, account(&first)), (Some(0), [2, 2, 2, 0]), "{name}: {first:?}");
        assert_eq!((stored(&other.url), evidence(&other.url)), original, "{name}");
        let again = import(&other.url, &file);
        assert_eq!((again.code, account(&again)), (Some(0), [0, 4, 2, 0]), "{name}: {again:?}");
        assert_eq!((stored(&other.url), evidence(&other.url)), original, "{name}");
    }
}

#[test]
fn an_export_that_leaves_evidence_behind_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&dir.path().join("data"));
    store_conflicts(&served.url);
    let exported = export(&served.url, &dir.path().join("events.ndjson"));
    assert!(
        exported.stderr.contains("2 conflicts were not exported: --with-conflicts takes them along"),
        "{exported:?}"
    );
    let quiet = run(&["export", "--url", &served.url, "--quiet"]);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn evidence_of_a_conflict_with_nothing_that_is_stored_is_not_stored_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&dir.path().join("data"));
    store_conflicts(&served.url);
    let file = dir.path().join("conflicts.ndjson");
    let arguments = ["export", "--url", &served.url, "--topic", "$conflicts", "-o", file.to_str().unwrap()];
    assert_eq!(run(&arguments).code, Some(0));
    let other = Served::start(&dir.path().join("other"));
    let result = import(&other.url, &file);
    assert_eq!((result.code, account(&result)), (Some(4), [0, 0, 0, 2]), "{result:?}");
    assert!(
        result.stderr.contains("evidence of a conflict with \"a\" of topic \"t\", which is not stored"),
        "{result:?}"
    );
    assert!(stored(&other.url).is_empty());
    assert_eq!(account(&import(&served.url, &file)), [0, 2, 2, 0]);
}
