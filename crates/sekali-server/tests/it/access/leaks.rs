//! Topics outside a key's grant are invisible: in reads, counts and lists, and in refusals.

use sekali_server::access::Scope;
use sekali_wire::secret::Secret;
use serde_json::{Value, json};

use super::visitor::{make, start};
use crate::server::{Answer, TestServer, event};

/// A server with events of `mine.a`, `mine.b` and other topics in turn, a conflict of each, and
/// three keys: an administrator's, one to read `mine.*`, and one to read `$conflicts`.
fn served() -> (TestServer, [Secret; 3]) {
    let (server, keys) = start(3, |dir| {
        [
            make(dir, &[Scope::Admin], &["*"]),
            make(dir, &[Scope::Read], &["mine.*"]),
            make(dir, &[Scope::Read], &["$conflicts"]),
        ]
    });
    for number in 0..30 {
        for topic in ["mine.a", "theirs", "mine.b", "other.theirs"] {
            let mut event = event(topic, &format!("{topic}-{number}"));
            event["payload"] = json!({"about": topic, "number": number});
            event["source"] = json!(topic);
            server.publish_with(&keys[0], "/publish", &event).expect_status(202);
        }
    }
    for topic in ["mine.a", "theirs"] {
        server.publish_with(&keys[0], "/publish", event(topic, &format!("{topic}-0"))).expect_status(202);
    }
    (server, keys)
}

#[track_caller]
fn hides(answer: Answer) -> Answer {
    let shown = format!("{} {:?}", answer.body, answer.headers);
    assert!(!shown.contains("theirs"), "{shown}");
    answer.expect_status(200)
}

/// All events that a query returns, page by page.
fn paged(server: &TestServer, key: &Secret, query: &str) -> Vec<Value> {
    let (mut events, mut path) = (Vec::new(), format!("/events?{query}"));
    loop {
        let answer = hides(server.get_with(key, &path));
        events.extend(answer.json().as_array().unwrap().iter().cloned());
        let Some(next) = answer.next_page() else { return events };
        path = next;
    }
}

#[test]
fn a_reader_of_some_topics_reads_and_counts_those_and_no_others() {
    let (server, [_, reader, _]) = served();
    for (query, count) in [
        ("", 60),
        ("limit=1", 60),
        ("limit=7&order=desc", 60),
        ("q=theirs", 0),
        ("q=MINE", 60),
        ("source=theirs", 0),
        ("source=mine.b", 30),
        ("event_id=theirs-3", 0),
        ("event_id=mine.a-3", 1),
        ("payload.about=theirs", 0),
        ("payload.number=5", 2),
        ("since=2025-10-24&until=2025-10-25", 60),
        ("topic=mine.a&limit=11", 30),
    ] {
        let events = paged(&server, &reader, query);
        assert_eq!(events.len(), count, "{query}");
        let filter: Vec<_> = query
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.starts_with("limit") && !pair.starts_with("order"))
            .collect();
        let filter = filter.join("&");
        assert_eq!(
            hides(server.get_with(&reader, &format!("/events/count?{filter}"))).json()["count"],
            count,
            "{query}"
        );
        let counted = hides(server.get_with(&reader, &format!("/events/count?{filter}&interval=1d")));
        assert_eq!(counted.json()["count"], count, "{query}");
        for (accept, header) in [("application/x-ndjson", 0), ("text/csv", 1)] {
            let request = server.request("GET", &format!("/events?{filter}")).key(&reader).header("accept", accept);
            assert_eq!(hides(request.send()).body.lines().count(), count + header, "{query}");
        }
    }
}

#[test]
fn lists_and_figures_have_only_topics_of_the_key() {
    let (server, [admin, reader, _]) = served();
    let topics = hides(server.get_with(&reader, "/topics")).json();
    assert_eq!(
        topics.as_array().unwrap().iter().map(|topic| &topic["topic"]).collect::<Vec<_>>(),
        ["mine.a", "mine.b"]
    );
    let stats = hides(server.get_with(&reader, "/stats")).json();
    let members: Vec<_> = stats.as_object().unwrap().keys().map(String::as_str).collect();
    let public = [
        "conflicts",
        "duplicate_dropped",
        "received",
        "status",
        "topic_count",
        "topics",
        "unidentified",
        "unique_processed",
        "uptime_seconds",
        "version",
    ];
    assert_eq!(
        {
            let mut members = members;
            members.sort_unstable();
            members
        },
        public
    );
    assert_eq!((&stats["topics"], &stats["status"]), (&json!(["mine.a", "mine.b"]), &json!("ready")));
    assert_eq!(stats["topic_count"], 2);
    let whole = server.get_with(&admin, "/stats").expect_status(200).json();
    assert!(whole["storage"].is_array() && whole["oldest"].is_array() && whole["damage"].is_array());
}

