//! SIGKILL at random moments, under load.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::journal::{Journal, event};
use crate::process::{Process, free_port};

const WRITERS: u64 = 8;
const DUPLICATES_PERCENT: u32 = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill9_under_load() {
    let cycles = setting("SEKALI_TORTURE_CYCLES").unwrap_or(30);
    let seed = setting("SEKALI_TORTURE_SEED").unwrap_or_else(rand::random);
    println!("SEKALI_TORTURE_SEED={seed}, {cycles} cycles");
    let dir = tempfile::tempdir().unwrap();
    let journal = Arc::new(Mutex::new(Journal::default()));
    let mut random = StdRng::seed_from_u64(seed);
    let (port, ids) = (free_port(), Arc::new(AtomicU64::new(0)));
    for cycle in 0..cycles {
        let mut server = Process::start(dir.path(), port).await;
        let mut load = JoinSet::new();
        for _ in 0..WRITERS {
            let (url, journal, ids) = (server.url.clone(), Arc::clone(&journal), Arc::clone(&ids));
            load.spawn(write(url, journal, ids, StdRng::seed_from_u64(random.random())));
        }
        load.spawn(read(server.url.clone(), Arc::clone(&journal)));
        tokio::time::sleep(Duration::from_millis(random.random_range(5..200))).await;
        server.kill();
        load.shutdown().await;
        check(dir.path(), port, &journal, cycle == cycles - 1).await;
    }
}

/// Restarts the server, judges what it has, and at the end sends everything again.
async fn check(dir: &Path, port: u16, journal: &Mutex<Journal>, resend: bool) {
    let server = Process::start(dir, port).await;
    let stored = all_events(&server.url).await;
    let stats = get(&format!("{}/stats", server.url)).await.expect("stats");
    let verdict = journal.lock().unwrap().judge(&stored, &stats);
    verdict.check();
    if resend {
        println!("{verdict:?}");
        assert!(verdict.acked > 0, "nothing was acknowledged: nothing was tested");
        let durable = journal.lock().unwrap().durable();
        for events in durable.chunks(1_000) {
            let answer = publish(&server.url, events).await.expect("a healthy server answers");
            assert_eq!((answer["stored"].as_u64(), answer["conflicts"].as_u64()), (Some(0), Some(0)), "{answer}");
        }
        let after = get(&format!("{}/stats", server.url)).await.expect("stats");
        assert_eq!(after["unique_processed"], stats["unique_processed"]);
    }
}

/// Publishes until the server is gone.
async fn write(url: String, journal: Arc<Mutex<Journal>>, ids: Arc<AtomicU64>, mut random: StdRng) {
    loop {
        let events: Vec<_> = (0..random.random_range(1..20)).map(|_| next(&journal, &ids, &mut random)).collect();
        journal.lock().unwrap().sending(&events);
        match publish(&url, &events).await {
            Ok(answer) => journal.lock().unwrap().told(answer["events"].as_array().expect("outcomes")),
            Err(Some(_)) => journal.lock().unwrap().refused(&events),
            Err(None) => return,
        }
    }
}

/// A new event, or one that was sent before.
fn next(journal: &Mutex<Journal>, ids: &AtomicU64, random: &mut StdRng) -> Value {
    if random.random_range(0..100) < DUPLICATES_PERCENT
        && let Some(earlier) = journal.lock().unwrap().earlier(random.random())
    {
        return earlier;
    }
    let id = ids.fetch_add(1, Ordering::Relaxed);
    let text = "x".repeat(random.random_range(0..600));
    event(&format!("topic-{}", id % 5), &format!("id-{id}"), &json!({ "n": id, "text": text }))
}

/// Reads along until the server is gone.
async fn read(url: String, journal: Arc<Mutex<Journal>>) {
    while let Ok(newest) = get(&format!("{url}/events?order=desc&limit=50")).await {
        journal.lock().unwrap().saw(newest.as_array().expect("an array"));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The answer to a batch; `Err(Some(status))` if it was refused, `Err(None)` if no answer came.
async fn publish(url: &str, events: &[Value]) -> Result<Value, Option<u16>> {
    let body = serde_json::to_vec(events).expect("JSON");
    let request = reqwest::Client::new().post(format!("{url}/publish?verbose=true")).body(body);
    let answer = request.header("content-type", "application/json").send().await.map_err(|_| None)?;
    match answer.status().as_u16() {
        202 => serde_json::from_slice(&answer.bytes().await.map_err(|_| None)?).map_err(|_| None),
        status @ 503 => Err(Some(status)),
        status => panic!("unexpected status {status}"),
    }
}

async fn get(url: &str) -> Result<Value, reqwest::Error> {
    let bytes = reqwest::get(url).await?.bytes().await?;
    Ok(serde_json::from_slice(&bytes).expect("JSON"))
}

async fn all_events(url: &str) -> Vec<Value> {
    let request = reqwest::Client::new().get(format!("{url}/events")).header("accept", "application/x-ndjson");
    let body = request.send().await.unwrap().bytes().await.unwrap();
    body.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}
