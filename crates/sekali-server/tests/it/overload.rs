//! Four times the server's capacity: it refuses the excess, and stores every accepted event.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::StreamBody;
use hyper::body::Frame;
use sekali_server::limits::QUEUE_BYTES_MAX;
use sekali_testkit::Trial;
use tokio::task::JoinSet;

use crate::disk::MoodyDisk;
use crate::server::{PATIENT, TestServer};

/// Each commit takes at least this long, and at most a thirty-second of the queue.
const SYNC_TIME: Duration = Duration::from_millis(100);
const EVENTS: u64 = 400;
const PAYLOAD_BYTES: usize = 10_000;
/// Requests in flight that keep the server busy and fit its queue.
const FITTING: usize = 16;
/// Four times as many as fit.
const TOO_MANY: usize = 4 * QUEUE_BYTES_MAX / (EVENTS as usize * PAYLOAD_BYTES);

/// The responses that clients received.
#[derive(Debug, Default)]
struct Told {
    accepted: AtomicU64,
    refused: AtomicU64,
    ids: AtomicU64,
}

#[test]
fn overload() {
    let mut trial = Trial::begin("overload", 1);
    let (mut refused, mut share_min, mut recovery_ms_max, mut memory_mib_max, mut health_ms_max) =
        (0, u64::MAX, 0, 0, 0);
    while trial.next_cycle().is_some() {
        let disk = Arc::new(MoodyDisk::default());
        let server = TestServer::start_timed(Arc::clone(&disk) as _, PATIENT, |_| {});
        disk.slow_syncs(SYNC_TIME);
        let told = Arc::new(Told::default());
        let peak = load(&server, &told, FITTING, || {});
        assert_eq!(told.refused.load(Ordering::Relaxed), 0, "it can take this much");
        let accepted = load(&server, &told, TOO_MANY, || {
            let asked = Instant::now();
            server.get("/livez").expect_status(200);
            server.get("/readyz").expect_status(200);
            health_ms_max = asked.elapsed().as_millis().max(health_ms_max);
            let stats = server.get("/stats").expect_status(200).json();
            assert!(stats["queued_bytes"].as_u64() <= Some(QUEUE_BYTES_MAX as u64), "{stats}");
            memory_mib_max = memory_mib().max(memory_mib_max);
        });
        let begun = Instant::now();
        while server.publish(&crate::server::event("after", "1")).status != 202 {
            assert!(begun.elapsed() < Duration::from_secs(60), "it does not recover");
        }
        recovery_ms_max = begun.elapsed().as_millis().max(recovery_ms_max);
        assert!(told.refused.load(Ordering::Relaxed) > 0, "there was no overload");
        refused += told.refused.load(Ordering::Relaxed);
        assert!(accepted > 0.0, "while it was overloaded it did nothing");
        share_min = ((100.0 * accepted / peak) as u64).min(share_min);
        let stored = told.accepted.load(Ordering::Relaxed) + 1;
        server.expect_counts(stored, stored, 0, 0);
    }
    trial.note("refused_requests", refused);
    trial.note("accepted_percent_of_peak_min", share_min);
    trial.note("recovery_ms_max", u64::try_from(recovery_ms_max).unwrap());
    trial.note("health_ms_max", u64::try_from(health_ms_max).unwrap());
    trial.note("memory_mib_max", memory_mib_max);
    trial.note("acked_lost", 0);
    trial.note("stored_twice", 0);
    trial.end();
}

/// Publishes over this many connections for a while and calls `watch` now and then. Returns the
/// events accepted per second, up to the last response.
fn load(server: &TestServer, told: &Arc<Told>, connections: usize, mut watch: impl FnMut()) -> f64 {
    const WHILE: Duration = Duration::from_secs(4);
    let begun = Instant::now();
    let until = begun + WHILE;
    let client = reqwest::Client::builder().build().unwrap();
    let url = format!("http://{}/publish", server.address());
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        clients.spawn_on(publish(client.clone(), url.clone(), Arc::clone(told), until), server.runtime().handle());
    }
    let before = told.accepted.load(Ordering::Relaxed);
    while Instant::now() < until {
        watch();
        std::thread::sleep(Duration::from_millis(100));
    }
    server.runtime().block_on(async { while clients.join_next().await.transpose().unwrap().is_some() {} });
    (told.accepted.load(Ordering::Relaxed) - before) as f64 / begun.elapsed().as_secs_f64()
}

async fn publish(client: reqwest::Client, url: String, told: Arc<Told>, until: Instant) {
    let (payload, end) =
        (Bytes::from(format!(r#"{{"x":"{}"}}"#, "x".repeat(PAYLOAD_BYTES))), Bytes::from_static(b"}\n"));
    while Instant::now() < until {
        let first = told.ids.fetch_add(EVENTS, Ordering::Relaxed);
        // All share one payload, so that the memory is the server's.
        let pieces: Vec<_> =
            (first..first + EVENTS).flat_map(|id| [beginning(id).into(), payload.clone(), end.clone()]).collect();
        let length: usize = pieces.iter().map(Bytes::len).sum();
        let frames = pieces.into_iter().map(|piece| Ok::<_, std::convert::Infallible>(Frame::data(piece)));
        let body = reqwest::Body::wrap(StreamBody::new(tokio_stream::iter(frames)));
        let request = client.post(&url).header("content-type", "application/x-ndjson").header("content-length", length);
        let answer = request.body(body).send().await.unwrap();
        match answer.status().as_u16() {
            202 => drop(told.accepted.fetch_add(EVENTS, Ordering::Relaxed)),
            503 => {
                assert!(answer.headers().contains_key("retry-after"));
                told.refused.fetch_add(1, Ordering::Relaxed);
                // An impatient client: `Retry-After` asks for ten times as long.
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            status => panic!("{status}"),
        }
    }
}

fn beginning(id: u64) -> String {
    format!(r#"{{"topic":"t","event_id":"{id}","timestamp":"2025-10-24T21:00:00Z","source":"s","payload":"#)
}

/// Memory of this process: server, clients and, in an ordinary run, the tests beside this one. So
/// it is only reported; the bytes queued in the server are checked.
fn memory_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
