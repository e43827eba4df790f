use std::fs;

use super::{account, export, import, stored};
use crate::process::{run, run_with_input};
use crate::served::Served;

const GOOD: &str = r#"{"topic":"t","event_id":"ID","timestamp":"2025-01-01T00:00:00Z","source":"s","payload":{}}"#;

fn good(id: &str) -> String {
    GOOD.replace("ID", id)
}

#[test]
fn damaged_rows_are_named_and_the_rest_is_imported() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&dir.path().join("data"));
    let header = "topic,event_id,timestamp,source,payload";
    let files = [
        ("rows.ndjson", format!("{}\n{{\"topic\":\n{}\n{{\"topic\":\"t\"}}\n", good("n1"), good("n2"))),
        ("rows.json", format!("[{},\n{{\"topic\":}},\n{}]", good("j1"), good("j2"))),
        ("rows.csv", format!("{header}\nt,c1,2025-01-01,s,{{}}\nt,c2\nt,c3,2025-01-01,s,{{\nt,c4,2025-01-01,s,{{}}\n")),
    ];
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        let result = import(&served.url, &path);
        let [imported, duplicates, conflicts, invalid] = account(&result);
        assert_eq!((result.code, imported, duplicates, conflicts), (Some(4), 2, 0, 0), "{result:?}");
        let lines = result.stderr.lines().filter(|line| line.contains(&format!("{name}:")));
        assert!(invalid > 0 && lines.clone().count() as u64 >= invalid, "{result:?}");
        assert!(
            lines.clone().any(|line| line.contains(&format!("{name}:2: not JSON"))) || name == "rows.csv",
            "{result:?}"
        );
        assert!(
            name != "rows.csv" || lines.clone().any(|line| line.contains("rows.csv:3: has 2 columns")),
            "{result:?}"
        );
    }
    assert_eq!(stored(&served.url).len(), 6);
}

#[test]
fn every_damaged_row_is_accounted_for_however_many_there_are() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path());
    let rows: String = (0..300).map(|number| good(&number.to_string()).replace("2025-01-01", "soon") + "\n").collect();
    let result = run_with_input(&["import", "--url", &served.url, "--json", "-"], &rows);
    assert_eq!((result.code, account(&result)), (Some(4), [0, 0, 0, 300]));
    let named = result.stderr.lines().filter(|line| line.contains("timestamp: ")).count();
    assert_eq!(named, 100, "the server names that many of a request");
    assert!(
        result.stderr.contains("skipped stdin:100: 200 more invalid events between this one and stdin:300"),
        "{result:?}"
    );
    let small = run_with_input(&["import", "--url", &served.url, "--json", "--batch-size", "100", "-"], &rows);
    assert_eq!(small.stderr.lines().filter(|line| line.contains("timestamp: ")).count(), 300);
}

#[test]
fn a_damaged_row_group_spoils_only_itself() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&dir.path().join("data"));
    // Payloads of half a mebibyte make several row groups.
    let generate = ["--count", "100", "--payload-bytes", "524288", "--json"];
    run(&[&["publish", "--url", &served.url], &generate[..]].concat()).json();
    let path = dir.path().join("events.parquet");
    assert_eq!(export(&served.url, &path).code, Some(0));
    let mut bytes = fs::read(&path).unwrap();
    // The first page of the first column.
    bytes[4..24].fill(0xff);
    fs::write(&path, &bytes).unwrap();
    let other = Served::start(&dir.path().join("other"));
    let result = import(&other.url, &path);
    let [imported, _, _, invalid] = account(&result);
    assert_eq!((result.code, invalid), (Some(4), 1), "{result:?}");
    let lost = result.stderr.split_once("events.parquet:1: rows 1 to ").expect(&result.stderr).1;
    let lost: u64 = lost.split_once(' ').unwrap().0.parse().unwrap();
    assert!(lost < 100, "{result:?}");
    assert_eq!(imported, 100 - lost, "{result:?}");
    bytes.truncate(bytes.len() - 1);
    fs::write(&path, &bytes).unwrap();
    let cut = import(&other.url, &path);
    assert_eq!(cut.code, Some(1));
    assert!(cut.stderr.contains("cannot read events from "), "{cut:?}");
}
