//! Clients that publish and read until the server is gone, and check its events when it is back.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::journal::{Journal, Rot, Verdict, event};

const WRITERS: u64 = 8;
const DUPLICATES_PERCENT: u32 = 30;
/// The longest wait for a response: a stopped server sends none.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// Clients at work.
#[derive(Debug)]
pub(crate) struct Load(JoinSet<()>);

/// The clients of one store, across all faults.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    journal: Mutex<Journal>,
    ids: AtomicU64,
    /// Set once a server has returned `storage_failed`.
    failed: AtomicBool,
    /// Requests that were sent after that and still acknowledged.
    acked_after_failure: AtomicU64,
}

/// The response to a batch.
#[derive(Debug)]
pub(crate) enum Answer {
    /// 202, with these outcomes.
    Told(Vec<Value>),
    /// 503, and nothing of it was stored.
    Refused {
        /// The error's code.
        code: String,
        /// Whether it came with `Retry-After`.
        retry_after: bool,
    },
    /// 503; a restart shows which events were stored.
    InDoubt,
    /// The connection ended first.
    None,
}

impl Load {
    /// Waits until all have ended.
    pub(crate) async fn join(self) {
        self.0.join_all().await;
    }

    /// Aborts all.
    pub(crate) async fn cut_off(mut self) {
        self.0.abort_all();
        while let Some(ended) = self.0.join_next().await {
            assert!(
                ended.as_ref().err().is_none_or(tokio::task::JoinError::is_cancelled),
                "a client panicked: {ended:?}"
            );
        }
    }
}

impl Clients {
    /// Writers and a reader. They end when the server is gone or has failed.
    pub(crate) fn load(self: &Arc<Self>, url: &str, random: &mut StdRng) -> Load {
        let mut tasks = JoinSet::new();
        for _ in 0..WRITERS {
            let (clients, url, random) = (Arc::clone(self), url.to_owned(), StdRng::seed_from_u64(random.random()));
            tasks.spawn(async move { clients.write(&url, random).await });
        }
        let (clients, url) = (Arc::clone(self), url.to_owned());
        tasks.spawn(async move { clients.read(&url).await });
        Load(tasks)
    }

    /// Publishes until the server is gone or has failed.
    async fn write(&self, url: &str, mut random: StdRng) {
        let http = client();
        loop {
            let count = random.random_range(1..20);
            let events: Vec<_> = (0..count).map(|_| self.next(&mut random)).collect();
            match self.send(&http, url, &events).await {
                Answer::Told(_) => {}
                Answer::Refused { .. } => tokio::time::sleep(Duration::from_millis(10)).await,
                Answer::InDoubt | Answer::None => return,
            }
        }
    }

    /// Publishes a batch once, and notes the events and the response.
    pub(crate) async fn send(&self, http: &Client, url: &str, events: &[Value]) -> Answer {
        let has_failed = self.failed.load(Ordering::SeqCst);
        self.journal().sending(events);
        let answer = publish(http, url, events).await.unwrap_or(Answer::None);
        match &answer {
            Answer::Told(outcomes) => {
                self.journal().told(outcomes);
                self.acked_after_failure.fetch_add(has_failed.into(), Ordering::SeqCst);
            }
            Answer::Refused { .. } => self.journal().refused(events),
            Answer::InDoubt => self.failed.store(true, Ordering::SeqCst),
            Answer::None => {}
        }
        answer
    }

    /// A new event, or one that was sent before.
    pub(crate) fn next(&self, random: &mut StdRng) -> Value {
        if random.random_range(0..100) < DUPLICATES_PERCENT
            && let Some(earlier) = self.journal().earlier(random.random())
        {
            return earlier;
        }
        let length = random.random_range(0..600);
        self.new_event(length)
    }

    /// A new event with a text of this length.
    pub(crate) fn new_event(&self, length: usize) -> Value {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        event(&format!("topic-{}", id % 5), &format!("id-{id}"), &json!({ "n": id, "text": "x".repeat(length) }))
    }

