//! Columns, formats and downloads of events, compared with what the events themselves say.

use std::sync::Arc;

use bytes::Bytes;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use sekali_server::access::Scope;
use sekali_store::disk::RealDisk;
use serde_json::{Map, Value, json};

use crate::access::visitor::{make, start};
use crate::disk::MoodyDisk;
use crate::server::{TestServer, event};

const COLUMNS: &str = "payload.user.id,topic,seq,payload.list,payload.gone,payload.text,timestamp,payload.n";

/// Events whose payloads lack some members, in three partitions.
fn filled(count: usize) -> TestServer {
    let server = TestServer::start_with(Arc::new(RealDisk), |config| config.partitions = 3);
    let event = |at: usize| {
        let mut payload = json!({"n": at, "text": format!("=cmd|{at}, \"x\"\nline é")});
        if at.is_multiple_of(3) {
            payload["user"] = json!({"id": format!("u{}", at % 7), "tags": []});
        }
        if at.is_multiple_of(4) {
            payload["list"] = json!([1, {"a": null}]);
        }
        let mut event = event(["a", "b", "c"][at % 3], &at.to_string());
        event["payload"] = payload;
        event
    };
    server.publish(&Value::Array((0..count).map(event).collect())).expect_status(202);
    server
}

/// The values that `/events` has of each event in some columns.
fn expected(server: &TestServer, columns: &str, query: &str) -> Vec<Map<String, Value>> {
    let events = server.get(&format!("/events?limit=10000&{query}")).expect_status(200).json();
    let find = |event: &Value, column: &str| match column.strip_prefix("payload.") {
        Some(path) => path.split('.').try_fold(&event["payload"], |value, name| value.get(name)).cloned(),
        None => Some(event[column].clone()),
    };
    let object = |event: &Value| {
        let values = columns.split(',').filter_map(|name| Some((name.to_owned(), find(event, name)?)));
        values.collect::<Map<_, _>>()
    };
    events.as_array().unwrap().iter().map(object).collect()
}