#[test]
fn a_refusal_does_not_tell_whether_there_is_such_a_topic_or_event() {
    let (server, [_, reader, _]) = served();
    let refused = |path: &str, name: &str| {
        server.get_with(&reader, path).expect_error(403, "forbidden").body.replace(name, "TOPIC")
    };
    for (there, missing) in [
        ("/events?topic=theirs", "/events?topic=nobody"),
        ("/events?topic=theirs&event_id=theirs-1", "/events?topic=nobody&event_id=theirs-1"),
        ("/events/count?topic=theirs", "/events/count?topic=nobody"),
        ("/events/theirs/theirs-1", "/events/nobody/theirs-1"),
        ("/events/theirs/theirs-1", "/events/nobody/none"),
    ] {
        assert_eq!(refused(there, "theirs"), refused(missing, "nobody"), "{there}");
    }
    server.get_with(&reader, "/events/mine.a/none").expect_error(404, "not_found");
}

#[test]
fn conflicts_are_for_those_who_name_them() {
    let (server, [admin, reader, auditor]) = served();
    server.get_with(&reader, "/events?topic=$conflicts").expect_error(403, "forbidden");
    server.get_with(&reader, "/events/count?topic=$conflicts").expect_error(403, "forbidden");
    for key in [&admin, &auditor] {
        let found = server.get_with(key, "/events?topic=$conflicts").expect_status(200).json();
        assert_eq!(found.as_array().unwrap().len(), 2);
    }
    // Unless they are named, they are returned to no key, not even this one.
    assert_eq!(server.get_with(&auditor, "/events").expect_status(200).json(), json!([]));
    assert_eq!(server.get_with(&auditor, "/topics").expect_status(200).json(), json!([]));
}

#[test]
fn a_cursor_of_somebody_else_opens_nothing() {
    let (server, [admin, reader, _]) = served();
    let cursor = server.get_with(&admin, "/events?limit=10").header("x-next-cursor").unwrap().to_owned();
    let rest = paged(&server, &reader, &format!("after={cursor}&limit=50"));
    assert!(rest.len() > 40 && rest.len() < 60, "{}", rest.len());
    let cursor = server.get_with(&admin, "/events?topic=theirs&limit=10").header("x-next-cursor").unwrap().to_owned();
    server.get_with(&reader, &format!("/events?topic=theirs&after={cursor}")).expect_error(403, "forbidden");
    server.get_with(&reader, &format!("/events?after={cursor}")).expect_error(400, "invalid_cursor");
}

#[test]
fn only_those_who_may_know_the_store_are_told_what_is_wrong_with_it() {
    use std::sync::Arc;

    use crate::disk::MoodyDisk;

    let disk = Arc::new(MoodyDisk::default());
    let mut keys = None;
    let server = TestServer::start_with(Arc::clone(&disk) as _, |config| {
        let dir = &config.data_dir;
        keys = Some([make(dir, &[Scope::Admin], &["*"]), make(dir, &[Scope::Read], &["mine.*"])]);
    });
    let [admin, reader] = keys.unwrap();
    disk.fail_syncs();
    server.publish_with(&admin, "/publish", event("mine.a", "1")).expect_error(503, "storage_failed");
    for answer in [
        server.get("/readyz"),
        server.get_with(&reader, "/readyz"),
        server.get_with(&sekali_server::access::draw_secret(), "/readyz"),
    ] {
        assert_eq!(answer.expect_status(503).json(), json!({"status": "stopped"}));
    }
    let told = server.get_with(&admin, "/readyz").expect_status(503).json();
    assert!(told["reason"].as_str().is_some_and(|reason| reason.contains("bad mood")), "{told}");
}
