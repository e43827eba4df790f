//! A thread that reads (or makes) events and hands them on in batches, as fast as they are taken.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::linger::look_after;
use super::source::Source;
use super::{Format, InputError, Record};
use crate::generate::Recipe;
use sekali_client::{Batch, Batches};

/// Where events come from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// Files in this order; `-` is standard input.
    Files {
        /// Their paths.
        paths: Vec<PathBuf>,
        /// Their format, unless each is to be told by its name or beginning.
        format: Option<Format>,
    },
    /// Made up.
    Generated(Recipe),
}

/// How large batches are, and how fast they come.
#[derive(Debug, Clone, Copy)]
pub struct Pacing {
    /// Most events of a batch.
    pub events_max: usize,
    /// Most bytes of a batch.
    pub bytes_max: usize,
    /// Most events a second, if bounded.
    pub rate: Option<f64>,
}

/// The input of a publisher, with the reason why reading failed.
pub type Feed = sekali_client::Feed<InputError>;

/// Starts the thread. It holds at most `ahead` batches that nobody has taken, and ends when the receiver is gone.
pub fn feed(origin: Origin, pacing: Pacing, ahead: usize) -> mpsc::Receiver<Feed> {
    let (sender, receiver) = mpsc::channel(ahead.max(1));
    std::thread::spawn(move || {
        let mut feeder = Feeder { sender, pacing, started: Instant::now(), handed_on: 0 };
        let result = match &origin {
            Origin::Files { paths, format } => paths.iter().try_for_each(|path| feeder.file(path, *format)),
            Origin::Generated(recipe) => feeder.generated(recipe),
        };
        if let Err(Stop::Failed(error)) = result {
            // Whoever has gone does not want to know.
            let _ = feeder.sender.blocking_send(Feed::Failed(error));
        }
    });
    receiver
}

struct Feeder {
    sender: mpsc::Sender<Feed>,
    pacing: Pacing,
    started: Instant,
    handed_on: u64,
}

enum Stop {
    Failed(InputError),
    NobodyListens,
}

impl From<InputError> for Stop {
    fn from(error: InputError) -> Self {
        Self::Failed(error)
    }
}

impl Feeder {
    fn file(&mut self, path: &Path, format: Option<Format>) -> Result<(), Stop> {
        let Source { name, mut events, bytes_read } = Source::open(path, format)?;
        let batches = Batches::new(&name, self.pacing.events_max, self.pacing.bytes_max);
        let batches = Arc::new(Mutex::new(batches));
        if !path.is_file() {
            look_after(&batches, &self.sender);
        }
        let mut event = Vec::new();
        while let Some(record) = events.next(&mut event)? {
            match record {
                Record::Event { line } => {
                    let batch = lock(&batches).push(&event, line);
                    self.hand_on(batch, &bytes_read)?;
                    let batch = lock(&batches).take_full();
                    self.hand_on(batch, &bytes_read)?;
                }
                Record::Invalid { line, reason } => {
                    self.send(Feed::Invalid { place: format!("{name}:{line}"), reason })?;
                }
            }
        }
        let batch = lock(&batches).take();
        self.hand_on(batch, &bytes_read)
    }

    fn generated(&mut self, recipe: &Recipe) -> Result<(), Stop> {
        let nothing_read = AtomicU64::new(0);
        let mut batches = Batches::new("generated", self.pacing.events_max, self.pacing.bytes_max);
        for (event, number) in recipe.events().zip(1..) {
            let batch = batches.push(event.as_bytes(), number);
            self.hand_on(batch, &nothing_read)?;
        }
        let batch = batches.take();
        self.hand_on(batch, &nothing_read)
    }

    /// Hands on a batch, if there is one, when its time has come.
    fn hand_on(&mut self, batch: Option<Batch>, bytes_read: &AtomicU64) -> Result<(), Stop> {
        let Some(mut batch) = batch else { return Ok(()) };
        if let Some(rate) = self.pacing.rate {
            #[expect(clippy::cast_precision_loss, reason = "2^53 events are out of reach")]
            let due = Duration::try_from_secs_f64(self.handed_on as f64 / rate).unwrap_or(Duration::MAX);
            std::thread::sleep(due.saturating_sub(self.started.elapsed()));
        }
        batch.input_bytes = bytes_read.swap(0, Ordering::Relaxed);
        self.handed_on += batch.events();
        self.send(Feed::Batch(batch))
    }

    fn send(&self, item: Feed) -> Result<(), Stop> {
        self.sender.blocking_send(item).map_err(|_| Stop::NobodyListens)
    }
}

fn lock(batches: &Mutex<Batches>) -> MutexGuard<'_, Batches> {
    batches.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pacing(rate: Option<f64>) -> Pacing {
        Pacing { events_max: 10, bytes_max: 1 << 20, rate }
    }

    fn recipe(count: u64) -> Recipe {
        Recipe { count, dup_ratio: 0.5, topics: 1, seed: 1, payload_bytes_min: 0 }
    }

    #[test]
    fn everything_that_is_generated_arrives() {
        let mut feed = feed(Origin::Generated(recipe(25)), pacing(None), 1);
        let mut sizes = Vec::new();
        while let Some(Feed::Batch(batch)) = feed.blocking_recv() {
            sizes.push(batch.events());
        }
        assert_eq!(sizes, [10, 10, 5]);
    }

    #[test]
    fn the_rate_is_kept() {
        let started = Instant::now();
        let mut feed = feed(Origin::Generated(recipe(30)), pacing(Some(100.0)), 4);
        while feed.blocking_recv().is_some() {}
        assert!(started.elapsed() >= Duration::from_millis(200), "{:?}", started.elapsed());
    }

    #[test]
    fn files_follow_one_another_and_a_missing_one_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.ndjson");
        std::fs::write(&path, "{\"a\":1}\nnonsense\n{\"a\":2}\n").unwrap();
        let paths = vec![path.clone(), path, dir.path().join("missing.csv")];
        let mut feed = feed(Origin::Files { paths, format: None }, pacing(None), 1);
        let mut found = Vec::new();
        while let Some(item) = feed.blocking_recv() {
            found.push(match item {
                Feed::Batch(batch) => format!("{} events from {} bytes", batch.events(), batch.input_bytes),
                Feed::Invalid { reason, .. } => reason,
                Feed::Failed(error) => error.to_string().replace(&dir.path().display().to_string(), "DIR"),
            });
        }
        expect_test::expect![[r#"
            not JSON: expected ident at column 2
            2 events from 25 bytes
            not JSON: expected ident at column 2
            2 events from 25 bytes
            cannot read DIR/missing.csv: No such file or directory (os error 2)"#]]
        .assert_eq(&found.join("\n"));
    }
}
