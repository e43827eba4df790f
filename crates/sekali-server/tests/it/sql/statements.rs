//! Answers, errors and limits of single statements.

use sekali_server::access::Scope;
use serde_json::{Value, json};

use super::{ask, ask_at, rows, small_files};
use crate::access::visitor::{make, start};
use crate::server::{TestServer, event};

/// 60 events of two topics.
fn filled() -> TestServer {
    let server = small_files();
    for at in 0..60 {
        let event = json!({
            "topic": if at % 3 == 0 { "db" } else { "web" },
            "event_id": at.to_string(),
            "timestamp": format!("2025-10-24T21:{at:02}:00Z"),
            "source": format!("host-{}", at % 2),
            "payload": {"status": if at % 10 == 0 { 500 } else { 200 }, "ms": at, "path": format!("/p/{at}")},
        });
        server.publish(&event).expect_status(202);
    }
    server
}

#[test]
fn events_are_grouped_by_what_is_in_their_payloads() {
    let server = filled();
    let answer = ask(
        &server,
        "SELECT source, count(*) AS n, max(payload ->> 'ms') AS slowest FROM events\n\
         WHERE topic = 'web' AND payload ->> '$.status' = 200 GROUP BY source ORDER BY n DESC, source",
    );
    let mut answer = answer.expect_status(200).json();
    let read = answer.as_object_mut().unwrap().remove("read").unwrap();
    assert_eq!(
        answer,
        json!({"columns": ["source", "n", "slowest"], "rows": [["host-1", 20, 59], ["host-0", 16, 58]], "complete": true})
    );
    assert!(read["events"].as_u64() >= Some(40) && read["seconds"].as_f64() > Some(0.0), "{read}");
}

#[test]
fn every_column_and_table_is_there() {
    let server = filled();
    let first = rows(&server, "SELECT * FROM events WHERE topic = 'db' AND event_id = '0'");
    let received = first[0][6].as_str().unwrap();
    assert!(received.len() == 30 && received.ends_with('Z'), "{received}");
    let payload = "{\"status\":500,\"ms\":0,\"path\":\"/p/0\"}";
    let sorted: Value = serde_json::from_str(first[0][4].as_str().unwrap()).unwrap();
    assert_eq!(sorted, serde_json::from_str::<Value>(payload).unwrap());
    assert_eq!(first[0][2], "2025-10-24T21:00:00.000000000Z");
    let hidden = "SELECT timestamp_ns, received_at_ns >= timestamp_ns, seq, typeof(partition) FROM events \
                  WHERE topic = 'db' AND event_id = '0'";
    assert_eq!(rows(&server, hidden), json!([[1_761_339_600_000_000_000_i64, 1, 1, "integer"]]));
    let topics = "SELECT topic, events, bytes > 0, first_timestamp, last_timestamp FROM topics ORDER BY topic";
    let [first, last] = ["2025-10-24T21:01:00.000000000Z", "2025-10-24T21:59:00.000000000Z"];
    assert_eq!(rows(&server, topics)[1], json!(["web", 40, 1, first, last]));
    server.publish(&event("db", "0")).expect_status(202);
    let conflicts = "SELECT payload ->> 'topic', payload ->> 'event_id' FROM conflicts";
    assert_eq!(rows(&server, conflicts), json!([["db", "0"]]));
    assert_eq!(
        rows(&server, "SELECT count(*) FROM events WHERE topic LIKE '$%' OR topic = '$conflicts'"),
        json!([[0]])
    );
}

#[test]
fn times_compare_as_moments() {
    let server = filled();
    let count =
        |condition: &str| rows(&server, &format!("SELECT count(*) FROM events WHERE {condition}"))[0][0].clone();
    assert_eq!(count("timestamp >= '2025-10-24T21:30:00Z'"), 30);
    assert_eq!(count("timestamp >= '2025-10-24 21:30'"), 30);
    assert_eq!(count("timestamp < '2025-10-25T04:30:00+07:00'"), 30);
    assert_eq!(count("timestamp = '2025-10-24T21:30Z'"), 1);
    assert_eq!(count("timestamp BETWEEN '2025-10-24' AND '2025-10-25'"), 60);
    assert_eq!(count("date(timestamp) = '2025-10-24' AND strftime('%M', timestamp) = '07'"), 1);
    assert_eq!(count("received_at > datetime('now', '-1 hour')"), 60);
}

#[test]
fn an_answer_can_be_lines_or_csv() {
    let server = filled();
    let statement = "SELECT 1 AS a, 'x,\"y' AS b, NULL AS c, -1.5 AS d, '=1+1' AS e, x'00ff' AS f, 2 AS a";
    let lines = "{\"a\":1,\"b\":\"x,\\\"y\",\"c\":null,\"d\":-1.5,\"e\":\"=1+1\",\"f\":\"00ff\",\"a:2\":2}\n";
    let csv = "a,b,c,d,e,f,a\r\n1,\"x,\"\"y\",,-1.5,'=1+1,00ff,2\r\n";
    for (format, accept, text) in [("ndjson", "application/x-ndjson", lines), ("csv", "text/csv", csv)] {
        let named = ask_at(&server, &format!("/sql?format={format}"), statement).expect_status(200);
        assert_eq!(named.body, text);
        assert!(named.header("content-type").unwrap().starts_with(accept));
        assert_eq!(named.header("x-read-events"), Some("0"));
        let request = server.request("POST", "/sql").header("content-type", "application/sql").header("accept", accept);
        assert_eq!(request.body(statement).send().expect_status(200).body, text);
    }
    ask_at(&server, "/sql?format=xml", statement).expect_error(400, "invalid_parameter");
}

