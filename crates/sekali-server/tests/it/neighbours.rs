//! One client does its worst, and another one is served.

use std::io::Write as _;
use std::net::{IpAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use sekali_server::limits::{BODIES_BYTES_MAX, BODY_WIRE_BYTES_MAX, QUEUE_BYTES_MAX};
use sekali_server::timeouts::Timeouts;
use sekali_store::disk::RealDisk;
use serde_json::{Value, json};

use crate::disk::MoodyDisk;
use crate::server::{PATIENT, TestServer, event};

/// An address of this machine that no other client has.
const NEIGHBOUR: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2));

/// Publishes from another address than the test's, and returns the status.
fn publish_as_neighbour(server: &TestServer, body: &Value) -> u16 {
    let client = reqwest::Client::builder().local_address(NEIGHBOUR).build().unwrap();
    let request = client.post(format!("http://{}/publish", server.address())).body(body.to_string());
    server.runtime().block_on(request.send()).unwrap().status().as_u16()
}

/// An event whose body comes in pieces.
fn large_event(id: &str) -> Value {
    let mut large = event("t", id);
    large["payload"] = json!({"text": "x".repeat(1_000_000)});
    large
}

/// Begins to publish, and leaves out the last bytes of the body.
fn begin_to_publish(server: &TestServer, headers: &str, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let length = body.len() + 8;
    write!(stream, "POST /publish HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n").unwrap();
    // The server may refuse before it has read all of it.
    let _ = stream.write_all(body);
    stream
}

/// A body of 32 MiB that takes 32 KB to send.
fn bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![b' '; BODY_WIRE_BYTES_MAX - 1]).unwrap();
    let mut bomb = encoder.finish().unwrap();
    bomb.truncate(bomb.len() - 8);
    bomb
}

#[test]
fn bodies_that_are_never_finished_keep_no_other_client_from_publishing() {
    let plain = vec![b' '; BODY_WIRE_BYTES_MAX - 8];
    for (headers, body) in [("content-encoding: gzip\r\n", bomb()), ("", plain)] {
        let server = TestServer::start_timed(Arc::new(RealDisk), PATIENT, |_| {});
        let count = BODIES_BYTES_MAX / BODY_WIRE_BYTES_MAX + 1;
        let stalled: Vec<_> = (0..count).map(|_| begin_to_publish(&server, headers, &body)).collect();
        for id in 0..10 {
            assert_eq!(publish_as_neighbour(&server, &large_event(&id.to_string())), 202, "{headers}");
        }
        server.publish(&event("t", "small")).expect_status(202);
        drop(stalled);
        server.expect_counts(11, 11, 0, 0);
    }
}

#[test]
fn a_client_that_fills_the_queue_leaves_room_in_it_for_another() {
    let disk = Arc::new(MoodyDisk::default());
    let server = TestServer::start_with(Arc::clone(&disk) as _, |_| {});
    disk.hold_syncs(true);
    let body = |topic: &str, count: usize| {
        let mut large = large_event("1");
        large["topic"] = topic.into();
        Value::from(vec![large; count])
    };
    let queued = || server.get("/stats").json()["queued_bytes"].as_u64().unwrap();
    let mut greedy = Vec::new();
    while greedy.last().is_none_or(|answer: &tokio::task::JoinHandle<_>| !answer.is_finished()) {
        let (before, sent) = (queued(), body("t", 20).to_string());
        let answer = server.request("POST", "/publish").body(sent).spawn();
        while !answer.is_finished() && queued() < before + 20_000_000 {
            std::thread::sleep(Duration::from_millis(20));
        }
        greedy.push(answer);
    }
    let before = queued();
    assert!(before > 0 && before <= QUEUE_BYTES_MAX as u64 / 8 * 5, "{before}");
    // Almost the largest request.
    let neighbour = std::thread::scope(|scope| {
        let neighbour = scope.spawn(|| publish_as_neighbour(&server, &body("other", 32)));
        while queued() < before + 32_000_000 && !neighbour.is_finished() {
            std::thread::sleep(Duration::from_millis(20));
        }
        disk.hold_syncs(false);
        neighbour.join().unwrap()
    });
    assert_eq!(neighbour, 202);
    server.runtime().block_on(greedy.pop().unwrap()).unwrap().expect_error(503, "overloaded");
    let accepted = greedy.len() as u64;
    for answer in greedy {
        server.runtime().block_on(answer).unwrap().expect_status(202);
    }
    server.expect_counts(accepted * 20 + 32, 2, accepted * 20 + 30, 0);
}

#[test]
fn stalled_bodies_make_room_for_others_of_the_same_client() {
    let timeouts = Timeouts { body: Duration::from_secs(20), ..PATIENT };
    let server = TestServer::start_timed(Arc::new(RealDisk), timeouts, |_| {});
    let bomb = bomb();
    let stalled: Vec<_> = (0..9).map(|_| begin_to_publish(&server, "content-encoding: gzip\r\n", &bomb)).collect();
    let body = Value::from((0..30).map(|id| large_event(&id.to_string())).collect::<Vec<_>>());
    let mut refused = 0;
    // They are stalled after a tenth of their time.
    while server.publish(&body).status != 202 {
        refused += 1;
        assert!(refused < 100, "stalled bodies keep their memory");
        std::thread::sleep(Duration::from_millis(100));
    }
    server.expect_counts(30, 30, 0, 0);
    drop(stalled);
}
