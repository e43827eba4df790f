//! Databases as people have them.

use std::path::Path;

use rusqlite::Connection;

use super::super::source::Source;
use super::super::{InputError, Options, Record};

/// Makes a database by this script.
fn database(dir: &Path, script: &str) -> std::path::PathBuf {
    let path = dir.join("x.db");
    let _ = std::fs::remove_file(&path);
    Connection::open(&path).unwrap().execute_batch(script).unwrap();
    path
}

fn open(path: &Path, table: Option<&str>) -> Result<Source, InputError> {
    Source::open(path, &Options { table: table.map(str::to_owned), ..Options::default() })
}

/// The ids that are read, with their places, and what is passed over.
fn read(path: &Path, table: Option<&str>) -> Vec<String> {
    let mut source = match open(path, table) {
        Ok(source) => source,
        Err(error) => return vec![error.to_string().replace(&path.display().to_string(), "FILE")],
    };
    let (mut event, mut found) = (Vec::new(), Vec::new());
    loop {
        found.push(match source.events.next(&mut event) {
            Ok(Some(Record::Event { line })) => {
                let event: serde_json::Value = serde_json::from_slice(&event).unwrap();
                format!("{line}: {} {}", event["event_id"].as_str().unwrap(), event["payload"])
            }
            Ok(Some(Record::Invalid { line, rows, reason })) => format!("{line}: {rows} lost: {reason}"),
            Ok(None) => return found,
            Err(error) => {
                found.push(error.to_string());
                return found;
            }
        });
    }
}

const COLUMNS: &str = "topic TEXT, event_id TEXT, timestamp TEXT, source TEXT, payload TEXT";
const ROWS: &str = "INSERT INTO events (topic, event_id, timestamp, source, payload) VALUES \
                    ('t', 'b', 'z', 's', '{}'), ('t', 'a', 'z', 's', '{}')";

fn both(script: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    read(&database(dir.path(), script), None)
}

#[test]
fn a_column_may_have_any_name_of_the_row_number() {
    for hidden in ["rowid TEXT", "ROWID TEXT, oid", "rowid, _rowid_ BLOB", "_rowid_, oid"] {
        let found = both(&format!("CREATE TABLE events({COLUMNS}, {hidden}); {ROWS}"));
        assert_eq!(found, ["1: b {}", "2: a {}"], "{hidden}");
    }
    // With all of them hidden, and with the row number as a column of another name.
    assert_eq!(both(&format!("CREATE TABLE events({COLUMNS}, rowid, _rowid_, oid); {ROWS}")), ["1: b {}", "2: a {}"]);
    let found = both(&format!("CREATE TABLE events(n INTEGER PRIMARY KEY, {COLUMNS}, rowid, _rowid_, oid); {ROWS}"));
    assert_eq!(found, ["1: b {}", "2: a {}"]);
    assert_eq!(
        both(&format!("CREATE TABLE events(rowid INTEGER PRIMARY KEY, {COLUMNS}); {ROWS}")),
        ["1: b {}", "2: a {}"]
    );
}

#[test]
fn tables_without_row_numbers_are_read_in_the_order_of_their_key() {
    for key in ["topic, event_id", "event_id DESC", "\"topic\", event_id COLLATE NOCASE"] {
        let found = both(&format!("CREATE TABLE events({COLUMNS}, PRIMARY KEY({key})) WITHOUT ROWID; {ROWS}"));
        assert_eq!(found, ["1: a {}", "2: b {}"], "{key}");
    }
}

#[test]
fn a_table_of_many_rows_without_row_numbers_is_read_once() {
    for end in ["", "WITHOUT ROWID"] {
        let rows = "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 3500) \
                    INSERT INTO events SELECT i % 7, CAST(x'ff' AS TEXT) || i, 'z', 's', '{}' FROM n";
        let script = format!("CREATE TABLE events({COLUMNS}, PRIMARY KEY(topic, event_id)) {end}; {rows}");
        let dir = tempfile::tempdir().unwrap();
        let found = read(&database(dir.path(), &script), None);
        assert_eq!(found.len(), 3_500);
        assert!(found.iter().all(|row| row.ends_with("event_id is not UTF-8")), "{:?}", found[0]);
    }
}

#[test]
fn views_virtual_tables_and_generated_columns_are_read() {
    let found = both(&format!(
        "CREATE TABLE log({COLUMNS}, level); CREATE VIEW events AS SELECT * FROM log WHERE level > 1; \
         INSERT INTO log VALUES ('t', 'x', 'z', 's', '{{}}', 1), ('t', 'y', 'z', 's', '{{}}', 2)"
    ));
    assert_eq!(found, ["1: y {}"]);
    let generated = "CREATE TABLE events(topic, n INTEGER, timestamp, source, event_id AS ('id-' || n) STORED, \
                     payload TEXT GENERATED ALWAYS AS (json_object('n', n)) VIRTUAL); \
                     INSERT INTO events (topic, n, timestamp, source) VALUES ('t', 7, 'z', 's')";
    assert_eq!(both(generated), ["1: id-7 {\"n\":7}"]);
}

