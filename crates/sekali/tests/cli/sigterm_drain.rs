//! SIGTERM under load: every accepted request gets a response, and only events with a response are
//! stored.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sekali_testkit::Trial;
use serde_json::{Value, json};

use crate::process::run;
use crate::served::Served;

const WRITERS: u64 = 16;
const BATCH_EVENTS: u64 = 20;

/// The responses that clients received.
#[derive(Debug, Default)]
struct Told {
    acked: BTreeSet<String>,
    refused: u64,
    /// Requests without a response: the server closed the connection before it read them.
    unanswered: u64,
}

#[test]
fn sigterm_drain() {
    let mut trial = Trial::begin("sigterm_drain", 3);
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (mut acked, mut refused, mut unanswered, mut end_ms_max) = (0, 0, 0, 0);
    while let Some(cycle) = trial.next_cycle() {
        let dir = tempfile::tempdir().unwrap();
        let mut served = Served::start(dir.path());
        let told = Arc::new(Mutex::new(Told::default()));
        let ids = Arc::new(AtomicU64::new(0));
        let client = reqwest::Client::new();
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| runtime.spawn(write(client.clone(), served.url.clone(), Arc::clone(&ids), Arc::clone(&told))))
            .collect();
        std::thread::sleep(Duration::from_millis(200 + 37 * (cycle % 10)));
        let begun = Instant::now();
        served.signal("TERM");
        assert_eq!(served.wait().code(), Some(0));
        end_ms_max = begun.elapsed().as_millis().max(end_ms_max);
        runtime.block_on(async {
            for writer in writers {
                writer.await.unwrap();
            }
        });
        let told = std::mem::take(&mut *told.lock().unwrap());
        assert!(!told.acked.is_empty(), "nothing was published: nothing was tested");
        assert_eq!(stored(&Served::start(dir.path())), told.acked, "what is stored is what was answered");
        acked += told.acked.len();
        refused += told.refused;
        unanswered += told.unanswered;
    }
    trial.note("acked", acked);
    trial.note("refused_requests", refused);
    trial.note("unread_requests", unanswered);
    trial.note("stored_but_unanswered", 0);
    trial.note("acked_lost", 0);
    trial.note("end_ms_max", u64::try_from(end_ms_max).unwrap());
    trial.end();
}

/// Publishes until the server is gone.
async fn write(client: reqwest::Client, url: String, ids: Arc<AtomicU64>, told: Arc<Mutex<Told>>) {
    loop {
        let first = ids.fetch_add(BATCH_EVENTS, Ordering::Relaxed);
        let names: Vec<_> = (first..first + BATCH_EVENTS).map(|id| id.to_string()).collect();
        let events: Vec<_> = names.iter().map(|id| event(id)).collect();
        let sent = client.post(format!("{url}/publish")).body(Value::from(events).to_string()).send().await;
        let mut told = told.lock().unwrap();
        match sent {
            Ok(answer) if answer.status() == 202 => told.acked.extend(names),
            Ok(answer) if answer.status() == 503 => {
                assert!(answer.headers().contains_key("retry-after"));
                told.refused += 1;
            }
            Ok(answer) => panic!("{answer:?}"),
            Err(error) if error.is_connect() => return,
            Err(_) => told.unanswered += 1,
        }
    }
}

fn event(id: &str) -> Value {
    json!({"topic": "t", "event_id": id, "timestamp": "2025-10-24T21:00:00Z", "source": "s", "payload": {}})
}

fn stored(served: &Served) -> BTreeSet<String> {
    let events = run(&["events", "--url", &served.url]).stdout;
    let id = |line| serde_json::from_str::<Value>(line).unwrap()["event_id"].as_str().unwrap().to_owned();
    events.lines().map(id).collect()
}
