//! Slow, full and broken disks: the server refuses rather than lies.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sekali_server::limits::QUEUE_BYTES_MAX;
use sekali_server::server::Ended;
use serde_json::{Value, json};

use crate::disk::MoodyDisk;
use crate::server::{TestServer, event};

fn start() -> (Arc<MoodyDisk>, TestServer) {
    let disk = Arc::new(MoodyDisk::default());
    (Arc::clone(&disk), TestServer::start_with(disk, |_| {}))
}

#[test]
fn a_full_disk_refuses_and_recovers_by_itself() {
    let (disk, server) = start();
    server.publish(&event("t", "1")).expect_status(202);
    disk.set_full(Some(""));
    for _ in 0..3 {
        server.publish(&event("t", "2")).expect_error(503, "storage_full");
    }
    assert_eq!(server.get("/events").json().as_array().unwrap().len(), 1);
    let ready = server.get("/readyz").expect_status(200).json();
    assert_eq!(ready["status"], "read_only", "{ready}");
    assert!(ready["reason"].as_str().unwrap().starts_with("storage is full: 0.0 MiB are free"), "{ready}");
    let stats = server.get("/stats").json();
    assert_eq!((&stats["status"], &stats["storage"][0]["free_bytes"]), (&json!("read_only"), &json!(0)), "{stats}");
    disk.set_full(None);
    server.publish(&event("t", "2")).expect_status(202);
    // The next look at the disk ends it, without a request.
    while server.get("/readyz").json()["status"] != "ready" {
        std::thread::sleep(Duration::from_millis(20));
    }
    server.expect_counts(2, 2, 0, 0);
    server.restart().expect_counts(2, 2, 0, 0);
}

#[test]
fn after_a_failed_sync_nothing_is_acknowledged_and_the_server_ends() {
    let (disk, mut server) = start();
    server.publish(&event("t", "1")).expect_status(202);
    disk.fail_syncs();
    server.publish(&event("t", "2")).expect_error(503, "storage_failed");
    server.publish(&event("t", "3")).expect_error(503, "storage_failed");
    let ready = server.get("/readyz").expect_status(503).json();
    assert_eq!(ready["status"], "stopped");
    server.get("/livez").expect_status(200);
    assert_eq!(server.get("/events").json().as_array().unwrap().len(), 1, "readers see only what was synced");
    match server.wait_for_end() {
        Ended::StorageFailed(reason) => assert!(reason.contains("bad mood"), "{reason}"),
        other => panic!("the end should be told apart from a normal one: {other:?}"),
    }
}

#[test]
fn a_committer_that_panics_leaves_nobody_waiting() {
    let (disk, mut server) = start();
    disk.panic_on_sync();
    server.publish(&event("t", "1")).expect_error(503, "storage_failed");
    server.publish(&event("t", "2")).expect_error(503, "storage_failed");
    assert!(matches!(server.wait_for_end(), Ended::StorageFailed(_)));
}

#[test]
fn what_some_partitions_stored_and_others_not_is_completed_by_a_retry() {
    let disk = Arc::new(MoodyDisk::default());
    let server = TestServer::start_with(Arc::clone(&disk) as _, |config| config.partitions = 2);
    let body = Value::from((0..20).map(|number| event(&format!("topic-{number}"), "1")).collect::<Vec<_>>());
    disk.set_full(Some("p0001"));
    server.publish(&body).expect_error(503, "partly_stored");
    let first = server.get("/stats").json()["unique_processed"].as_u64().unwrap();
    assert!(0 < first && first < 20, "{first}");
    disk.set_full(None);
    server.publish(&body).expect_status(202);
    server.expect_counts(20 + first, 20, first, 0);
}

#[test]
fn nothing_is_acknowledged_before_the_sync() {
    let (disk, server) = start();
    disk.hold_syncs(true);
    let waiting: Vec<_> = (0..5)
        .map(|number| server.request("POST", "/publish").body(event("t", &number.to_string()).to_string()).spawn())
        .collect();
    std::thread::sleep(Duration::from_millis(300));
    assert!(waiting.iter().all(|answer| !answer.is_finished()));
    server.expect_nothing_stored();
    server.get("/readyz").expect_status(200);
    disk.hold_syncs(false);
    for answer in waiting {
        server.runtime().block_on(answer).unwrap().expect_status(202);
    }
    server.expect_counts(5, 5, 0, 0);
}

#[test]
fn overload_is_refused_and_what_was_accepted_is_stored() {
    const BODY_BYTES: usize = 24 << 20;
    let (disk, server) = start();
    disk.hold_syncs(true);
    let large = |batch: usize| {
        let payload = json!({"text": "x".repeat(1_000_000)});
        let events = (0..BODY_BYTES / 1_000_000).map(|number| {
            let mut event = event("t", &format!("{batch}-{number}"));
            event["payload"] = payload.clone();
            event
        });
        Value::from(events.collect::<Vec<_>>()).to_string()
    };
    // Three fit: that is as much as one client may have. The excess gets its response while they
    // still wait.
    let sent: Vec<_> = (0..8)
        .map(|batch| {
            let answer = server.request("POST", "/publish").body(large(batch)).spawn();
            std::thread::sleep(Duration::from_millis(50));
            answer
        })
        .collect();
    let deadline = Instant::now() + Duration::from_secs(30);
    while sent.iter().filter(|answer| answer.is_finished()).count() < 5 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    let queued = server.get("/stats").json()["queued_bytes"].as_u64().unwrap();
    assert!(queued <= QUEUE_BYTES_MAX as u64, "{queued}");
    disk.hold_syncs(false);
    let mut accepted = 0;
    for answer in sent {
        let answer = server.runtime().block_on(answer).unwrap();
        match answer.status {
            202 => accepted += answer.json()["stored"].as_u64().unwrap(),
            _ => drop(answer.expect_error(503, "overloaded")),
        }
    }
    assert_eq!(accepted, 3 * (BODY_BYTES as u64 / 1_000_000));
    server.expect_counts(accepted, accepted, 0, 0);
}
