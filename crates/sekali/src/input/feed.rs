//! A thread that reads (or makes) events and hands them on in batches, as fast as they are taken.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::evidence::conflicting;
use super::linger::{Shared, look_after};
use super::source::Source;
use super::{InputError, Options, Record};
use crate::generate::Recipe;
use sekali_client::{Batch, Batches};

/// Where events come from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// Files in this order; `-` is standard input.
    Files {
        /// Their paths.
        paths: Vec<PathBuf>,
        /// How they are read.
        options: Options,
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

/// Starts the thread. It holds at most `ahead` batches that nobody has taken, and ends when the
/// receiver is gone.
pub fn feed(origin: Origin, pacing: Pacing, ahead: usize) -> mpsc::Receiver<Feed> {
    let (sender, receiver) = mpsc::channel(ahead.max(1));
    std::thread::spawn(move || {
        let mut feeder = Feeder { sender, pacing, started: Instant::now(), handed_on: 0 };
        let result = match &origin {
            Origin::Files { paths, options } => paths.iter().try_for_each(|path| feeder.file(path, options)),
            Origin::Generated(recipe) => feeder.generated(recipe),
        };
        // The receiver has left if this is an error.
        let _ = result.and_then(|()| feeder.send(Feed::End));
    });
    receiver
}

struct Feeder {
    sender: mpsc::Sender<Feed>,
    pacing: Pacing,
    started: Instant,
    handed_on: u64,
}

/// The receiver is gone, so that nothing more has to be read.
struct NobodyListens;

impl Feeder {
    /// Hands on a file, or as much of it as can be read.
    fn file(&mut self, path: &Path, options: &Options) -> Result<(), NobodyListens> {
        let mut source = match Source::open(path, options) {
            Ok(source) => source,
            Err(error) => return self.send(Feed::Failed(error)),
        };
        let batches = Batches::new(&source.name, self.pacing.events_max, self.pacing.bytes_max);
        let batches = Arc::new(Mutex::new(batches));
        if !path.is_file() {
            look_after(&batches, &self.sender);
        }
        let mut event = Vec::new();
        let failure = loop {
            match source.events.next(&mut event) {
                Ok(Some(record)) => self.record(record, &event, &source, &batches, options)?,
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        let batch = lock(&batches).take();
        self.hand_on(batch, &source.bytes_read)?;
        failure.map_or(Ok(()), |error| self.send(Feed::Failed(error)))
    }

    fn record(
        &mut self,
        record: Record,
        event: &[u8],
        Source { name, bytes_read, .. }: &Source,
        batches: &Shared,
        options: &Options,
    ) -> Result<(), NobodyListens> {
        let batch = match record {
            Record::Event { line } => match options.take_evidence.then(|| conflicting(event)).flatten() {
                Some(conflicting) => {
                    // It comes behind everything that was read before it.
                    let batch = lock(batches).take_unless(true);
                    self.hand_on(batch, bytes_read)?;
                    lock(batches).push_evidence(&conflicting, line)
                }
                None => {
                    let batch = lock(batches).take_unless(false);
                    self.hand_on(batch, bytes_read)?;
                    lock(batches).push(event, line)
                }
            },
            Record::Invalid { line, rows, reason } if options.skip_bad => {
                return self.send(Feed::Invalid { place: format!("{name}:{line}"), rows, reason });
            }
            Record::Invalid { line, reason, .. } => lock(batches).push_bad(line, reason),
        };
        self.hand_on(batch, bytes_read)?;
        let batch = lock(batches).take_full();
        self.hand_on(batch, bytes_read)
    }

    fn generated(&mut self, recipe: &Recipe) -> Result<(), NobodyListens> {
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
    fn hand_on(&mut self, batch: Option<Batch>, bytes_read: &AtomicU64) -> Result<(), NobodyListens> {
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

    fn send(&self, item: Feed) -> Result<(), NobodyListens> {
        self.sender.blocking_send(item).map_err(|_| NobodyListens)
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
        Recipe { count, dup_ratio: 0.5, topics: 1, seed: 1, payload_bytes_min: 0, start_ns: crate::generate::START_NS }
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

    /// The items that are read from these files.
    fn found(dir: &Path, names: &[&str], options: Options) -> Vec<String> {
        let paths = names.iter().map(|name| dir.join(name)).collect();
        let mut feed = feed(Origin::Files { paths, options }, pacing(None), 1);
        let mut found = Vec::new();
        while let Some(item) = feed.blocking_recv() {
            found.push(match item {
                Feed::Batch(batch) => {
                    let bad = batch.bad.iter().map(|(index, reason)| format!(", bad: {index}: {reason}"));
                    let bad: String = bad.collect();
                    format!("{} events from {} bytes{bad}", batch.events(), batch.input_bytes)
                }
                Feed::Invalid { reason, rows, .. } => format!("{rows} lost: {reason}"),
                Feed::Failed(error) => error.to_string().replace(&dir.display().to_string(), "DIR"),
                Feed::End => "the end".to_owned(),
            });
        }
        found
    }

    #[test]
    fn files_follow_one_another_and_a_missing_one_is_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.ndjson"), "{\"a\":1}\nnonsense\n{\"a\":2}\n").unwrap();
        let options = Options { skip_bad: true, ..Options::default() };
        expect_test::expect![[r#"
            1 lost: not JSON: it begins with "nonsense"
            2 events from 25 bytes
            cannot read DIR/missing.csv: No such file or directory (os error 2)
            1 lost: not JSON: it begins with "nonsense"
            2 events from 25 bytes
            the end"#]]
        .assert_eq(&found(dir.path(), &["a.ndjson", "missing.csv", "a.ndjson"], options).join("\n"));
    }

    #[test]
    fn what_is_bad_goes_along_unless_it_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.ndjson"), "{\"a\":1}\nnonsense\n{\"a\":2}\n").unwrap();
        expect_test::expect![[r#"
            3 events from 25 bytes, bad: 1: not JSON: it begins with "nonsense"
            the end"#]]
        .assert_eq(&found(dir.path(), &["a.ndjson"], Options::default()).join("\n"));
    }

    #[test]
    fn what_was_read_before_a_failure_is_handed_on() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.json"), "[{\"a\":1},{\"a\":2},{\"a\":").unwrap();
        expect_test::expect![[r#"
            2 events from 22 bytes
            DIR/a.json:1: the file ends inside an event: it was cut off
            the end"#]]
        .assert_eq(&found(dir.path(), &["a.json"], Options::default()).join("\n"));
    }
}
