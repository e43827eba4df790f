//! Random statements, compared with SQLite over a plain table of the same rows.

use std::cmp::Ordering;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use sekali_store::partition_of;
use sekali_wire::timestamp::parse_timestamp;
use serde_json::{Value, json};

use super::{ask, small_files};
use crate::server::TestServer;

const EVENTS: usize = 150;
const STATEMENTS: u32 = 500;
const COLUMNS: &str =
    "topic, event_id, timestamp, source, payload, seq, received_at, partition, timestamp_ns, received_at_ns";

/// Events of a few topics, sources and values; some of them share their times.
fn publish(server: &TestServer) {
    for at in 0..EVENTS {
        let payload = match at % 7 {
            0 => json!({}),
            1 => json!({"n": at, "deep": {"a": [1, 2, at % 3]}}),
            2 => json!({"n": at as f64 / 4.0, "text": "A b"}),
            3 => json!({"n": null, "text": "ä'\"\\"}),
            4 => json!({"n": at.to_string()}),
            5 => json!({"n": true, "deep": {"a": []}}),
            _ => json!({"n": [at]}),
        };
        let event = json!({
            "topic": (["a", "b", "B", "5", "web.access", "ü"])[at * at % 6],
            "event_id": format!("{}", at % 40),
            "timestamp": format!("2025-10-24T21:{:02}:{:02}.{:03}Z", at % 60, at % 7, (at % 3) * 250),
            "source": (["s1", "S1", "", "5", "=x"])[at % 5],
            "payload": payload,
        });
        // Those with a key that is known do not matter here.
        server.publish(&event).expect_status(202);
    }
}

/// The same rows in a plain table.
fn plain_table(server: &TestServer) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.create_collation("moment", moments).unwrap();
    let declaration = "CREATE TABLE events (topic TEXT, event_id TEXT, timestamp TEXT COLLATE moment, source TEXT, \
                       payload TEXT, seq INTEGER, received_at TEXT COLLATE moment, partition INTEGER, \
                       timestamp_ns INTEGER, received_at_ns INTEGER)";
    connection.execute(declaration, []).unwrap();
    let mut insert = connection.prepare("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)").unwrap();
    let answer = server.request("GET", "/events").header("accept", "application/x-ndjson").send();
    for line in answer.body.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let raw: std::collections::BTreeMap<&str, &serde_json::value::RawValue> = serde_json::from_str(line).unwrap();
        let text = |name: &str| event[name].as_str().unwrap();
        let (timestamp, received) = (text("timestamp"), text("received_at"));
        let ns = |time| parse_timestamp(time).unwrap();
        let partition = partition_of(text("topic"), 3);
        insert
            .execute(rusqlite::params![
                text("topic"),
                text("event_id"),
                long(timestamp),
                text("source"),
                raw["payload"].get(),
                event["seq"].as_i64().unwrap(),
                long(received),
                partition,
                ns(timestamp),
                ns(received),
            ])
            .unwrap();
    }
    drop(insert);
    connection
}

/// A time with nine digits behind the second.
fn long(time: &str) -> String {
    let (second, fraction) = time.strip_suffix('Z').unwrap().split_once('.').unwrap_or((&time[..time.len() - 1], ""));
    format!("{second}.{fraction:0<9}Z")
}