#[test]
fn the_table_is_the_one_that_has_the_columns_of_an_event() {
    let dir = tempfile::tempdir().unwrap();
    let rows = |table: &str| {
        format!("CREATE TABLE {table}({COLUMNS}); INSERT INTO {table} VALUES ('t', '{table}', 'z', 's', '{{}}');")
    };
    let path = database(dir.path(), &format!("CREATE TABLE users(id, name); {}", rows("processed_events")));
    assert_eq!(read(&path, None), ["1: processed_events {}"]);
    let path = database(dir.path(), &format!("CREATE TABLE events(id); {}", rows("log")));
    assert_eq!(read(&path, None), ["1: log {}"]);
    let path = database(dir.path(), &format!("{} CREATE VIEW newest AS SELECT * FROM log", rows("log")));
    assert_eq!(read(&path, None), ["1: log {}"]);
    assert_eq!(read(&path, Some("NEWEST")), ["1: log {}"]);
    let path = database(dir.path(), &[rows("one"), rows("two")].concat());
    assert_eq!(read(&path, Some("two")), ["1: two {}"]);
    expect_test::expect![[r#"
        cannot read events from FILE: several tables have the columns of events: choose one with --table: two, one
        cannot read events from FILE: there is no table three; there are: two, one"#]]
    .assert_eq(&[read(&path, None), read(&path, Some("three"))].concat().join("\n"));
    let path = database(dir.path(), "CREATE TABLE users(id, name); CREATE TABLE events(topic, event_id, id)");
    expect_test::expect![[r#"
        cannot read events from FILE: table events has no column timestamp, source, payload; it has topic, event_id, id, and events need topic, event_id, timestamp, source, payload
        cannot read events from FILE: table users has no column topic, event_id, timestamp, source, payload; it has id, name, and events need topic, event_id, timestamp, source, payload"#]]
    .assert_eq(&[read(&path, None), read(&path, Some("users"))].concat().join("\n"));
    let path = database(dir.path(), "CREATE TABLE users(id, name)");
    expect_test::expect!["cannot read events from FILE: no table has the columns topic, event_id, timestamp, source, payload; there are: users"]
        .assert_eq(&read(&path, None).join("\n"));
    std::fs::write(&path, "").unwrap();
    expect_test::expect!["cannot read events from FILE: no table has the columns topic, event_id, timestamp, source, payload; there is no table in it"]
        .assert_eq(&read(&path, None).join("\n"));
    std::fs::write(&path, "no database at all, but a long enough text").unwrap();
    expect_test::expect!["cannot read events from FILE: it is no SQLite database, or it is encrypted"]
        .assert_eq(&read(&path, None).join("\n"));
}

#[test]
fn payloads_are_json_as_text_as_bytes_and_in_binary_form() {
    let found = both(&format!(
        "CREATE TABLE events({COLUMNS}); INSERT INTO events VALUES \
         ('t', 'text', 'z', 's', '{{\"a\":1.0}}'), ('t', 'bytes', 'z', 's', CAST('{{\"a\":1}}' AS BLOB)), \
         ('t', 'jsonb', 'z', 's', jsonb('{{\"a\":[1,2]}}')), ('t', 'repr', 'z', 's', CAST('{{''a'': None}}' AS BLOB)), \
         ('t', 'bad', 'z', 's', x'ff00'), ('t', 'null', 'z', 's', NULL), ('t', x'00', 'z', 's', '{{}}')"
    ));
    expect_test::expect![[r#"
        1: text {"a":1.0}
        2: bytes {"a":1}
        3: jsonb {"a":[1,2]}
        4: repr {"a":null}
        5: 1 lost: payload is a BLOB that is not JSON text
        6: 1 lost: payload is NULL
        7: 1 lost: event_id is a BLOB, not text"#]]
    .assert_eq(&found.join("\n"));
}

#[test]
fn rows_are_named_by_their_row_number_even_a_negative_one() {
    let found = both(&format!(
        "CREATE TABLE events({COLUMNS}); INSERT INTO events (rowid, topic, event_id, timestamp, source, payload) VALUES \
         (-9223372036854775808, 't', 'a', 'z', 's', 'x'), (-5, 't', 'b', 'z', 's', 'x'), (0, 't', 'c', 'z', 's', '{{}}'), \
         (9223372036854775807, 't', 'd', 'z', 's', '{{}}')"
    ));
    let places: Vec<_> = found.iter().map(|row| row.split_once(':').unwrap().0).collect();
    assert_eq!(places, ["-9223372036854775808", "-5", "0", "9223372036854775807"]);
}

/// A database of 6,000 rows, and the ids that are in each of its pages of rows.
fn large(dir: &Path, end: &str) -> std::path::PathBuf {
    let rows = "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 6000) \
                INSERT INTO events SELECT 't', printf('id-%06d', i), 'z', 's', json_object('text', printf('%0100d', i)) FROM n";
    database(dir, &format!("PRAGMA page_size = 4096; CREATE TABLE events({COLUMNS}{end}; {rows}"))
}

/// Overwrites the pages that hold these ids.
fn damage(path: &Path, ids: &[u32]) -> usize {
    let mut bytes = std::fs::read(path).unwrap();
    let mut damaged = 0;
    for id in ids {
        // The text of the row, which is in no index.
        let text = format!("{id:0100}");
        let at = bytes.windows(text.len()).position(|window| window == text.as_bytes());
        if let Some(at) = at {
            let page = at / 4096 * 4096;
            bytes[page..page + 4096].fill(0xa5);
            damaged += 1;
        }
    }
    std::fs::write(path, bytes).unwrap();
    damaged
}

/// The ids that were read, and the number of rows that are said to be lost.
fn ids_and_lost(found: &[String]) -> (Vec<u32>, u64, Vec<String>) {
    let (mut ids, mut lost, mut gaps) = (Vec::new(), 0, Vec::new());
    for row in found {
        let rest = row.split_once(": ").unwrap().1;
        match rest.strip_prefix("id-") {
            Some(id) => ids.push(id.split_once(' ').unwrap().0.parse().unwrap()),
            None => {
                lost += rest.split_once(' ').unwrap().0.parse::<u64>().unwrap();
                gaps.push(row.clone());
            }
        }
    }
    (ids, lost, gaps)
}

#[test]
fn rows_before_between_and_behind_damaged_pages_are_read_and_gaps_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for end in [")", ", PRIMARY KEY(topic, event_id))"] {
        for (ids, gaps_expected) in [(&[3_000][..], 1), (&[1, 6_000], 2), (&[2_000, 2_100, 5_000], 3)] {
            let path = large(dir.path(), end);
            assert_eq!(damage(&path, ids), ids.len());
            let (found, lost, gaps) = ids_and_lost(&read(&path, None));
            assert!(found.is_sorted() && !ids.iter().any(|id| found.contains(id)), "{ids:?}");
            assert!(found.len() >= 6_000 - 50 * ids.len(), "{ids:?}: {}", found.len());
            assert_eq!(gaps.len(), gaps_expected, "{gaps:?}");
            // Behind the last row nobody knows how many there were, unless an index does.
            if !ids.contains(&6_000) || end.contains("KEY") {
                assert_eq!(found.len() as u64 + lost, 6_000, "{gaps:?}");
            }
            assert!(
                gaps.iter().all(|gap| gap.contains("cannot be read: database disk image is malformed")),
                "{gaps:?}"
            );
        }
    }
}

#[test]
fn a_damaged_table_without_row_numbers_is_read_from_both_ends() {
    let dir = tempfile::tempdir().unwrap();
    let path = large(dir.path(), ", PRIMARY KEY(topic, event_id)) WITHOUT ROWID");
    assert_eq!(damage(&path, &[3_000]), 1);
    let (mut found, lost, gaps) = ids_and_lost(
        &read(&path, None)
            .into_iter()
            .map(|row| row.replace("an unknown number of rows", "1 rows"))
            .collect::<Vec<_>>(),
    );
    found.sort_unstable();
    found.dedup();
    assert!(found.len() > 5_900 && found.len() < 6_000 && lost >= 1, "{}", found.len());
    assert!(found.contains(&1) && found.contains(&6_000) && !found.contains(&3_000));
    assert_eq!(gaps.len(), 1, "{gaps:?}");
}

#[test]
fn of_a_damaged_view_the_rest_is_said_to_be_lost() {
    let dir = tempfile::tempdir().unwrap();
    let path = large(dir.path(), ")");
    Connection::open(&path).unwrap().execute_batch("CREATE VIEW v AS SELECT * FROM events").unwrap();
    assert_eq!(damage(&path, &[3_000]), 1);
    let found = read(&path, Some("v"));
    assert!(found.len() > 2_900 && found.len() < 3_001, "{}", found.len());
    assert!(found.last().unwrap().contains("an unknown number of rows cannot be read"), "{:?}", found.last());
}

#[test]
fn a_database_that_another_program_has_locked_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = database(dir.path(), &format!("CREATE TABLE events({COLUMNS}); {ROWS}"));
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    expect_test::expect!["cannot read events from FILE: another program has it locked: stop that, or import a copy"]
        .assert_eq(&read(&path, None).join("\n"));
}

#[test]
fn a_database_whose_last_transaction_was_cut_off_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let path = database(dir.path(), &format!("CREATE TABLE events({COLUMNS}); {ROWS}"));
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN; DELETE FROM events").unwrap();
    let fill = "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
                INSERT INTO events SELECT 't', i, 'z', 's', '{}' FROM n";
    writer.execute_batch(fill).unwrap();
    // What a crash leaves: the file and its journal, without the locks.
    let copy = dir.path().join("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    std::fs::copy(dir.path().join("x.db-journal"), dir.path().join("copy.db-journal")).unwrap();
    let found = read(&copy, None).join("\n");
    assert!(found.contains("a transaction was cut off") && found.contains("FILE-journal"), "{found}");
}
