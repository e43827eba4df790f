//! Events as CSV.

use expect_test::expect;
use serde_json::json;

use crate::server::{TestServer, event};

fn csv(server: &TestServer, query: &str) -> String {
    let answer =
        server.request("GET", &format!("/events{query}")).header("accept", "text/csv").send().expect_status(200);
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
    // The last column is a time that changes from run to run.
    let mut rows = answer.body.split_inclusive("\r\n");
    let header = rows.next().unwrap().to_owned();
    rows.map(|row| format!("{}…\r\n", &row[..=row.rfind(',').unwrap()])).fold(header, |text, row| text + &row)
}

#[test]
fn formulas_are_defused_and_delimiters_quoted() {
    let server = TestServer::start();
    for (topic, id, source, payload) in [
        ("=HYPERLINK(\"http://x\")", "+1", "@SUM(A1)", json!({"a": "=1"})),
        ("-2+3", "=1,2", "plain", json!({})),
        ("a,b", "'x", "say \"hi\"", json!({"n": [1, 2]})),
    ] {
        let mut event = event(topic, id);
        event["source"] = json!(source);
        event["payload"] = payload;
        server.publish(&event).expect_status(202);
    }
    expect![[r#"
        topic,event_id,timestamp,source,payload,seq,received_at
        "'=HYPERLINK(""http://x"")",'+1,2025-10-24T21:00:00Z,'@SUM(A1),"{""a"":""=1""}",1,…
        '-2+3,"'=1,2",2025-10-24T21:00:00Z,plain,{},2,…
        "a,b",'x,2025-10-24T21:00:00Z,"say ""hi""","{""n"":[1,2]}",3,…
    "#]]
    .assert_eq(&csv(&server, "").replace("\r\n", "\n"));
}

#[test]
fn payloads_come_back_verbatim() {
    let server = TestServer::start();
    let payload = "{ \"big\":123456789012345678901234567890.10,\r\n\"z\":\"\\u00e9,\" }";
    let body = event("t", "1").to_string().replace("{\"message\":\"hello\"}", payload);
    server.request("POST", "/publish").body(body).send().expect_status(202);
    let text = server.request("GET", "/events").header("accept", "text/csv").send().body;
    let row = csv::Reader::from_reader(text.as_bytes()).into_records().next().unwrap().unwrap();
    assert_eq!((&row[4], &row[5], row.len()), (payload, "1", 7));
}

#[test]
fn no_events_are_a_header() {
    let server = TestServer::start();
    assert_eq!(csv(&server, "?topic=none&limit=5"), "topic,event_id,timestamp,source,payload,seq,received_at\r\n");
    server.publish(&json!([event("t", "1"), event("t", "2")])).expect_status(202);
    assert_eq!(csv(&server, "?limit=1").lines().count(), 2);
}
