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
        ("lines.json", format!("{}\n{{\"topic\":\"t\",\"ev\n{}\n", good("l1"), good("l2"))),
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
    assert_eq!(stored(&served.url).len(), 8);
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
    assert_eq!(result.code, Some(4), "{result:?}");
    let lost = result.stderr.split_once("events.parquet:1: rows 1 to ").expect(&result.stderr).1;
    let lost: u64 = lost.split_once(' ').unwrap().0.parse().unwrap();
    assert!(lost < 100, "{result:?}");
    assert_eq!((imported, invalid), (100 - lost, lost), "{result:?}");
    bytes.truncate(bytes.len() - 1);
    fs::write(&path, &bytes).unwrap();
    let cut = import(&other.url, &path);
    assert_eq!(cut.code, Some(4));
    assert!(cut.stderr.contains("cannot read events from "), "{cut:?}");
}

#[test]
fn what_was_read_before_a_file_breaks_off_is_stored_and_the_next_file_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&dir.path().join("data"));
    let events: Vec<String> = (0..1_200).map(|id| good(&id.to_string())).collect();
    let cut = dir.path().join("cut.json");
    fs::write(&cut, format!("[{}", events.join(","))).unwrap();
    let next = dir.path().join("next.ndjson");
    fs::write(&next, good("next")).unwrap();
    let files = [cut.to_str().unwrap(), next.to_str().unwrap()];
    let result = run(&[&["import", "--url", &served.url, "--json"], &files[..]].concat());
    assert_eq!((result.code, account(&result)), (Some(4), [1_201, 0, 0, 0]), "{result:?}");
    assert!(result.stderr.contains("cut.json:1: the file ends inside the array: it was cut off"), "{result:?}");
}

#[test]
fn a_quote_that_is_not_closed_costs_one_line_of_a_csv() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&dir.path().join("data"));
    let rows: String = (3..12).map(|id| format!("t,{id},2025-01-01,s,{{}}\n")).collect();
    let path = dir.path().join("x.csv");
    let header = "topic,event_id,timestamp,source,payload";
    fs::write(&path, format!("{header}\nt,1,2025-01-01,s,{{}}\nt,2,2025-01-01,s,\"{{}}\n{rows}")).unwrap();
    let result = import(&served.url, &path);
    assert_eq!((result.code, account(&result)), (Some(4), [10, 0, 0, 1]), "{result:?}");
    assert!(result.stderr.contains("x.csv:3: a quote is opened and never closed"), "{result:?}");
}

#[test]
fn the_rows_around_a_damaged_page_are_imported_and_the_gap_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&dir.path().join("data"));
    let path = dir.path().join("dedup.db");
    let database = rusqlite::Connection::open(&path).unwrap();
    let script = "PRAGMA page_size = 4096; \
        CREATE TABLE events(topic, event_id, timestamp, source, payload, PRIMARY KEY(topic, event_id)); \
        WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 6000) INSERT INTO events \
        SELECT 't', i, '2025-01-01', 's', json_object('text', printf('%0100d', i)) FROM n";
    database.execute_batch(script).unwrap();
    drop(database);
    let mut bytes = fs::read(&path).unwrap();
    let text = format!("{:0100}", 3_000);
    let at = bytes.windows(100).position(|window| window == text.as_bytes()).unwrap();
    bytes[at / 4096 * 4096..][..4096].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let result = import(&served.url, &path);
    let [imported, _, _, invalid] = account(&result);
    assert_eq!((result.code, imported + invalid), (Some(4), 6_000), "{result:?}");
    assert!(imported > 5_900 && result.stderr.contains("between rowid "), "{result:?}");
}