/// A value as the text of a cell.
fn text(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn bytes(server: &TestServer, path: &str) -> Result<Bytes, reqwest::Error> {
    let url = format!("http://{}{path}", server.address());
    server.runtime().block_on(async { reqwest::get(url).await?.bytes().await })
}

#[test]
fn every_format_has_the_columns_that_are_asked_for() {
    let server = filled(100);
    for query in ["", "topic=b", "payload.n=5&payload.n=6&order=desc", "topic=none"] {
        let rows = expected(&server, COLUMNS, query);
        let of_format = |format: &str| format!("/events?columns={COLUMNS}&format={format}&{query}");
        let page = server.get(&of_format("json")).expect_status(200);
        assert_eq!(page.json(), json!(rows), "{query}");
        let lines = server.get(&of_format("ndjson")).expect_status(200);
        assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
        let lines: Vec<Value> = lines.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(json!(lines), json!(rows), "{query}");
        let table = server.get(&of_format("csv")).expect_status(200).body;
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>().join(","), COLUMNS);
        for (found, row) in reader.records().map(Result::unwrap).zip(&rows) {
            let cells: Vec<_> = found.iter().map(|cell| sekali_wire::csv::restore(cell).to_owned()).collect();
            assert!(found.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{found:?}");
            assert_eq!(cells, COLUMNS.split(',').map(|name| text(row.get(name))).collect::<Vec<_>>());
        }
        assert_eq!(csv::Reader::from_reader(table.as_bytes()).records().count(), rows.len());
        check_parquet(&bytes(&server, &of_format("parquet")).unwrap(), &rows);
    }
}

fn check_parquet(file: &Bytes, rows: &[Map<String, Value>]) {
    let file = SerializedFileReader::new(file.clone()).unwrap();
    let found: Vec<_> = file.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!(found.len(), rows.len());
    for (found, row) in found.iter().zip(rows) {
        for (name, field) in found.get_column_iter() {
            let value = row.get(name);
            match field {
                Field::Null => assert_eq!(value, None, "{name}"),
                Field::Str(found) => assert_eq!(*found, text(value), "{name}"),
                Field::Long(number) if name == "seq" => assert_eq!(json!(number), row[name]),
                // No reader of rows has a type for nanoseconds.
                Field::Long(ns) => {
                    let time = sekali_wire::timestamp::parse_timestamp(row[name].as_str().unwrap()).unwrap();
                    assert_eq!(*ns, time, "{name}");
                }
                other => panic!("{name} is {other:?}"),
            }
        }
    }
}

#[test]
fn without_columns_every_format_has_the_whole_event() {
    let server = filled(20);
    let all = "topic,event_id,timestamp,source,payload,seq,received_at";
    let table = server.get("/events?format=csv").expect_status(200).body;
    assert!(table.starts_with(&format!("{all}\r\n")), "{table}");
    assert_eq!(server.request("GET", "/events").header("accept", "text/csv").send().body, table);
    // The format outweighs the header.
    let page = server.request("GET", "/events?format=json").header("accept", "text/csv").send();
    assert_eq!(page.json().as_array().unwrap().len(), 20);
    let rows = expected(&server, all, "");
    let by_format = bytes(&server, "/events?format=parquet").unwrap();
    check_parquet(&by_format, &rows);
    let request = server.request("GET", "/events?format=ndjson&limit=3").send().expect_status(200);
    assert_eq!(request.body.lines().count(), 3);
    let parts = server.get("/events?columns=event_id&limit=7").expect_status(200);
    assert_eq!(parts.json().as_array().unwrap().len(), 7);
    assert!(parts.header("link").unwrap().contains("columns=event_id"));
}

#[test]
fn a_table_of_several_row_groups_has_every_row_once() {
    let server = TestServer::start();
    // Text that compresses badly, 24 MiB of it.
    let payload = |at: u64| (0..60).map(|step| format!("{:x}", at.wrapping_mul(step * 2 + 1) << 7)).collect::<String>();
    for part in 0..3_u64 {
        let event = |at: u64| {
            let mut event = event("t", &at.to_string());
            event["payload"] = json!({"n": at, "text": payload(at).repeat(10)});
            event
        };
        let events = (part * 1_000..(part + 1) * 1_000).map(event).collect();
        server.publish(&Value::Array(events)).expect_status(202);
    }
    let table = bytes(&server, "/events?format=parquet").unwrap();
    let file = SerializedFileReader::new(table).unwrap();
    assert!(file.metadata().num_row_groups() > 1, "{} groups", file.metadata().num_row_groups());
    let ids: Vec<_> =
        file.get_row_iter(None).unwrap().map(|row| row.unwrap().into_columns()[1].1.to_string()).collect();
    assert_eq!(ids, (0..3_000).map(|at| format!("\"{at}\"")).collect::<Vec<_>>());
}

#[test]
fn an_answer_that_breaks_off_does_not_look_complete() {
    let disk = Arc::new(MoodyDisk::default());
    let server = TestServer::start_with(Arc::clone(&disk) as _, |_| {});
    server.publish(&event("t", "1")).expect_status(202);
    for format in ["ndjson", "csv", "parquet"] {
        let path = format!("/events?format={format}");
        assert!(!bytes(&server, &path).unwrap().is_empty());
        disk.fail_reads(true);
        assert!(bytes(&server, &path).is_err(), "{format}");
        disk.fail_reads(false);
    }
}

#[test]
fn a_download_has_the_name_that_was_asked_for_and_no_other_ending() {
    let server = filled(1);
    for (query, value) in [
        ("format=csv&download=errors", "attachment; filename=\"errors.csv\""),
        ("download=a.json", "attachment; filename=\"a.json\""),
        ("format=parquet&columns=seq&download=setup.exe", "attachment; filename=\"setup.exe.parquet\""),
    ] {
        let url = format!("http://{}/events?{query}", server.address());
        let answer = server.runtime().block_on(reqwest::get(url)).unwrap();
        assert_eq!(answer.headers()["content-disposition"], value);
    }
    assert_eq!(server.get("/events?format=csv").header("content-disposition"), None);
}

#[test]
fn what_is_no_column_format_or_name_is_refused() {
    let server = TestServer::start();
    let many = (0..33).map(|at| format!("payload.a{at}")).collect::<Vec<_>>().join(",");
    for (query, parameter) in [
        ("columns=", "columns"),
        ("columns=topic,", "columns"),
        ("columns=status", "columns"),
        ("columns=topic,topic", "columns"),
        ("columns=payload.a!", "columns"),
        (&*format!("columns={many}"), "columns"),
        ("columns=topic&columns=seq", "columns"),
        ("format=xml", "format"),
        ("format=", "format"),
        ("format=json&limit=10001", "limit"),
        ("download=a/b", "download"),
        ("download=%22%0d%0aX: y", "download"),
    ] {
        let answer = server.get(&format!("/events?{query}")).expect_error(400, "invalid_parameter");
        assert_eq!(answer.json()["errors"][0]["parameter"], parameter, "{query}");
    }
}

#[test]
fn a_table_has_only_the_topics_of_the_key() {
    let (server, (admin, mine)) =
        start(3, |dir| (make(dir, &[Scope::Admin], &["*"]), make(dir, &[Scope::Read], &["mine.*"])));
    let events = json!([event("mine.a", "1"), event("theirs", "2"), event("mine.b", "3")]);
    server.publish_with(&admin, "/publish", events).expect_status(202);
    let url = format!("http://{}/events?format=parquet&columns=topic", server.address());
    let request = reqwest::Client::new().get(url).bearer_auth(mine.expose()).send();
    let table = server.runtime().block_on(async { request.await?.bytes().await }).unwrap();
    let rows = SerializedFileReader::new(table).unwrap();
    let mut topics: Vec<_> = rows.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
    topics.sort();
    assert_eq!(topics, ["{topic: \"mine.a\"}", "{topic: \"mine.b\"}"]);
}
