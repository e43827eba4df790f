//! Durable consumers: positions that the server keeps.

use sekali_server::access::Scope;
use sekali_wire::secret::Secret;
use serde_json::{Value, json};

use crate::access::visitor::{make, start};
use crate::server::{Answer, TestServer, event};

fn put(server: &TestServer, name: &str, body: &Value) -> Answer {
    server.request("PUT", &format!("/consumers/{name}")).body(body.to_string()).send()
}

fn post(server: &TestServer, path: &str, body: &Value) -> Answer {
    server.request("POST", path).body(body.to_string()).send()
}

/// The ids of the next events, and the cursor to acknowledge them with.
fn read(server: &TestServer, name: &str, query: &str) -> (Vec<String>, String) {
    let answer = server.get(&format!("/consumers/{name}/events{query}")).expect_status(200);
    let ids =
        answer.json().as_array().unwrap().iter().map(|event| event["event_id"].as_str().unwrap().to_owned()).collect();
    (ids, answer.header("x-ack-cursor").unwrap().to_owned())
}

fn publish(server: &TestServer, topic: &str, ids: std::ops::Range<usize>) {
    let events = ids.map(|id| event(topic, &id.to_string()));
    server.publish(&events.collect::<Value>()).expect_status(202);
}

fn texts(ids: std::ops::Range<usize>) -> Vec<String> {
    ids.map(|id| id.to_string()).collect()
}

#[test]
fn events_come_again_until_they_are_acknowledged_also_after_a_restart() {
    let server = TestServer::start();
    publish(&server, "t", 0..10);
    publish(&server, "other", 0..10);
    put(&server, "mailer", &json!({"filters": {"topic": "t"}})).expect_status(201);
    let (ids, cursor) = read(&server, "mailer", "?limit=4");
    assert_eq!(ids, texts(0..4));
    assert_eq!(read(&server, "mailer", "?limit=4").0, texts(0..4), "not acknowledged");
    let answer = post(&server, "/consumers/mailer/ack", &json!({"cursor": cursor})).expect_status(200).json();
    assert_eq!((answer["name"].as_str(), answer["cursor"].as_str()), (Some("mailer"), Some(cursor.as_str())));
    assert!(answer["acknowledged_at"].is_string());
    let server = server.restart();
    let (ids, ahead) = read(&server, "mailer", "?limit=4");
    assert_eq!(ids, texts(4..8));
    // Reading on without an acknowledgement, as one does who keeps the cursor with the work.
    let (ids, end) = read(&server, "mailer", &format!("?after={ahead}"));
    assert_eq!(ids, texts(8..10));
    post(&server, "/consumers/mailer/ack", &json!({"cursor": end})).expect_status(200);
    let (ids, again) = read(&server, "mailer", "");
    assert_eq!((ids, &again), (Vec::new(), &end));
    assert_eq!(server.get("/consumers/mailer").json()["behind"], 0);
    publish(&server, "t", 10..12);
    let server = server.restart();
    assert_eq!(read(&server, "mailer", "").0, texts(10..12));
}

#[test]
fn a_consumer_waits_for_its_events() {
    let server = TestServer::start();
    put(&server, "c", &json!({"filters": {"topic": "t", "payload.message": ["never", "hello"]}, "from": "now"}))
        .expect_status(201);
    let waiting = server.request("GET", "/consumers/c/events?wait=60s").spawn();
    publish(&server, "other", 0..3);
    publish(&server, "t", 0..1);
    let answer = server.runtime().block_on(waiting).unwrap().expect_status(200);
    assert_eq!(answer.json()[0]["topic"], "t");
    let cursor = answer.header("x-ack-cursor").unwrap().to_owned();
    post(&server, "/consumers/c/ack", &json!({"cursor": cursor})).expect_status(200);
    assert_eq!(read(&server, "c", "?wait=100ms").0, texts(0..0));
}

