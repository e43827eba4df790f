//! A data directory that an earlier build has left behind, with everything that belongs to it.
//!
//! `tests/fixtures/data-v1` was written by `sekali serve` of version 0.1: three events, a conflict,
//! a key, a consumer that has acknowledged one event, and a secret of webhooks. It never changes;
//! a later format gets a directory of its own. `sekali-store`'s tests have the engine's formats.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::process::{command, run};
use crate::served::Served;

/// The only key of the fixture.
const KEY: &str = "sekali_7ac3ee55_e3340d398175e4090542c6d8429920d214b546ef511abcc67939c768bf351386";
/// A cursor that was given out behind the first event.
const CURSOR: &str = "AQAB.8TnUy952ROk";

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn data_v1(to: &Path) {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/data-v1"), to);
}

/// Runs a client command with the fixture's key.
fn ask(served: &Served, arguments: &[&str]) -> String {
    let mut command = command(&[arguments, &["--url", &served.url]].concat());
    let output = command.env("SEKALI_KEY", KEY).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn ids(events: &str) -> Vec<String> {
    let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["event_id"].as_str().unwrap().to_owned();
    events.lines().map(id).collect()
}

#[test]
fn a_data_directory_of_version_0_1_is_served_with_its_keys_consumers_and_cursors() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    data_v1(&data_dir);
    let served = Served::start(&data_dir);
    let stats: Value = serde_json::from_str(&ask(&served, &["stats", "--json"])).unwrap();
    let counters =
        ["received", "unique_processed", "duplicate_dropped", "conflicts", "status"].map(|name| &stats[name]);
    assert_eq!(json!(counters), json!([6, 3, 3, 1, "ready"]));

    let events = ask(&served, &["events", "--topic", "orders", "--json"]);
    assert_eq!(ids(&events), ["1001", "1002"]);
    assert_eq!(ids(&ask(&served, &["events", "--topic", "orders", "--json", "--after", CURSOR])), ["1002"]);
    assert!(ask(&served, &["events", "--topic", "web.*", "--json"]).contains(r#""text":"é \u00e9""#), "byte for byte");
    assert!(ask(&served, &["conflicts", "--by", "path"]).contains("payload.total"));

    let bytes = fs::read(data_dir.join("consumers.json")).unwrap();
    let file = dir.path().join("events.ndjson");
    fs::write(&file, events).unwrap();
    let again = ask(&served, &["publish", file.to_str().unwrap(), "--json"]);
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!((&again["stored"], &again["duplicates"], &again["conflicts"]), (&json!(0), &json!(2), &json!(0)));
    ask(&served, &["publish", "--count", "100", "--json"]);
    assert_eq!(fs::read(data_dir.join("consumers.json")).unwrap(), bytes, "positions stay");
    let refused = run(&["events", "--url", &served.url]);
    assert_eq!(refused.code, Some(4), "a key is needed: {refused:?}");
    drop(served);

    let verified = run(&["verify", "--data-dir", data_dir.to_str().unwrap(), "--json"]).json();
    assert_eq!(verified["partitions"][0]["events"], 104, "{verified}");
}

#[test]
fn files_of_a_format_that_never_was_or_is_yet_to_come_are_named_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    for (file, name, with, code, words) in [
        ("store.toml", "format = 1", "format = 2", 7, "format version 2, but this program knows versions up to 1"),
        ("store.toml", "format = 1", "format = 0", 8, "store.toml"),
        ("consumers.json", "sekali consumers 1", "sekali consumers 9", 7, "consumers.json"),
    ] {
        let data_dir = dir.path().join(with);
        data_v1(&data_dir);
        let path = data_dir.join(file);
        let changed = fs::read_to_string(&path).unwrap().replacen(name, with, 1);
        fs::write(&path, &changed).unwrap();
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--data-dir", data_dir.to_str().unwrap()];
        let refused = run(&arguments);
        assert_eq!(refused.code, Some(code), "{with}: {refused:?}");
        assert!(refused.stderr.contains(words), "{with}: {refused:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), changed);
    }
}
