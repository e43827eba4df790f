//! A client's journal: the events it sent, the responses it got, and the events it read.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use sekali_testkit::Trial;
use serde_json::Value;

/// Events that were acknowledged so shortly before a kill may look like an unfinished commit if
/// they rot: the server marks each second how far its log is durable, and may be late by as much.
const UNMARKED: Duration = Duration::from_secs(2);

/// The journal of one key.
#[derive(Debug, Clone)]
struct Known {
    payload: Value,
    /// Sends without a response, or not yet with one.
    unanswered: u32,
    /// The seq in a 202: the event is stored for good.
    durable: Option<u64>,
    /// When the first 202 came.
    acked_at: Option<Instant>,
}

/// The journal of all clients.
#[derive(Debug, Default, Clone)]
pub(crate) struct Journal {
    keys: HashMap<String, Known>,
    order: Vec<String>,
    seen: BTreeMap<u64, String>,
    pub(crate) acked: u64,
}

impl Journal {
    /// Notes that events are about to be sent.
    pub(crate) fn sending(&mut self, events: &[Value]) {
        for event in events {
            let key = key(event);
            let known = self.keys.entry(key.clone()).or_insert_with(|| {
                self.order.push(key);
                Known { payload: event["payload"].clone(), unanswered: 0, durable: None, acked_at: None }
            });
            known.unanswered += 1;
        }
    }

    /// Notes the outcomes in a 202.
    pub(crate) fn told(&mut self, outcomes: &[Value]) {
        for outcome in outcomes {
            let seq = outcome["seq"].as_u64().expect("a seq");
            let kind = outcome["outcome"].as_str().expect("an outcome");
            assert_ne!(kind, "conflict", "{outcome}: only equal content was sent");
            let known = self.answered(outcome);
            // Two responses may arrive in another order than the decisions, but they name one seq.
            assert_eq!(known.durable.unwrap_or(seq), seq, "{outcome}: stored twice");
            known.durable = Some(seq);
            known.acked_at.get_or_insert_with(Instant::now);
            self.acked += 1;
        }
    }

    /// Notes a refusal whose code says that nothing was stored.
    pub(crate) fn refused(&mut self, events: &[Value]) {
        for event in events {
            self.answered(event);
        }
    }

    fn answered(&mut self, event: &Value) -> &mut Known {
        let known = self.keys.get_mut(&key(event)).expect("it was sent");
        known.unanswered -= 1;
        known
    }

    /// Notes events that a reader was shown.
    pub(crate) fn saw(&mut self, events: &[Value]) {
        for event in events {
            self.seen.insert(event["seq"].as_u64().expect("a seq"), key(event));
        }
    }

    /// A random event that was sent before, in the same form.
    pub(crate) fn earlier(&self, choice: u64) -> Option<Value> {
        let key = self.order.get((choice % self.order.len().max(1) as u64) as usize)?;
        let (topic, event_id) = key.split_once('/')?;
        Some(event(topic, event_id, &self.keys.get(key)?.payload))
    }

    /// Every event that must be stored, in the form it was sent.
    pub(crate) fn durable(&self) -> Vec<Value> {
        let durable = self.keys.iter().filter(|(_, known)| known.durable.is_some());
        durable
            .filter_map(|(key, known)| Some((key.split_once('/')?, known)))
            .map(|((topic, event_id), known)| event(topic, event_id, &known.payload))
            .collect()
    }

    /// Judges a server after recovery: all its events, and its `/stats`.
    pub(crate) fn judge(&self, stored: &[Value], stats: &Value) -> Verdict {
        let mut verdict = Verdict { acked: self.acked, ..Verdict::default() };
        let mut present = HashMap::new();
        let mut seqs = BTreeSet::new();
        for event in stored {
            let seq = event["seq"].as_u64().expect("a seq");
            verdict.seq_repeated += u64::from(!seqs.insert(seq));
            verdict.stored_twice += u64::from(present.insert(key(event), (seq, &event["payload"])).is_some());
        }
        verdict.seq_gaps = seqs.last().map_or(0, |last| last - seqs.len() as u64);
        for (key, known) in &self.keys {
            match (known.durable, present.get(key)) {
                (Some(_), None) => verdict.acked_lost += 1,
                (Some(told), Some((seq, payload))) => {
                    verdict.wrong_bytes += u64::from(told != *seq || **payload != known.payload);
                }
                (None, Some(_)) if known.unanswered == 0 => verdict.refused_stored += 1,
                (None, Some((_, payload))) => verdict.wrong_bytes += u64::from(**payload != known.payload),
                (None, None) => {}
            }
        }
        verdict.invented = present.keys().filter(|key| !self.keys.contains_key(*key)).count() as u64;
        let here = |seq: u64, key: &String| present.get(key).is_some_and(|(at, _)| *at == seq);
        verdict.read_then_vanished = self.seen.iter().filter(|(seq, key)| !here(**seq, key)).count() as u64;
        let count = |name: &str| stats[name].as_u64().expect("a counter");
        let (received, unique) = (count("received"), count("unique_processed"));
        verdict.counters_off =
            u64::from(received != unique + count("duplicate_dropped") || unique != stored.len() as u64);
        verdict.damaged = stats["damage"].as_array().expect("a list").len() as u64;
        verdict
    }
}

