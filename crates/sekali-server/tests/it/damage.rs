//! Damaged events: the service names them, and publishing them again heals the damage.

use std::path::PathBuf;
use std::sync::Arc;

use sekali_store::disk::memory::MemoryDisk;
use serde_json::{Value, json};

use crate::server::{TestServer, event};

fn start(disk: &MemoryDisk) -> TestServer {
    TestServer::start_with(Arc::new(disk.clone()), |config| config.data_dir = PathBuf::from("/store"))
}

#[test]
fn a_lost_event_degrades_the_service_until_the_loss_is_accepted_and_a_resend_heals_it() {
    let disk = MemoryDisk::new();
    let mut server = start(&disk);
    let all = Value::from((1..=3).map(|id| event("t", &id.to_string())).collect::<Vec<_>>());
    server.publish(&all).expect_status(202);
    server.stop();
    let disk = disk.kill();
    let log = disk.paths().into_iter().find(|path| path.extension().is_some_and(|ending| ending == "log")).unwrap();
    // The only commit is gone completely; the store knows that it existed.
    assert!(disk.corrupt(&log, |bytes| bytes[64..].fill(0)));

    let mut server = start(&disk);
    let ready = server.get("/readyz").expect_status(200).json();
    assert_eq!(ready["status"], "degraded");
    let damage = ready["damage"][0].as_str().unwrap();
    assert!(damage.ends_with("events with seq 1 to 3 are lost; publish them again"), "{damage}");
    assert_eq!(server.get("/stats").json()["damage"], ready["damage"]);
    server.expect_counts(3, 3, 0, 0);

    assert_eq!(server.publish(&all).expect_status(202).json()["stored"], 3);
    assert_eq!(server.publish(&all).expect_status(202).json()["duplicates"], 3);
    assert_eq!(server.get("/events").json().as_array().unwrap().len(), 3);
    assert_eq!(server.get("/readyz").json()["status"], "degraded", "nobody knows that this was all");
    server.stop();

    let store = sekali_store::StoreOptions::new().disk(Arc::new(disk.clone())).open(&PathBuf::from("/store"));
    for mut partition in store.unwrap().into_partitions() {
        let shown = partition.verify(|_| {}).unwrap();
        assert_eq!(partition.accept_damage(&shown).unwrap(), 1);
        partition.close().unwrap();
    }
    let server = start(&disk);
    assert_eq!(server.get("/readyz").json(), json!({"status": "ready"}));
    assert_eq!(server.publish(&all).expect_status(202).json()["duplicates"], 3);
}
