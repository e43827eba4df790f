//! A server with hardly any room for further requests.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::disk::MoodyDisk;
use crate::server::{Answer, TestServer, event};

/// A server whose queue is nearly full until the disk goes on.
pub(crate) struct Overloaded {
    pub(crate) server: TestServer,
    disk: Arc<MoodyDisk>,
    waiting: Vec<tokio::task::JoinHandle<Answer>>,
}

impl Overloaded {
    pub(crate) fn start() -> Self {
        let disk = Arc::new(MoodyDisk::default());
        let server = TestServer::start_with(Arc::clone(&disk) as _, |_| {});
        disk.hold_syncs(true);
        let large = |number: usize| {
            let mut event = event("t", &number.to_string());
            event["payload"] = json!({"text": "x".repeat(1_000_000)});
            event
        };
        let body = Value::from((0..24).map(large).collect::<Vec<_>>()).to_string();
        let waiting = (0..3).map(|_| server.request("POST", "/publish").body(body.clone()).spawn()).collect();
        while server.get("/stats").json()["queued_bytes"].as_u64() < Some(3 * 24_000_000) {
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { server, disk, waiting }
    }

    /// The disk goes on.
    pub(crate) fn release(&mut self) {
        self.disk.hold_syncs(false);
        for waiting in self.waiting.drain(..) {
            self.server.runtime().block_on(waiting).unwrap().expect_status(202);
        }
    }

    pub(crate) fn stored(&self, topic: &str) -> usize {
        self.server.get(&format!("/events?topic={topic}")).json().as_array().unwrap().len()
    }
}
