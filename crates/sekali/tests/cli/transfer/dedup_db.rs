//! The database of the Python service that Sekali replaces.

use rusqlite::{Connection, params};

use super::{account, import, stored};
use crate::process::run;
use crate::served::Served;

const SCHEMA: &str = "CREATE TABLE events (topic TEXT, event_id TEXT, timestamp TEXT, source TEXT, payload TEXT, \
                      PRIMARY KEY (topic, event_id))";

fn database(dir: &std::path::Path, rows: &[[Option<&str>; 5]]) -> std::path::PathBuf {
    let path = dir.join("dedup.db");
    let database = Connection::open(&path).unwrap();
    database.execute_batch(SCHEMA).unwrap();
    for [topic, id, timestamp, source, payload] in rows {
        database
            .execute("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5)", params![topic, id, timestamp, source, payload])
            .unwrap();
    }
    database.close().unwrap();
    path
}

#[test]
fn its_rows_are_imported_and_what_cannot_be_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let row = |id, payload| [Some("t"), Some(id), Some("2025-10-24T21:00:00"), Some("seed"), payload];
    let path = database(
        dir.path(),
        &[
            row("json", Some(r#"{"level": "INFO",  "n": 1.50}"#)),
            row("repr", Some(r#"{'it': 'it\'s', "e": "x'y", 'none': None, 'yes': True, 'n': [1, 2.5, (1, 2)]}"#)),
            row("nan", Some("{'x': nan}")),
            row("unicode", Some(r"{'s': '\x00\u3042\U0001f600é', 'big': 123456789012345678901234567890}")),
            row("bytes", Some("{'x': b'raw'}")),
            row("null", None),
            row("list", Some("[1, 2]")),
            [Some("t"), Some("space"), Some("2025-10-24 21:00:00.5+07:00"), Some(""), Some("{}")],
            [Some("t"), Some("when"), Some("yesterday"), Some("seed"), Some("{}")],
        ],
    );
    let served = Served::start(&dir.path().join("data"));
    let imported = import(&served.url, &path);
    assert_eq!((imported.code, account(&imported)), (Some(4), [4, 0, 0, 5]), "{imported:?}");
    let mut named: Vec<_> = imported
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("skipped "))
        .map(|line| line.rsplit_once("dedup.db:").unwrap().1)
        .collect();
    named.sort_unstable();
    expect_test::expect![[r#"
        3: payload is not JSON: key must be a string at column 2; nor can it be converted from Python: nan is nothing that JSON has (at character 7)
        5: payload is not JSON: key must be a string at column 2; nor can it be converted from Python: bytes, which JSON does not have (at character 7)
        6: payload is NULL
        7: payload: must be an object, not an array
        9: timestamp: must be a timestamp such as 2025-10-24T21:00:00Z, with at most 9 fraction digits"#]].assert_eq(&named.join("\n"));
    assert!(imported.stderr.ends_with("the rest is stored\n"), "{imported:?}");
    let stored: Vec<String> = stored(&served.url).into_iter().map(|((_, id), rest)| format!("{id}: {rest}")).collect();
    expect_test::expect![[r#"
        json: 2025-10-24T21:00:00Z "seed" {"level": "INFO",  "n": 1.50}
        repr: 2025-10-24T21:00:00Z "seed" {"it":"it's","e":"x'y","none":null,"yes":true,"n":[1,2.5,[1,2]]}
        space: 2025-10-24T14:00:00.5Z "" {}
        unicode: 2025-10-24T21:00:00Z "seed" {"s":"\u0000あ😀é","big":123456789012345678901234567890}"#]]
    .assert_eq(&stored.join("\n"));
    assert_eq!(account(&import(&served.url, &path)), [0, 4, 0, 5]);
}

#[test]
fn a_large_one_is_read_to_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = database(dir.path(), &[]);
    let mut database = Connection::open(&path).unwrap();
    let transaction = database.transaction().unwrap();
    for number in 0..5_000 {
        let payload = format!("{{'message': 'event {number}', 'ok': True}}");
        transaction
            .execute("INSERT INTO events VALUES ('t', ?1, '2025-10-24T21:00:00', 's', ?2)", params![number, payload])
            .unwrap();
    }
    // Rowids need neither begin at 1 nor be without gaps.
    transaction.execute_batch("DELETE FROM events WHERE rowid % 7 = 1").unwrap();
    transaction.commit().unwrap();
    database.close().unwrap();
    let served = Served::start(&dir.path().join("data"));
    let imported = import(&served.url, &path);
    assert_eq!((imported.code, account(&imported)), (Some(0), [4_285, 0, 0, 0]), "{imported:?}");
    assert_eq!(stored(&served.url).len(), 4_285);
}

#[test]
fn a_database_of_something_else_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&dir.path().join("data"));
    let path = dir.path().join("other.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE events (topic TEXT, id TEXT)").unwrap();
    std::fs::write(dir.path().join("text.db"), "SQLite it is not").unwrap();
    for (name, reason) in [
        ("other.db", "table events has no column event_id, timestamp, source, payload; it has topic, id"),
        ("text.db", "it is no SQLite database, or it is encrypted"),
    ] {
        let path = dir.path().join(name);
        let result = run(&["import", "--url", &served.url, path.to_str().unwrap()]);
        assert_eq!((result.code, result.stdout.as_str()), (Some(4), ""), "{result:?}");
        assert!(result.stderr.contains(reason), "{result:?}");
    }
}

#[test]
fn the_table_may_have_another_name() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&dir.path().join("data"));
    let path = database(dir.path(), &[[Some("t"), Some("1"), Some("2025-10-24"), Some("s"), Some("{}")]]);
    let rename = |to: &str| Connection::open(&path).unwrap().execute_batch(to).unwrap();
    rename("ALTER TABLE events RENAME TO processed_events");
    assert_eq!(account(&import(&served.url, &path)), [1, 0, 0, 0]);
    rename("CREATE TABLE log AS SELECT * FROM processed_events");
    let path = path.to_str().unwrap();
    let several = run(&["import", "--url", &served.url, path]);
    assert_eq!(several.code, Some(4), "{several:?}");
    assert!(several.stderr.contains("choose one with --table: log, processed_events"), "{several:?}");
    let chosen = run(&["import", "--url", &served.url, "--json", "--table", "log", path]);
    assert_eq!((chosen.code, account(&chosen)), (Some(0), [0, 1, 0, 0]), "{chosen:?}");
}
