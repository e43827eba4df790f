//! Counts by groups, fields and numbers.

use serde_json::{Value, json};

use crate::server::TestServer;

/// 100 events of two topics: `web` with status, time and path, `db` with a text alone.
fn filled() -> TestServer {
    let server = TestServer::start();
    let event = |at: usize| {
        let payload = match at % 4 {
            3 => json!({"query": format!("select {at}")}),
            kind => json!({"status": ([200, 404, 500])[kind], "ms": at, "user": {"id": at % 5}}),
        };
        json!({
            "topic": if at % 4 == 3 { "db" } else { "web" },
            "event_id": at.to_string(),
            "timestamp": format!("2025-10-24T21:{:02}:00Z", at / 2),
            "source": format!("host-{}", at % 2),
            "payload": payload,
        })
    };
    server.publish(&Value::Array((0..100).map(event).collect())).expect_status(202);
    server
}

fn get(server: &TestServer, path: &str) -> Value {
    let mut answer = server.get(path).expect_status(200).json();
    let read = answer.as_object_mut().unwrap().remove("read").unwrap();
    assert!(read["seconds"].as_f64().unwrap() >= 0.0 && read["events"].is_u64(), "{read}");
    answer
}

#[test]
fn events_are_counted_by_the_values_of_fields() {
    let server = filled();
    assert_eq!(
        get(&server, "/events/count?by=payload.status&top=2"),
        json!({"count": 100, "complete": true, "by": ["payload.status"],
            "groups": [{"key": [200], "count": 25}, {"key": [404], "count": 25}],
            "other": {"groups": 1, "count": 25}, "missing": 25, "exact": true})
    );
    let by_two = get(&server, "/events/count?by=source,payload.user.id&topic=web&payload.user.id=3&payload.user.id=4");
    assert_eq!(by_two["groups"].as_array().unwrap().len(), 4);
    assert_eq!(by_two["count"], 30);
    let expected = json!({"count": 100, "complete": true, "by": ["topic"],
        "groups": [{"key": ["web"], "count": 75}], "other": {"groups": 1, "count": 25}, "missing": 0, "exact": true});
    assert_eq!(get(&server, "/events/count?by=topic&top=1"), expected);
    // The same by reading.
    assert_eq!(get(&server, "/events/count?by=topic&top=1&not.q=nowhere"), expected);
}

#[test]
fn groups_are_counted_over_time() {
    let server = filled();
    let answer = get(&server, "/events/count?by=source&interval=30m&topic=web");
    assert_eq!(answer["starts"], json!(["2025-10-24T21:00:00Z", "2025-10-24T21:30:00Z"]));
    assert_eq!(answer["counts"], json!([45, 30]));
    assert_eq!(answer["series"][0], json!({"key": ["host-0"], "counts": [30, 20]}));
    assert_eq!(answer["series"][1], json!({"key": ["host-1"], "counts": [15, 10]}));
}

#[test]
fn the_server_can_choose_the_interval() {
    let server = filled();
    assert_eq!(get(&server, "/events/count?auto=60")["interval_seconds"], 60);
    assert_eq!(get(&server, "/events/count?auto=10")["interval_seconds"], 300);
    assert_eq!(get(&server, "/events/count?auto=5&since=2025-10-24&until=2025-10-25")["interval_seconds"], 21_600);
    let empty = TestServer::start();
    assert_eq!(get(&empty, "/events/count?auto=60")["buckets"], json!([]));
    let refused = server.get("/events/count?interval=1s&since=2025-01-01&until=2025-12-31");
    let message = refused.expect_error(400, "invalid_parameter").json()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("1h would fit"), "{message}");
    let fitting = "/events/count?interval=1h&since=2025-01-01&until=2025-12-31";
    server.get(fitting).expect_status(200);
}