#[test]
fn parameters_stand_for_values() {
    let server = filled();
    let send = |body: Value| {
        server.request("POST", "/sql").header("content-type", "application/json").body(body.to_string()).send()
    };
    let sql = "SELECT event_id FROM events WHERE topic = ? AND payload ->> 'ms' < ? AND source IN (?, ?) ORDER BY seq";
    let answer = send(json!({"sql": sql, "parameters": ["web", 5, "host-1", null]})).expect_status(200);
    assert_eq!(answer.json()["rows"], json!([["1"], ["5"]][..1]));
    let all = send(
        json!({"sql": "SELECT ?, ?, ?, ?, ?", "parameters": [true, 1.5, null, "'; --", 9_007_199_254_740_993_i64]}),
    );
    assert_eq!(all.expect_status(200).json()["rows"], json!([[1, 1.5, null, "'; --", 9_007_199_254_740_993_i64]]));
    send(json!({"sql": sql, "parameters": []})).expect_error(400, "invalid_sql");
    send(json!({"sql": "SELECT ?", "parameters": [[1]]})).expect_error(400, "invalid_sql");
    send(json!({"sql": "SELECT 1", "limit": 1})).expect_error(400, "invalid_json");
    send(json!(["SELECT 1"])).expect_error(400, "invalid_json");
    let plain = server.request("POST", "/sql").header("content-type", "text/plain").body("SELECT 1").send();
    plain.expect_error(415, "unsupported_media_type");
}

#[test]
fn a_statement_may_name_its_own_tables() {
    let server = filled();
    let counted = "WITH n AS (SELECT 1 UNION ALL SELECT 2) SELECT (SELECT count(*) FROM n), count(*) FROM n a, n b";
    assert_eq!(rows(&server, counted), json!([[2, 4]]));
    assert_eq!(rows(&server, "SELECT count(*) FROM (VALUES (1), (2))"), json!([[2]]));
    assert_eq!(rows(&server, "VALUES (1, 'a'), (2, NULL)"), json!([[1, "a"], [2, null]]));
}

#[test]
fn errors_name_their_place() {
    let server = filled();
    let place = |statement: &str| {
        let answer = ask(&server, statement).expect_error(400, "invalid_sql").json();
        (answer["errors"][0]["line"].as_u64(), answer["errors"][0]["column"].as_u64())
    };
    assert_eq!(place("SELECT topic,\n       evnt_id FROM events"), (Some(2), Some(8)));
    assert_eq!(place("SELEKT 1"), (Some(1), Some(1)));
    assert_eq!(place("SELECT 'ä' + FROM events"), (Some(1), Some(14)));
    assert_eq!(place(""), (None, None));
    assert_eq!(place("-- nothing"), (None, None));
    assert_eq!(place("SELECT 1; SELECT 2"), (None, None));
    assert_eq!(place("SELECT \"nothing\""), (Some(1), Some(8)));
    assert_eq!(place("SELECT 1 \0"), (None, None));
    rows(&server, "SELECT 1; -- the end\n");
}

#[test]
fn a_statement_that_does_more_than_read_is_refused() {
    let server = filled();
    for statement in [
        "INSERT INTO events (topic) VALUES ('x')",
        "UPDATE events SET topic = 'x'",
        "DELETE FROM events",
        "CREATE TABLE t (x)",
        "CREATE TEMP TABLE t AS SELECT * FROM events",
        "CREATE VIEW v AS SELECT 1",
        "CREATE VIRTUAL TABLE t USING fts5(x)",
        "DROP TABLE events",
        "ATTACH 'sekali-attached.db' AS a",
        "ATTACH ':memory:' AS a",
        "DETACH main",
        "PRAGMA table_info(events)",
        "PRAGMA writable_schema = 1",
        "PRAGMA hard_heap_limit = 0",
        "PRAGMA temp_store_directory = '/'",
        "SELECT * FROM pragma_table_info('events')",
        "SELECT * FROM pragma_database_list",
        "BEGIN",
        "COMMIT",
        "SAVEPOINT a",
        "VACUUM",
        "VACUUM INTO 'sekali-vacuumed.db'",
        "REINDEX",
        "ANALYZE",
        "SELECT load_extension('x')",
        "SELECT readfile('/etc/passwd')",
        "SELECT fts3_tokenizer('simple')",
        "SELECT zeroblob(10)",
        "SELECT randomblob(10)",
        "SELECT json_patch('{}', '{}')",
        "SELECT * FROM sqlite_schema",
        "SELECT * FROM sqlite_master",
        "SELECT count(*) FROM sqlite_schema",
        "SELECT count(*) FROM pragma_module_list",
        "SELECT 1 FROM events WHERE EXISTS (SELECT 1 FROM dbstat)",
        "SELECT * FROM dbstat",
        "SELECT * FROM sqlite_temp_schema",
    ] {
        let answer = ask(&server, statement);
        let code = answer.json()["code"].as_str().unwrap().to_owned();
        assert!(
            answer.status == 400 && (code == "sql_not_allowed" || code == "invalid_sql"),
            "{statement}: {}",
            answer.body
        );
        assert_eq!(statement.starts_with("SELECT readfile"), code == "invalid_sql", "{statement}: {}", answer.body);
    }
    assert_eq!(rows(&server, "SELECT count(*) FROM events"), json!([[60]]));
    let left = std::fs::read_dir("/tmp").unwrap().flatten().map(|entry| entry.file_name());
    assert!(!left.into_iter().any(|name| name.to_string_lossy().starts_with("sekali-attached")));
}