/// The oracle's counts after a kill and rot.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rot {
    pub(crate) acked: u64,
    /// Missing events that the server names.
    pub(crate) named: u64,
    /// Missing events that it need not name, because their commits may have been unfinished.
    pub(crate) recent: u64,
    /// Starts that were refused.
    pub(crate) refused: u64,
    /// Missing events beyond those. Must be 0, as the next two.
    pub(crate) silent: u64,
    pub(crate) twice: u64,
    pub(crate) wrong: u64,
}

impl Journal {
    /// Judges the events of a server that was killed at that moment, and then damaged.
    pub(crate) fn judge_rot(&self, stored: &[Value], stats: &Value, killed: Instant) -> Rot {
        let mut rot = Rot { acked: self.acked, ..Rot::default() };
        let lost: Vec<_> = stats["damage"].as_array().expect("a list").iter().filter_map(lost_seqs).collect();
        let mut present = HashMap::new();
        for event in stored {
            rot.twice += u64::from(present.insert(key(event), event).is_some());
        }
        for (key, known) in &self.keys {
            match (known.durable.zip(known.acked_at), present.get(key)) {
                (Some((seq, _)), Some(event)) => {
                    rot.wrong += u64::from(event["seq"] != seq || event["payload"] != known.payload);
                }
                (Some((seq, acked_at)), None) => {
                    let is_named = lost.iter().any(|(first, last)| (first..=last).contains(&&seq));
                    let is_recent = acked_at + UNMARKED > killed;
                    let count = match (is_named, is_recent) {
                        (true, _) => &mut rot.named,
                        (false, true) => &mut rot.recent,
                        (false, false) => &mut rot.silent,
                    };
                    *count += 1;
                }
                (None, Some(event)) => rot.wrong += u64::from(event["payload"] != known.payload),
                (None, None) => {}
            }
        }
        rot.wrong += present.keys().filter(|key| !self.keys.contains_key(*key)).count() as u64;
        rot
    }
}

/// The seqs that a line of `damage` calls lost, if there are any.
fn lost_seqs(line: &Value) -> Option<(u64, u64)> {
    let line = line.as_str().expect("text");
    let (_, seqs) = line.split_once(" with seq ")?;
    let (seqs, _) = seqs.split_once(" are lost").or_else(|| seqs.split_once(" is lost"))?;
    let (first, last) = seqs.split_once(" to ").unwrap_or((seqs, seqs));
    Some((first.parse().expect("a seq"), last.parse().expect("a seq")))
}

/// The oracle's counts. All but `acked` must be 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) acked: u64,
    pub(crate) acked_lost: u64,
    pub(crate) stored_twice: u64,
    pub(crate) read_then_vanished: u64,
    pub(crate) wrong_bytes: u64,
    pub(crate) refused_stored: u64,
    pub(crate) invented: u64,
    pub(crate) seq_gaps: u64,
    pub(crate) seq_repeated: u64,
    pub(crate) counters_off: u64,
    pub(crate) damaged: u64,
}

impl Verdict {
    /// Fails the test if the promise was broken.
    #[track_caller]
    pub(crate) fn check(&self) -> Self {
        assert_eq!(*self, Self { acked: self.acked, ..Self::default() }, "the promise was broken");
        *self
    }

    fn figures(&self) -> [(&'static str, u64); 11] {
        [
            ("acked", self.acked),
            ("acked_lost", self.acked_lost),
            ("stored_twice", self.stored_twice),
            ("read_then_vanished", self.read_then_vanished),
            ("wrong_bytes", self.wrong_bytes),
            ("refused_stored", self.refused_stored),
            ("invented", self.invented),
            ("seq_gaps", self.seq_gaps),
            ("seq_repeated", self.seq_repeated),
            ("counters_off", self.counters_off),
            ("damaged", self.damaged),
        ]
    }
}

/// The verdicts on all the stores of a test, added up.
#[derive(Debug, Default)]
pub(crate) struct Totals(BTreeMap<&'static str, u64>);

impl Totals {
    /// Adds the last verdict on a store.
    pub(crate) fn add(&mut self, verdict: Verdict) {
        for (name, count) in verdict.figures() {
            *self.0.entry(name).or_default() += count;
        }
    }

    /// Reports them. A run without acknowledged events has tested nothing, and fails.
    pub(crate) fn note(&self, trial: &mut Trial) {
        for (name, _) in Verdict::default().figures() {
            let count = self.0.get(name).copied().unwrap_or(0);
            assert!(name != "acked" || count > 0, "nothing was acknowledged: nothing was tested");
            trial.note(name, count);
        }
    }
}

/// An event in the form it is sent.
pub(crate) fn event(topic: &str, event_id: &str, payload: &Value) -> Value {
    serde_json::json!({
        "topic": topic, "event_id": event_id, "timestamp": "2026-01-01T00:00:00Z", "source": "torture", "payload": payload,
    })
}

fn key(event: &Value) -> String {
    format!("{}/{}", event["topic"].as_str().expect("a topic"), event["event_id"].as_str().expect("an event id"))
}
