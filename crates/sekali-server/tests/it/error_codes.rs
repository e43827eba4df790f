//! Every error code, provoked at least once: its status, its `Retry-After`, and that nothing was
//! stored.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::Request;
use sekali_server::access::{Access, Scope};
use sekali_server::http::{Arrival, Browsers, Code, Door, RequestBody, Stored};
use sekali_server::ingest::CONTENT_RULES;
use sekali_server::limits::{CONSUMERS_MAX, HEADERS_BYTES_MAX, TOPICS_MAX};
use sekali_server::service::Service;
use sekali_server::timeouts::Timeouts;
use sekali_store::disk::RealDisk;
use sekali_store::{HashKey, StoreMeta, StoreOptions};
use serde_json::{Value, json};

use crate::access::visitor::{make, start};
use crate::disk::MoodyDisk;
use crate::overloaded::Overloaded;
use crate::server::{Answer, TestServer, event};

/// The result of a provocation: the response, and the number of visible events afterwards.
struct Provoked {
    answer: Answer,
    stored: u64,
}

fn stored(server: &TestServer) -> u64 {
    server.get("/stats").json()["unique_processed"].as_u64().unwrap()
}

/// A server without keys, and one request.
fn open(method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Provoked {
    let server = TestServer::start();
    let request = server.request(method, path).body(body);
    let answer = headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send();
    Provoked { answer, stored: stored(&server) }
}

/// A server with keys, and a client that publishes without permission.
fn guarded(has_key: bool) -> Provoked {
    let keys = |dir: &std::path::Path| [make(dir, &[Scope::Admin], &["*"]), make(dir, &[Scope::Publish], &["mine"])];
    let (server, [admin, publisher]) = start(1, keys);
    let request = server.request("POST", "/publish").body(event("theirs", "1").to_string());
    let answer = if has_key { request.key(&publisher) } else { request }.send();
    let stats = server.get_with(&admin, "/stats").json();
    Provoked { answer, stored: stats["unique_processed"].as_u64().unwrap() }
}

/// A server whose disk gets a fault, and then a request.
fn moody(partitions: u32, mood: impl FnOnce(&MoodyDisk), send: impl FnOnce(&TestServer) -> Answer) -> Provoked {
    let disk = Arc::new(MoodyDisk::default());
    let server = TestServer::start_with(Arc::clone(&disk) as _, |config| config.partitions = partitions);
    mood(&disk);
    let answer = send(&server);
    Provoked { answer, stored: stored(&server) }
}

fn events(count: usize) -> Value {
    Value::from((0..count).map(|number| event(&format!("topic-{number}"), "1")).collect::<Vec<_>>())
}

/// A body that stalls.
fn slow() -> Provoked {
    raw("host: localhost\r\ncontent-length: 500\r\n\r\n[")
}

/// A request to publish, byte for byte, which ends its connection.
fn raw(rest: &str) -> Provoked {
    let impatient = Timeouts { body: Duration::from_millis(300), ..Timeouts::default() };
    let server = TestServer::start_timed(Arc::new(RealDisk), impatient, |_| {});
    let mut stream = TcpStream::connect(server.address()).unwrap();
    write!(stream, "POST /publish HTTP/1.1\r\n{rest}").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head[9..12].parse().unwrap();
    let answer = Answer { status, headers: reqwest::header::HeaderMap::new(), body: body.to_owned() };
    Provoked { answer, stored: stored(&server) }
}

/// A stored event that cannot be read.
fn unreadable() -> Provoked {
    let disk = Arc::new(MoodyDisk::default());
    let server = TestServer::start_with(Arc::clone(&disk) as _, |_| {});
    server.publish(&event("t", "1")).expect_status(202);
    disk.fail_reads(true);
    let answer = server.get("/events");
    disk.fail_reads(false);
    Provoked { answer, stored: stored(&server) - 1 }
}

/// A read that panics.
fn broken() -> Provoked {
    let disk = Arc::new(MoodyDisk::default());
    let server = TestServer::start_with(Arc::clone(&disk) as _, |_| {});
    server.publish(&event("t", "1")).expect_status(202);
    disk.panic_reads(true);
    let answer = server.get("/events");
    disk.panic_reads(false);
    Provoked { answer, stored: stored(&server) - 1 }
}

/// More requests of one client than may wait for a stalled disk.
fn overload() -> Provoked {
    let mut busy = Overloaded::start();
    let mut other = event("other", "1");
    other["payload"] = json!({"text": "x".repeat(1_000_000)});
    let sent = Value::from((0..24).map(|_| other.clone()).collect::<Vec<_>>());
    let answer = busy.server.publish(&sent);
    busy.release();
    Provoked { answer, stored: stored(&busy.server) - 24 }
}

/// No client can see this code on a socket: the pipeline closes after the last connection.
fn shutting_down() -> Provoked {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let new = StoreMeta { store_id: 1, hash_key: HashKey([7; 32]), partitions: 1 };
    let store = StoreOptions::new().rules(CONTENT_RULES).open_or_create(dir.path(), &new).unwrap();
    let _context = runtime.enter();
    let (service, committers, _) = Service::start(store).unwrap();
    service.pipeline().close();
    committers.join();
    let access = Access::load(dir.path()).unwrap();
    let door = Door::new(service, access, Browsers::default(), Timeouts::default(), Vec::new());
    let request = Request::post("/publish")
        .header("host", "localhost")
        .body(RequestBody::from(event("t", "1").to_string()))
        .unwrap();
    let answer = runtime.block_on(async {
        let response = door
            .answer(door.admit(request, Arrival { network: [127, 0, 0, 1].into(), port: None, checks_host: false }))
            .await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: head.status.as_u16(), headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    });
    // It holds readers, and with them the lock of the store.
    drop(door);
    let partition =
        StoreOptions::new().rules(CONTENT_RULES).open_or_create(dir.path(), &new).unwrap().into_partitions().remove(0);
    Provoked { answer, stored: partition.reader().counters().stored }
}

/// A client may make half of the topics that there may be, in requests of 100,000 events.
fn too_many_topics() -> Provoked {
    let server = TestServer::start();
    let names = |from: usize| {
        let line = |number| event(&format!("topic-{number}"), "1").to_string() + "\n";
        let body: String = (from..from + TOPICS_MAX / 2).map(line).collect();
        server.request("POST", "/publish").header("content-type", "application/x-ndjson").body(body)
    };
    names(0).send().expect_status(202);
    assert_eq!(server.get("/stats").json()["topic_count"], TOPICS_MAX / 2);
    server.publish(&event("topic-1", "2")).expect_status(202);
    let answer = names(TOPICS_MAX / 2).send();
    Provoked { answer, stored: stored(&server) - TOPICS_MAX as u64 / 2 - 1 }
}

/// A statement, to be answered as CSV within 500 ms.
fn sql(statement: &str) -> Provoked {
    open("POST", "/sql?within=500ms&format=csv", &[("content-type", "application/sql")], statement.to_owned())
}

/// A consumer goes back by a reset only.
fn ack_behind() -> Provoked {
    let server = TestServer::start();
    let consumer = |method: &str, path: &str, body: Value| {
        server.request(method, &format!("/consumers/c{path}")).body(body.to_string()).send()
    };
    let before = consumer("PUT", "", json!({})).json()["cursor"].clone();
    server.publish(&event("t", "1")).expect_status(202);
    let page = consumer("GET", "/events", json!({}));
    consumer("POST", "/ack", json!({"cursor": page.header("x-ack-cursor")})).expect_status(200);
    let answer = consumer("POST", "/ack", json!({"cursor": before}));
    Provoked { answer, stored: stored(&server) - 1 }
}

fn too_many_consumers() -> Provoked {
    let server = TestServer::start();
    let put = |number: usize| server.request("PUT", &format!("/consumers/c{number}")).body("{}").send();
    (0..CONSUMERS_MAX).for_each(|number| drop(put(number).expect_status(201)));
    Provoked { answer: put(CONSUMERS_MAX), stored: stored(&server) }
}

fn provoke(code: Code) -> Provoked {
    let good = || event("t", "1").to_string();
    match code {
        Code::InvalidJson => open("POST", "/publish", &[], "{"),
        Code::InvalidParameter => open("POST", "/publish?x=1", &[], good()),
        Code::InvalidCursor => open("GET", "/events?after=x", &[], ""),
        Code::InvalidEncoding => open("POST", "/publish", &[("content-encoding", "gzip")], good()),
        Code::InvalidHost => raw("connection: close\r\n\r\n"),
        Code::InvalidSql => sql("SELECT"),
        Code::SqlNotAllowed => sql("DELETE FROM events"),
        Code::Unauthenticated => guarded(false),
        Code::Forbidden => guarded(true),
        Code::NotFound => open("POST", "/nowhere", &[], good()),
        Code::MethodNotAllowed => open("PUT", "/publish", &[], good()),
        Code::AckBehind => ack_behind(),
        Code::RequestTimeout => slow(),
        Code::TooLarge => open("POST", "/publish", &[], format!("[{}]", vec![good(); 100_001].join(","))),
        Code::HeadersTooLarge => open("POST", "/publish", &[("x-long", &"x".repeat(HEADERS_BYTES_MAX))], good()),
        Code::UnsupportedMediaType => open("POST", "/publish", &[("content-type", "text/plain")], good()),
        Code::WrongHost => open("POST", "/publish", &[("host", "evil.example")], good()),
        Code::InvalidEvent => open("POST", "/publish", &[], "[{}]"),
        Code::SqlTimeout => sql("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT max(x) FROM n"),
        Code::SqlTooLarge => {
            sql("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 200000) SELECT x FROM n")
        }
        Code::TooManyTopics => too_many_topics(),
        Code::TooManyConsumers => too_many_consumers(),
        Code::Internal => broken(),
        Code::Unreadable => unreadable(),
        Code::Overloaded => overload(),
        Code::StorageFull => moody(1, |disk| disk.set_full(Some("")), |server| server.publish(&events(3))),
        Code::PartlyStored => moody(2, |disk| disk.set_full(Some("p0001")), |server| server.publish(&events(20))),
        Code::StorageFailed => moody(1, |disk| disk.fail_syncs(), |server| server.publish(&events(3))),
        Code::ShuttingDown => shutting_down(),
    }
}

#[test]
fn every_code_can_be_provoked_and_says_what_it_should() {
    for code in Code::ALL {
        let Provoked { answer, stored } = provoke(code);
        let context = format!("{code:?}: {}", answer.body);
        assert_eq!((answer.status, &answer.json()["code"]), (code.status(), &json!(code.as_str())), "{context}");
        let seconds = code.retry_after_seconds().map(|seconds| seconds.to_string());
        assert_eq!(answer.header("retry-after"), seconds.as_deref(), "{context}");
        assert_eq!(answer.status == 503, seconds.is_some(), "{context}");
        assert!(answer.json()["message"].as_str().is_some_and(|message| !message.is_empty()), "{context}");
        match (code, code.stored_anything()) {
            (Code::PartlyStored, _) => assert!(stored > 0 && stored < 20, "{stored} stored; {context}"),
            (_, Stored::Nothing) => assert_eq!(stored, 0, "{context}"),
            // Unknown to the client, and invisible until the restart.
            (_, Stored::Unknown) => assert_eq!(stored, 0, "{context}"),
        }
    }
}