#[test]
fn a_key_sees_its_topics_in_every_statement() {
    let (server, [admin, mine]) =
        start(2, |dir| [make(dir, &[Scope::Admin], &["*"]), make(dir, &[Scope::Read], &["mine.*"])]);
    for (topic, id) in [("mine.a", "1"), ("theirs", "2"), ("theirs", "2")] {
        let mut event = event(topic, id);
        event["payload"] = json!({"n": server.get_with(&admin, "/stats").json()["received"]});
        server.publish_with(&admin, "/publish", &event).expect_status(202);
    }
    let send = |key, statement: &str| {
        server
            .request("POST", "/sql")
            .key(key)
            .header("content-type", "application/sql")
            .body(statement.to_owned())
            .send()
    };
    for (statement, all, some) in [
        ("SELECT count(*) FROM events", 2, 1),
        ("SELECT count(*) FROM events WHERE topic = 'theirs'", 1, 0),
        ("SELECT count(*) FROM events WHERE topic = 'theirs' AND event_id = '2'", 1, 0),
        ("SELECT count(*) FROM events WHERE topic IN ('theirs', 'mine.a') AND event_id IN ('1', '2')", 2, 1),
        ("SELECT count(*) FROM events a, events b", 4, 1),
        ("SELECT count(*) FROM events WHERE rowid IN (SELECT rowid FROM events)", 2, 1),
        ("SELECT count(*) FROM topics", 2, 1),
        ("SELECT sum(events) FROM topics", 2, 1),
    ] {
        for (key, count) in [(&admin, all), (&mine, some)] {
            let answer = send(key, statement).expect_status(200).json();
            assert_eq!(answer["rows"], json!([[count]]), "{statement}");
        }
    }
    assert_eq!(send(&admin, "SELECT count(*) FROM conflicts").expect_status(200).json()["rows"], json!([[1]]));
    let refused = send(&mine, "SELECT * FROM events WHERE topic = 'x' UNION SELECT * FROM conflicts");
    refused.expect_error(403, "forbidden");
}

#[test]
fn an_answer_ends_with_its_limits() {
    let server = filled();
    let many = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 100001) SELECT x FROM n";
    let answer = ask_at(&server, "/sql?within=60s", many).expect_status(200).json();
    assert_eq!((&answer["complete"], &answer["ended_by"]), (&json!(false), &json!("rows")));
    assert_eq!(answer["rows"].as_array().unwrap().len(), 100_000);
    ask_at(&server, "/sql?format=csv&within=60s", many).expect_error(422, "sql_too_large");
    let large = "SELECT printf('%1000000d', a.seq) FROM events a";
    let answer = ask_at(&server, "/sql?within=60s", large).expect_status(200).json();
    assert_eq!((&answer["complete"], &answer["ended_by"]), (&json!(false), &json!("bytes")));
    let slow = "SELECT event_id FROM events UNION ALL SELECT max(a.ms + b.ms) FROM \
                (SELECT payload ->> 'ms' AS ms FROM events) a, (SELECT payload ->> 'ms' AS ms FROM events) b, \
                events c, events d, events e, events f";
    let answer = ask_at(&server, "/sql?within=5s", slow).expect_status(200).json();
    assert_eq!((&answer["complete"], &answer["ended_by"]), (&json!(false), &json!("time")));
    assert_eq!(answer["rows"].as_array().unwrap().len(), 60);
    let (_, nothing) = slow.split_once("ALL ").unwrap();
    ask_at(&server, "/sql?within=200ms", nothing).expect_error(422, "sql_timeout");
    ask_at(&server, "/sql?within=61s", nothing).expect_error(400, "invalid_parameter");
}

#[test]
fn percentiles_are_there() {
    let server = filled();
    let answer = rows(&server, "SELECT percentile(payload ->> 'ms', 90), median(payload ->> 'ms') FROM events");
    let number = |at: usize| answer[0][at].as_f64().unwrap();
    assert!((52.0..55.0).contains(&number(0)) && (28.0..31.0).contains(&number(1)), "{answer}");
}