#[test]
fn acknowledgements_that_make_no_sense_are_refused_with_the_remedy() {
    let server = TestServer::start();
    publish(&server, "t", 0..10);
    for name in ["a", "b"] {
        put(&server, name, &json!({})).expect_status(201);
    }
    let (_, early) = read(&server, "a", "?limit=3");
    let (_, late) = read(&server, "a", "?limit=6");
    post(&server, "/consumers/a/ack", &json!({"cursor": late})).expect_status(200);
    post(&server, "/consumers/a/ack", &json!({"cursor": late})).expect_status(200);
    let behind = post(&server, "/consumers/a/ack", &json!({"cursor": early})).expect_error(409, "ack_behind");
    assert!(behind.json()["message"].as_str().unwrap().contains("/consumers/a/reset"), "{}", behind.body);
    let other = post(&server, "/consumers/b/ack", &json!({"cursor": late})).expect_error(400, "invalid_cursor");
    assert!(other.json()["message"].as_str().unwrap().contains("X-Ack-Cursor"), "{}", other.body);
    let page = server.get("/events?limit=3").header("x-next-cursor").unwrap().to_owned();
    post(&server, "/consumers/a/ack", &json!({"cursor": page})).expect_error(400, "invalid_cursor");
    post(&server, "/consumers/a/reset", &json!({"to": early})).expect_status(200);
    assert_eq!(read(&server, "a", "").0, texts(3..10));
    // A consumer that is made anew is another one.
    server.request("DELETE", "/consumers/a").send().expect_status(200);
    put(&server, "a", &json!({"from": "now"})).expect_status(201);
    post(&server, "/consumers/a/ack", &json!({"cursor": late})).expect_error(400, "invalid_cursor");
    for body in [json!({}), json!({"cursor": 5}), json!({"cursor": late, "more": 1}), json!([])] {
        post(&server, "/consumers/a/ack", &body).expect_error(400, "invalid_json");
    }
    post(&server, "/consumers/none/ack", &json!({"cursor": late})).expect_error(404, "not_found");
}

#[test]
fn consumers_are_made_changed_listed_and_deleted() {
    let server = TestServer::start();
    publish(&server, "t", 0..5);
    assert_eq!(server.get("/consumers").json(), json!([]));
    let filters = json!({"topic": ["t", "web.*"], "min.payload.ms": 5, "not.payload.ok": true});
    let made = put(&server, "x.1_-", &json!({"filters": filters})).expect_status(201).json();
    assert_eq!(made["filters"], json!({"topic": ["t", "web.*"], "min.payload.ms": "5", "not.payload.ok": "true"}));
    assert_eq!((made["behind"].as_u64(), &made["acknowledged_at"]), (Some(5), &Value::Null));
    put(&server, "x.1_-", &json!({"filters": filters, "from": "now"})).expect_status(200);
    let changed = put(&server, "x.1_-", &json!({"filters": {"topic": "t"}})).expect_status(200).json();
    assert_eq!((changed["behind"].as_u64(), &changed["created_at"]), (Some(5), &made["created_at"]));
    assert_eq!(read(&server, "x.1_-", "").0, texts(0..5));
    let page = server.get("/events?topic=t&limit=3").header("x-next-cursor").unwrap().to_owned();
    put(&server, "later", &json!({"filters": {"topic": "t"}, "from": page})).expect_status(201);
    assert_eq!(read(&server, "later", "").0, texts(3..5));
    let names: Vec<_> =
        server.get("/consumers").json().as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["later", "x.1_-"]);
    post(&server, "/consumers/later/reset", &json!({"to": "beginning"})).expect_status(200);
    assert_eq!(read(&server, "later", "").0, texts(0..5));
    post(&server, "/consumers/later/reset", &json!({"to": "now"})).expect_status(200);
    assert_eq!(read(&server, "later", "").0, texts(0..0));
    server.request("DELETE", "/consumers/later").send().expect_status(200);
    server.request("DELETE", "/consumers/later").send().expect_error(404, "not_found");
    let server = server.restart();
    assert_eq!(server.get("/consumers").json().as_array().unwrap().len(), 1);
}

#[test]
fn wrong_consumers_are_refused() {
    let server = TestServer::start();
    for name in ["a b", "%2e%2e%2fx", "%C3%A9", &"x".repeat(101)] {
        put(&server, &name.replace(' ', "%20"), &json!({})).expect_error(400, "invalid_parameter");
    }
    for filters in
        [json!({"topics": "x"}), json!({"payload.a": {}}), json!({"since": "yesterdays"}), json!({"match.source": "("})]
    {
        put(&server, "c", &json!({"filters": filters})).expect_error(400, "invalid_parameter");
    }
    put(&server, "c", &json!({"from": "then"})).expect_error(400, "invalid_cursor");
    put(&server, "c", &json!({"filter": {}})).expect_error(400, "invalid_json");
    put(&server, "c", &json!({"filters": {"q": "x".repeat(200), "payload.a": "x".repeat(5_000)}}))
        .expect_error(413, "too_large");
    server.request("PUT", "/consumers/c").body("{").send().expect_error(400, "invalid_json");
    server.request("PUT", "/consumers/c").body("x".repeat(100_000)).send().expect_error(413, "too_large");
    server.request("PATCH", "/consumers/c").send().expect_error(405, "method_not_allowed");
    assert_eq!(server.get("/consumers").json(), json!([]));
}

