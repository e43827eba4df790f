//! The progress that is shown while events are sent.

use std::path::PathBuf;
use std::time::Instant;

use crate::cli::term::progress_bar::{ProgressLine, pace};
use crate::digits::grouped;
use crate::input::Origin;
use sekali_client::{Progress, ServerUrl, Tally};
use sekali_wire::escape::escape;

/// Skipped events that are named one by one, unless all are to be.
const NAMED_MAX: u64 = 20;

/// Shows progress on standard error.
pub(crate) struct View {
    gauge: ProgressLine,
    measure: Measure,
    /// The input, by name.
    name: String,
    started: Instant,
    named_max: u64,
    skipped: u64,
    retrying: bool,
}

/// The measure of progress.
#[derive(Clone, Copy)]
enum Measure {
    Events(u64),
    Bytes(u64),
    Unknown,
}

/// The name of an input whose length is not known.
fn name(paths: &[PathBuf]) -> String {
    match paths {
        [path] if path.as_os_str() == "-" => "standard input".to_owned(),
        [path] => escape(&path.display().to_string()).into_owned(),
        several => format!("{} files", several.len()),
    }
}

impl View {
    /// A view on sending what comes from `origin`.
    pub(crate) fn new(origin: &Origin, quiet: bool) -> Self {
        let measure = measure(origin);
        let length = match measure {
            Measure::Events(length) | Measure::Bytes(length) => Some(length),
            Measure::Unknown => None,
        };
        let gauge = ProgressLine::new(length, quiet);
        let name = match origin {
            Origin::Files { paths, .. } => name(paths),
            Origin::Generated(_) => String::new(),
        };
        Self { gauge, measure, name, started: Instant::now(), named_max: NAMED_MAX, skipped: 0, retrying: false }
    }

    /// Names every skipped event, however many there are.
    pub(crate) fn naming_all(self) -> Self {
        Self { named_max: u64::MAX, ..self }
    }

    /// Where there is no bar, says what begins.
    pub(crate) fn announce(&self, url: &ServerUrl) {
        match self.measure {
            Measure::Events(events) => {
                let events = if events == 1 { "1 event".to_owned() } else { format!("{} events", grouped(events)) };
                self.gauge.announce(format_args!("publishing {events} to {url}"));
            }
            Measure::Bytes(bytes) => {
                self.gauge.announce(format_args!("publishing {} bytes of events to {url}", grouped(bytes)));
            }
            Measure::Unknown => self.gauge.announce(format_args!("publishing {} to {url}", self.name)),
        }
    }

    /// Shows what happened.
    pub(crate) fn show(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Failed(reason) => self.gauge.say(escape(reason)),
            Progress::Answered(tally) => {
                self.retrying = false;
                let started = self.started;
                self.gauge.show(position(self.measure, tally), || {
                    let duplicates = grouped(tally.duplicates);
                    format!("{}  {duplicates} duplicates", pace(tally.sent, started.elapsed()))
                });
            }
            Progress::Retrying { reason, wait } => {
                // One notice for each bad spell: with several requests in flight there are many.
                if !std::mem::replace(&mut self.retrying, true) {
                    let seconds = wait.as_secs_f64();
                    self.gauge.say(format_args!("{}; trying again in {seconds:.1} s", escape(reason)));
                }
            }
            // Skipped events are named even if progress is not wanted: they are results.
            Progress::Skipped { place, reason } => {
                self.skipped += 1;
                if self.skipped <= self.named_max {
                    self.gauge.say(format_args!("skipped {}: {}", escape(place), escape(reason)));
                }
            }
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&mut self) {
        self.gauge.finish();
        if self.skipped > self.named_max {
            self.gauge.say(format_args!("and {} more skipped", grouped(self.skipped - self.named_max)));
        }
    }
}

fn measure(origin: &Origin) -> Measure {
    match origin {
        Origin::Generated(recipe) => Measure::Events(recipe.count),
        Origin::Files { paths, .. } => {
            let sizes = paths.iter().map(|path| {
                let file = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
                Some(file.len())
            });
            sizes.sum::<Option<u64>>().map_or(Measure::Unknown, Measure::Bytes)
        }
    }
}

fn position(measure: Measure, tally: &Tally) -> u64 {
    match measure {
        Measure::Bytes(_) => tally.input_bytes,
        Measure::Events(_) | Measure::Unknown => tally.sent,
    }
}
