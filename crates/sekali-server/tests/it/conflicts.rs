//! Conflicts: both events, where they differ, and how often.

use std::collections::BTreeMap;
use std::sync::Arc;

use sekali_server::access::Scope;
use sekali_store::disk::RealDisk;
use serde_json::{Value, json};

use crate::access::visitor::{make, start};
use crate::server::{TestServer, event};

/// Events of two topics, of which some came again with other members.
fn filled() -> TestServer {
    let server = TestServer::start_with(Arc::new(RealDisk), |config| config.partitions = 3);
    for at in 0..12 {
        let mut event = event(["orders", "mail"][at % 2], &at.to_string());
        event["payload"] = json!({"total": 9.5, "try": 1, "items": [{"price": at}, {"price": 2}]});
        server.publish(&event).expect_status(202);
        if at.is_multiple_of(3) {
            event["payload"]["try"] = json!(2);
        }
        if at.is_multiple_of(4) {
            event["payload"]["items"][1]["price"] = json!(3);
            event["payload"]["sent_at"] = json!("now");
        }
        if at == 6 {
            event["source"] = json!("other");
        }
        // Where nothing has changed it is a duplicate.
        server.publish(&event).expect_status(202);
    }
    server
}

fn pages(server: &TestServer, path: &str) -> Vec<Value> {
    let (mut conflicts, mut path) = (Vec::new(), path.to_owned());
    loop {
        let answer = server.get(&path).expect_status(200);
        conflicts.extend(answer.json().as_array().unwrap().iter().cloned());
        let Some(next) = answer.next_page() else { return conflicts };
        path = next;
    }
}