fn moments(a: &str, b: &str) -> Ordering {
    match (parse_timestamp(a), parse_timestamp(b)) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

/// A condition on the columns of `events`, which has the alias `e`.
fn conditions() -> impl Strategy<Value = String> {
    let values = select(vec![
        "'a'",
        "'b'",
        "'B'",
        "'5'",
        "5",
        "5.0",
        "'s1'",
        "''",
        "'12'",
        "12",
        "NULL",
        "3.5",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "1e30",
        "x'61'",
        "'2025-10-24T21:10:00Z'",
        "'2025-10-24 21:30'",
        "'2025-10-24'",
        "'2025-10-25T04:20:03.25+07:00'",
        "'2025-10-24T21:12:05.000000000Z'",
        "'20251024'",
        "20251024",
        "'later'",
        "1761340000000000000",
        "1761342000000000000",
        "(SELECT min(seq) + 3 FROM events)",
        "e.source",
        "e.event_id",
        "(SELECT timestamp FROM events ORDER BY timestamp, seq LIMIT 1 OFFSET 30)",
    ]);
    let columns = select(vec![
        "e.topic",
        "e.event_id",
        "e.timestamp",
        "e.source",
        "e.seq",
        "e.received_at",
        "e.partition",
        "e.timestamp_ns",
        "e.received_at_ns",
        "e.payload ->> 'n'",
        "e.payload -> 'deep'",
        "length(e.payload)",
    ]);
    let operators = select(vec!["=", "=", "=", "<", "<=", ">", ">=", "<>", "IS", "IS NOT", "LIKE"]);
    let collations = select(vec!["", "", "", " COLLATE NOCASE", " COLLATE BINARY"]);
    let single = (columns.clone(), operators, values.clone(), collations)
        .prop_map(|(column, operator, value, collation)| format!("{column}{collation} {operator} {value}"));
    let list = (columns.clone(), any::<bool>(), prop::collection::vec(values.clone(), 0..4)).prop_map(
        |(column, not, values)| format!("{column} {}IN ({})", if not { "NOT " } else { "" }, values.join(", ")),
    );
    let between = (columns, values.clone(), values).prop_map(|(column, a, b)| format!("{column} BETWEEN {a} AND {b}"));
    let leaf = prop_oneof![4 => single, 2 => list, 1 => between];
    leaf.prop_recursive(2, 6, 3, |inner| {
        let several = (prop::collection::vec(inner.clone(), 2..4), any::<bool>())
            .prop_map(|(parts, all)| format!("({})", parts.join(if all { " AND " } else { " OR " })));
        prop_oneof![3 => several, 1 => inner.prop_map(|inner| format!("NOT ({inner})"))]
    })
}

/// A whole statement, the order of whose rows is fixed.
fn statements() -> impl Strategy<Value = String> {
    let shapes = select(vec![
        "SELECT {columns} FROM events e WHERE {where} ORDER BY partition, seq",
        "SELECT {columns} FROM events e WHERE {where} ORDER BY partition DESC, seq DESC LIMIT 7 OFFSET 2",
        "SELECT seq, partition FROM events e WHERE {where} ORDER BY partition, seq LIMIT 5",
        "SELECT event_id, topic FROM events e WHERE {where} ORDER BY timestamp DESC, topic, event_id LIMIT 9",
        "SELECT topic, count(*), min(timestamp), max(timestamp), sum(seq), max(payload ->> 'n') FROM events e \
         WHERE {where} GROUP BY topic HAVING count(*) > 1 ORDER BY topic",
        "SELECT source, payload ->> 'n' IS NULL AS has, count(DISTINCT topic) FROM events e WHERE {where} GROUP BY 1, 2 \
         ORDER BY 1, 2",
        "SELECT DISTINCT timestamp, source FROM events e WHERE {where} ORDER BY timestamp, source",
        "SELECT count(*), count(payload ->> 'n'), avg(seq), total(timestamp_ns) FROM events e WHERE {where}",
        "SELECT e.event_id, e.topic, b.topic, b.seq FROM events e JOIN events b ON e.topic = b.topic \
         AND e.event_id = b.event_id WHERE {where} ORDER BY e.partition, e.seq",
        "SELECT e.seq, b.seq, e.partition FROM events e LEFT JOIN events b ON b.partition = e.partition \
         AND b.seq = e.seq + 1 WHERE {where} ORDER BY e.partition, e.seq",
        "SELECT event_id, topic, (SELECT count(*) FROM events b WHERE b.topic = e.topic AND b.timestamp < e.timestamp) \
         FROM events e WHERE {where} ORDER BY partition, seq",
        "SELECT topic, event_id, row_number() OVER (PARTITION BY topic ORDER BY timestamp, event_id) FROM events e \
         WHERE {where} ORDER BY partition, seq",
        "SELECT event_id FROM events e WHERE {where} UNION SELECT event_id FROM events WHERE topic = 'a' ORDER BY 1",
        "SELECT event_id, topic FROM events EXCEPT SELECT event_id, topic FROM events e WHERE {where} ORDER BY 1, 2",
        "SELECT e.topic, e.event_id, j.key, j.value FROM events e, json_each(e.payload) j WHERE {where} \
         ORDER BY partition, seq, j.key",
        "WITH s AS MATERIALIZED (SELECT source, count(*) AS n FROM events GROUP BY source) SELECT e.event_id, s.n \
         FROM events e JOIN s USING (source) WHERE {where} ORDER BY partition, seq",
        "SELECT topic, event_id FROM events e WHERE EXISTS (SELECT 1 FROM events x WHERE x.source = e.source \
         AND x.seq > e.seq AND x.topic IN ('a', e.topic)) AND {where} ORDER BY partition, seq",
    ]);
    (shapes, conditions())
        .prop_map(|(shape, condition)| shape.replace("{columns}", COLUMNS).replace("{where}", &condition))
}

fn json_of(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => json!(number),
        ValueRef::Real(number) => serde_json::from_str(&format!("{number:?}")).unwrap(),
        ValueRef::Text(text) => json!(std::str::from_utf8(text).unwrap()),
        ValueRef::Blob(_) => panic!("no statement here has blobs"),
    }
}

fn expected(plain: &Connection, statement: &str) -> Value {
    let mut statement = plain.prepare(statement).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|at| Ok(json_of(row.get_ref(at)?))).collect());
    Value::Array(rows.unwrap().map(|row: rusqlite::Result<Vec<Value>>| json!(row.unwrap())).collect())
}

#[test]
fn statements_find_what_plain_sqlite_finds() {
    let server = small_files();
    publish(&server);
    let plain = plain_table(&server);
    let storage = server.get("/stats").json()["storage"].clone();
    let segments: u64 = storage.as_array().unwrap().iter().filter_map(|files| files["segments"].as_u64()).sum();
    assert!(segments > 3, "few are sealed: {segments}");
    let mut runner = TestRunner::new(Config { cases: STATEMENTS, failure_persistence: None, ..Config::default() });
    let with_rows = std::cell::Cell::new(0);
    let check = |statement: String| {
        let expected = expected(&plain, &statement);
        let answer = ask(&server, &statement);
        prop_assert_eq!(answer.status, 200, "{}: {}", statement, answer.body);
        let answer = answer.json();
        prop_assert_eq!(&answer["rows"], &expected, "{}", statement);
        if expected != json!([]) {
            with_rows.set(with_rows.get() + 1);
        }
        Ok(())
    };
    runner.run(&statements(), check).unwrap();
    assert!(with_rows.get() > STATEMENTS / 4, "only {} statements had rows", with_rows.get());
}