#[test]
fn fields_are_told_with_their_values() {
    let server = filled();
    let answer = get(&server, "/events/fields?values=2");
    assert_eq!((&answer["events"], &answer["matching"], &answer["sampled"]), (&json!(100), &json!(100), &json!(false)));
    let fields = answer["fields"].as_array().unwrap();
    let field = |name: &str| fields.iter().find(|field| field["field"] == name).unwrap();
    assert_eq!(
        *field("payload.status"),
        json!({"field": "payload.status", "events": 75, "types": {"number": 75}, "distinct": 3,
            "values": [{"value": 200, "count": 25}, {"value": 404, "count": 25}]})
    );
    let ms = field("payload.ms");
    assert_eq!((&ms["distinct"], &ms["min"], &ms["max"]), (&json!(75), &json!(0.0), &json!(98.0)));
    assert!((ms["percentiles"]["50"].as_f64().unwrap() - 49.0).abs() < 1.5);
    assert_eq!(field("source")["values"][0], json!({"value": "host-0", "count": 50}));
    let one = get(&server, "/events/fields?field=payload.query&values=1000");
    assert_eq!(one["fields"].as_array().unwrap().len(), 1);
    assert_eq!(one["fields"][0]["values"].as_array().unwrap().len(), 25);
    let none = get(&server, "/events/fields?topic=nowhere");
    assert_eq!((&none["events"], &none["fields"]), (&json!(0), &json!([])));
}

#[test]
fn a_selection_is_compared_with_another() {
    let server = filled();
    let answer = get(&server, "/events/fields?payload.status=500&compare=payload.status%3D200%26payload.status%3D404");
    assert_eq!((&answer["events"], &answer["compared"]), (&json!(25), &json!(50)));
    assert_eq!(answer["fields"][0]["field"], "payload.status");
    assert_eq!(answer["fields"][0]["difference"], 1.0);
    assert_eq!(answer["fields"][0]["values"][0], json!({"value": 500, "count": 25, "compared_share": 0.0}));
}

#[test]
fn numbers_are_summed_up() {
    let server = filled();
    let answer = get(&server, "/events/stats?field=payload.ms&by=payload.status&interval=30m&percentiles=50,100");
    assert_eq!((&answer["count"], &answer["missing"], &answer["not_numbers"]), (&json!(75), &json!(25), &json!(0)));
    assert_eq!((&answer["min"], &answer["max"], &answer["sum"]), (&json!(0.0), &json!(98.0), &json!(3675.0)));
    assert_eq!(answer["percentiles"]["100"], 98.0);
    let bins = answer["histogram"].as_array().unwrap();
    assert_eq!(bins.iter().map(|bin| bin["count"].as_u64().unwrap()).sum::<u64>(), 75);
    assert_eq!(answer["groups"][0]["key"], json!([200]));
    assert_eq!(answer["groups"][0]["mean"], 48.0);
    assert_eq!(answer["series"][2]["intervals"][0]["count"], 15);
    let size = get(&server, "/events/stats?field=size&topic=db");
    assert_eq!((&size["count"], &size["min"]), (&json!(25), &json!(20.0)));
    assert_eq!(get(&server, "/events/stats?field=delay")["count"], 100);
    assert_eq!(get(&server, "/events/stats?field=payload.query")["not_numbers"], 25);
}

#[test]
fn what_cannot_be_asked_is_refused_by_name() {
    let server = TestServer::start();
    for (path, parameter) in [
        ("/events/count?by=status", "by"),
        ("/events/count?by=topic,topic", "by"),
        ("/events/count?by=topic,source,seq,event_id", "by"),
        ("/events/count?top=0", "top"),
        ("/events/count?top=1001", "top"),
        ("/events/count?auto=5&interval=1m", "auto"),
        ("/events/count?within=1m", "within"),
        ("/events/count?within=50ms", "within"),
        ("/events/fields?sample=10", "sample"),
        ("/events/fields?values=101", "values"),
        ("/events/fields?field=status", "field"),
        ("/events/fields?below=payload..a", "below"),
        ("/events/fields?compare=nothing%3D1", "compare"),
        ("/events/stats", "field"),
        ("/events/stats?field=topic", "field"),
        ("/events/stats?field=size&percentiles=101", "percentiles"),
    ] {
        let answer = server.get(path).expect_error(400, "invalid_parameter");
        assert_eq!(answer.json()["errors"][0]["parameter"], parameter, "{path}");
    }
}