    /// Reads new events until the server is gone.
    async fn read(&self, url: &str) {
        let http = client();
        while let Ok(newest) = get(&http, &format!("{url}/events?order=desc&limit=50")).await {
            self.journal().saw(newest.as_array().expect("an array"));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Judges the events of a server after recovery.
    pub(crate) async fn judge(&self, url: &str) -> Verdict {
        let http = client();
        let stored = all_events(&http, url).await;
        let stats = get(&http, &format!("{url}/stats")).await.expect("stats");
        self.journal().judge(&stored, &stats)
    }

    /// The same clients, for another copy of their store.
    pub(crate) fn fork(&self) -> Arc<Self> {
        let ids = AtomicU64::new(self.ids.load(Ordering::SeqCst));
        Arc::new(Self { journal: Mutex::new(self.journal().clone()), ids, ..Self::default() })
    }

    /// Judges the events of a server that was killed at that moment, and then damaged.
    pub(crate) async fn judge_rot(&self, url: &str, killed: Instant) -> Rot {
        let http = client();
        let stored = all_events(&http, url).await;
        let stats = get(&http, &format!("{url}/stats")).await.expect("stats");
        self.journal().judge_rot(&stored, &stats, killed)
    }

    /// Sends all acknowledged events again after damage: those that are there are duplicates, and
    /// afterwards each is there once. `false` if the server has stopped to mend itself at its next
    /// start.
    pub(crate) async fn check_healing(&self, url: &str) -> bool {
        let http = client();
        let key = |event: &Value| format!("{}/{}", event["topic"], event["event_id"]);
        let before: HashSet<_> = all_events(&http, url).await.iter().map(key).collect();
        let durable = self.journal().durable();
        for events in durable.chunks(1_000) {
            let outcomes = match publish(&http, url, events).await {
                Ok(Answer::Told(outcomes)) => outcomes,
                Ok(Answer::InDoubt) | Err(_) => return false,
                Ok(answer) => panic!("the server takes events: {answer:?}"),
            };
            for outcome in &outcomes {
                let expected = if before.contains(&key(outcome)) { "duplicate" } else { "stored" };
                assert_eq!(outcome["outcome"], expected, "{outcome}");
            }
        }
        let after = all_events(&http, url).await;
        let keys: HashSet<_> = after.iter().map(key).collect();
        assert_eq!(after.len(), keys.len(), "an event is there twice");
        assert!(durable.iter().all(|event| keys.contains(&key(event))), "an event was not stored again");
        true
    }

    /// Sends all acknowledged events again, which must change nothing.
    pub(crate) async fn check_resend(&self, url: &str) {
        let http = client();
        let unique = || async {
            let stats = get(&http, &format!("{url}/stats")).await.expect("stats");
            stats["unique_processed"].as_u64().expect("a counter")
        };
        let (before, durable) = (unique().await, self.journal().durable());
        for events in durable.chunks(1_000) {
            let answer = publish(&http, url, events).await.expect("a healthy server answers");
            let Answer::Told(outcomes) = answer else { panic!("a healthy server takes events: {answer:?}") };
            let is_duplicate = |outcome: &Value| outcome["outcome"] == "duplicate";
            assert!(outcomes.iter().all(is_duplicate), "sent again, and not a duplicate: {outcomes:?}");
        }
        assert_eq!(unique().await, before, "sending everything again has stored something");
    }

    /// Whether a server has returned `storage_failed`.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::SeqCst)
    }

    /// Requests sent after that and still acknowledged.
    pub(crate) fn acked_after_failure(&self) -> u64 {
        self.acked_after_failure.load(Ordering::SeqCst)
    }

    /// Events acknowledged so far.
    pub(crate) fn acked(&self) -> u64 {
        self.journal().acked
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().expect("no client has panicked")
    }
}

/// A client with connections of its own.
pub(crate) fn client() -> Client {
    Client::builder().timeout(ANSWER_TIMEOUT).build().expect("a client")
}

/// The error is a connection that ended before the response did.
async fn publish(http: &Client, url: &str, events: &[Value]) -> Result<Answer, reqwest::Error> {
    let body = serde_json::to_vec(events).expect("JSON");
    let request = http.post(format!("{url}/publish?verbose=true")).header("content-type", "application/json");
    let answer = request.body(body).send().await?;
    let (status, retry_after) = (answer.status().as_u16(), answer.headers().contains_key("retry-after"));
    let mut body: Value = serde_json::from_slice(&answer.bytes().await?).expect("JSON");
    if status == 202 {
        let Value::Array(outcomes) = body["events"].take() else { panic!("outcomes were asked for: {body}") };
        return Ok(Answer::Told(outcomes));
    }
    assert_eq!(status, 503, "{body}");
    match body["code"].as_str().expect("a code") {
        "storage_failed" | "partly_stored" => Ok(Answer::InDoubt),
        code => Ok(Answer::Refused { code: code.to_owned(), retry_after }),
    }
}

pub(crate) async fn get(http: &Client, url: &str) -> Result<Value, reqwest::Error> {
    let answer = http.get(url).send().await?.error_for_status()?;
    Ok(serde_json::from_slice(&answer.bytes().await?).expect("JSON"))
}

async fn all_events(http: &Client, url: &str) -> Vec<Value> {
    let request = http.get(format!("{url}/events")).header("accept", "application/x-ndjson");
    let body = request.send().await.unwrap().bytes().await.unwrap();
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}
