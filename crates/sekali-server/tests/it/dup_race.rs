//! Many clients send one event at once, and the disk fails at a random moment.

use std::path::PathBuf;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sekali_store::disk::memory::{Fault, MemoryDisk};
use sekali_testkit::Trial;

use crate::server::{Answer, TestServer, event};

const CLIENTS: usize = 64;

fn start(disk: &MemoryDisk) -> TestServer {
    TestServer::start_with(Arc::new(disk.clone()), |config| config.data_dir = PathBuf::from("/store"))
}

/// Lets all clients send the event at once.
fn race(server: &TestServer) -> Vec<Answer> {
    let body = event("t", "the one").to_string();
    let sent: Vec<_> = (0..CLIENTS).map(|_| server.request("POST", "/publish").body(body.clone()).spawn()).collect();
    sent.into_iter().map(|answer| server.runtime().block_on(answer).unwrap()).collect()
}

/// Clients whose event was acknowledged as stored or duplicate. The others were refused.
fn told(answers: &[Answer]) -> (u64, u64) {
    let (mut stored, mut duplicates) = (0, 0);
    for answer in answers {
        if answer.status == 503 {
            assert!(answer.header("retry-after").is_some(), "{answer:?}");
            continue;
        }
        assert_eq!(answer.status, 202, "{answer:?}");
        stored += answer.json()["stored"].as_u64().unwrap();
        duplicates += answer.json()["duplicates"].as_u64().unwrap();
    }
    (stored, duplicates)
}

#[test]
fn dup_race() {
    let mut trial = Trial::begin("dup_race", 8);
    let (mut acked, mut failed) = (0, 0_u64);
    while let Some(cycle) = trial.next_cycle() {
        let mut random = StdRng::seed_from_u64(trial.seed() + cycle);
        let disk = MemoryDisk::new();
        let mut server = start(&disk);
        let fault = Fault::ALL[random.random_range(0..Fault::ALL.len())];
        disk.fail_call(disk.calls() + random.random_range(0..5), fault);
        let (stored, duplicates) = told(&race(&server));
        assert!(stored <= 1, "stored {stored} times");
        let is_durable = stored + duplicates > 0;
        acked += stored + duplicates;
        failed += u64::from(stored + duplicates < CLIENTS as u64);

        // After a power cut an acknowledged event is there, and an unacknowledged one can be sent
        // again.
        let image = disk.power_cut(&mut |bound| random.random_range(0..bound));
        server.stop();
        let server = start(&image);
        let (stored_later, duplicates) = told(&race(&server));
        assert_eq!(stored_later + duplicates, CLIENTS as u64, "a healthy server refuses nobody");
        assert!(stored_later == 0 || !is_durable, "acknowledged and lost");
        assert_eq!(server.get("/events?topic=t").json().as_array().unwrap().len(), 1, "stored exactly once");
    }
    trial.note("acked", acked);
    trial.note("cycles_with_refusals", failed);
    for promise in ["acked_lost", "stored_twice"] {
        trial.note(promise, 0);
    }
    trial.end();
}