#[test]
fn a_key_sees_only_consumers_all_of_whose_topics_it_may_read() {
    let keys = |dir: &std::path::Path| {
        (make(dir, &[Scope::Admin], &["*"]), make(dir, &[Scope::Read], &["mine.*"]), make(dir, &[Scope::Read], &["*"]))
    };
    let (server, (admin, mine, all)) = start(1, keys);
    let ask = |key: &Secret, method: &str, path: &str, body: &Value| {
        server.request(method, path).key(key).body(body.to_string()).send()
    };
    let of = |topic: Value| json!({"filters": {"topic": topic}});
    ask(&admin, "PUT", "/consumers/theirs", &of(json!("theirs"))).expect_status(201);
    ask(&admin, "PUT", "/consumers/both", &of(json!(["mine.a", "theirs"]))).expect_status(201);
    ask(&admin, "PUT", "/consumers/conflicts", &of(json!("$conflicts"))).expect_status(201);
    ask(&admin, "PUT", "/consumers/everything", &json!({})).expect_status(201);
    ask(&mine, "PUT", "/consumers/mine", &of(json!("mine.a*"))).expect_status(201);
    for topic in [json!("theirs"), json!(["mine.a", "theirs"]), json!("*"), json!("min*"), json!("$conflicts")] {
        ask(&mine, "PUT", "/consumers/new", &of(topic)).expect_error(403, "forbidden");
    }
    ask(&mine, "PUT", "/consumers/new", &json!({})).expect_error(403, "forbidden");
    ask(&mine, "PUT", "/consumers/theirs", &of(json!("mine.a"))).expect_error(403, "forbidden");
    let names = |key: &Secret| {
        let list = server.get_with(key, "/consumers").expect_status(200).json();
        list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&admin), ["both", "conflicts", "everything", "mine", "theirs"]);
    assert_eq!(names(&mine), ["mine"]);
    assert_eq!(names(&all), ["both", "everything", "mine", "theirs"]);
    for name in ["theirs", "both", "everything", "conflicts"] {
        for (method, path) in [("GET", ""), ("GET", "/events"), ("POST", "/ack"), ("POST", "/reset"), ("DELETE", "")] {
            let body = json!({"cursor": "x"});
            ask(&mine, method, &format!("/consumers/{name}{path}"), &body).expect_error(404, "not_found");
        }
    }
    ask(&mine, "DELETE", "/consumers/mine", &json!({})).expect_status(200);
}

#[test]
fn a_damaged_file_of_consumers_is_named_at_the_start() {
    let mut server = TestServer::start();
    put(&server, "c", &json!({})).expect_status(201);
    server.stop();
    let path = server.dir.path().join("data/consumers.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"c\"", "\"d\"")).unwrap();
    let error = server.start_other(|_| {}).expect_err("the file is damaged").to_string();
    assert!(error.contains("consumers.json") && error.contains("backup"), "{error}");
}

#[test]
fn a_position_behind_the_end_of_an_older_store_is_taken_back() {
    let mut server = TestServer::start();
    publish(&server, "t", 0..5);
    server.stop();
    let data = server.dir.path().join("data");
    let older = server.dir.path().join("older");
    sekali_store::backup(&sekali_store::disk::RealDisk, &data, &older, |_| {}).unwrap();
    let other = server.start_other(|_| {}).unwrap();
    let url = format!("http://{}", other.addr());
    let client = reqwest::Client::new();
    let runtime = server.runtime();
    let put = |path: String, body: Value| {
        let response = runtime.block_on(client.put(format!("{url}{path}")).body(body.to_string()).send()).unwrap();
        assert_eq!(response.status(), 201);
    };
    let more = (5..9).map(|id| event("t", &id.to_string())).collect::<Value>();
    let published = runtime.block_on(client.post(format!("{url}/publish")).body(more.to_string()).send()).unwrap();
    assert_eq!(published.status(), 202);
    put("/consumers/c".to_owned(), json!({"from": "now"}));
    runtime.block_on(other.stop());
    std::fs::copy(data.join("consumers.json"), older.join("consumers.json")).unwrap();
    let other = server.start_other(|config| config.data_dir = older).unwrap();
    let url = format!("http://{}", other.addr());
    let again = json!([event("t", "new")]).to_string();
    runtime.block_on(client.post(format!("{url}/publish")).body(again).send()).unwrap();
    let events = runtime.block_on(async {
        client.get(format!("{url}/consumers/c/events")).send().await.unwrap().text().await.unwrap()
    });
    let events: Value = serde_json::from_str(&events).unwrap();
    assert_eq!(events[0]["event_id"], "new", "an event in the place of a lost one is left out");
    runtime.block_on(other.stop());
}