#[test]
fn a_conflict_has_both_events_and_where_they_differ() {
    let server = filled();
    let conflicts = pages(&server, "/conflicts");
    let ids: Vec<_> = conflicts.iter().map(|conflict| conflict["event_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["0", "3", "4", "6", "8", "9"]);
    let first = &conflicts[0];
    let stored = server.get("/events/orders/0").json();
    for name in ["seq", "source", "payload", "received_at", "timestamp"] {
        assert_eq!(first["stored"][name], stored[name], "{name}");
    }
    assert_eq!((&first["topic"], &first["stored"]["expired"]), (&json!("orders"), &json!(false)));
    assert_eq!(first["sent"]["payload"]["sent_at"], "now");
    assert!(first["late_seconds"].as_f64().unwrap() >= 0.0);
    assert_eq!(
        first["differences"],
        json!([
            {"path": "payload.items.1.price", "stored": 2, "sent": 3},
            {"path": "payload.try", "stored": 1, "sent": 2},
            {"path": "payload.sent_at", "sent": "now"}])
    );
    let source = json!({"path": "source", "stored": "test", "sent": "other"});
    assert_eq!(conflicts[3]["differences"], json!([source, {"path": "payload.try", "stored": 1, "sent": 2}]));
    assert_eq!(first["differences_left_out"], 0);
}

#[test]
fn conflicts_are_paged_ordered_and_filtered() {
    let server = filled();
    let all = pages(&server, "/conflicts");
    let mut newest = pages(&server, "/conflicts?order=desc&limit=1");
    newest.reverse();
    assert_eq!(newest, all);
    assert_eq!(pages(&server, "/conflicts?limit=2"), all);
    type Matches = fn(&Value) -> bool;
    let filters: [(&str, Matches); 5] = [
        ("topic=orders", |conflict| conflict["topic"] == "orders"),
        ("source=other", |conflict| conflict["sent"]["source"] == "other"),
        ("has=sent_at", |conflict| conflict["sent"]["payload"].get("sent_at").is_some()),
        ("min.payload.items.1.price=3&event_id=4", |conflict| conflict["event_id"] == "4"),
        ("until=2020-01-01", |_| false),
    ];
    for (query, matches) in filters {
        let expected: Vec<_> = all.iter().filter(|conflict| matches(conflict)).cloned().collect();
        assert_eq!(pages(&server, &format!("/conflicts?{query}")), expected, "{query}");
        assert_eq!(server.get(&format!("/conflicts/count?{query}")).json()["count"], expected.len(), "{query}");
    }
    let resume = server.get("/conflicts").header("x-resume-cursor").unwrap().to_owned();
    let mut again = event("mail", "1");
    again["payload"] = json!({"later": true});
    server.publish(&again).expect_status(202);
    assert_eq!(pages(&server, &format!("/conflicts?after={resume}")).len(), 1);
}

#[test]
fn conflicts_are_counted_by_fields_and_by_where_they_differ() {
    let server = filled();
    let all = pages(&server, "/conflicts");
    let mut by_path = BTreeMap::new();
    for conflict in &all {
        for difference in conflict["differences"].as_array().unwrap() {
            let path = difference["path"].as_str().unwrap().replace(".1.", ".*.");
            *by_path.entry(path).or_insert(0) += 1;
        }
    }
    let counts = |query: &str| {
        let answer = server.get(&format!("/conflicts/count?{query}")).expect_status(200).json();
        assert_eq!((&answer["count"], &answer["complete"], &answer["exact"]), (&json!(6), &json!(true), &json!(true)));
        let groups = answer["groups"].as_array().unwrap().clone();
        let group = |group: &Value| (group["key"][0].as_str().unwrap().to_owned(), group["count"].as_u64().unwrap());
        groups.iter().map(group).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(counts("by=path"), by_path);
    assert_eq!(counts("by=topic"), BTreeMap::from([("mail".to_owned(), 2), ("orders".to_owned(), 4)]));
    let plain = server.get("/conflicts/count").json();
    assert_eq!((&plain["count"], plain.get("groups")), (&json!(6), None));
    let first = server.get("/conflicts/count?by=path&top=1").json();
    assert_eq!(first["groups"], json!([{"key": ["payload.try"], "count": 4}]));
    for (query, parameter) in
        [("by=paths", "by"), ("by=path,topic", "by"), ("within=1", "within"), ("interval=1h", "interval")]
    {
        let answer = server.get(&format!("/conflicts/count?{query}")).expect_error(400, "invalid_parameter");
        assert_eq!(answer.json()["errors"][0]["parameter"], parameter, "{query}");
    }
    server.get("/conflicts?limit=1001").expect_error(400, "invalid_parameter");
    let cursor = server.get("/conflicts?limit=1").header("x-next-cursor").unwrap().to_owned();
    server.get(&format!("/conflicts?order=desc&after={cursor}")).expect_error(400, "invalid_cursor");
}

#[test]
fn a_key_sees_the_conflicts_of_its_topics() {
    let (server, (admin, mine)) =
        start(2, |dir| (make(dir, &[Scope::Admin], &["*"]), make(dir, &[Scope::Read], &["mine.*"])));
    for topic in ["mine.a", "theirs"] {
        server.publish_with(&admin, "/publish", event(topic, "1")).expect_status(202);
        let mut other = event(topic, "1");
        other["payload"] = json!({"other": topic});
        server.publish_with(&admin, "/publish", other).expect_status(202);
    }
    let seen = server.get_with(&mine, "/conflicts").expect_status(200);
    assert_eq!(seen.json()[0]["topic"], "mine.a");
    assert!(!seen.body.contains("theirs"), "{}", seen.body);
    let counted = server.get_with(&mine, "/conflicts/count?by=topic").expect_status(200);
    assert_eq!(counted.json()["count"], 1);
    assert!(!counted.body.contains("theirs"), "{}", counted.body);
    server.get_with(&mine, "/conflicts?topic=theirs").expect_error(403, "forbidden");
    server.get_with(&mine, "/conflicts/count?topic=theirs").expect_error(403, "forbidden");
    assert_eq!(server.get_with(&admin, "/conflicts").json().as_array().unwrap().len(), 2);
}
