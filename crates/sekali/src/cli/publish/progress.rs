//! What people see while events are sent: a bar on a terminal, a line now and then in a container's log.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::output::{grouped, note};
use crate::client::{Progress, ServerUrl, Tally};
use crate::escape::escape;
use crate::input::Origin;

/// Between two lines where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);
/// Skipped events that are named one by one.
const NAMED_MAX: u64 = 20;

/// Shows progress on standard error.
pub(crate) struct View {
    kind: Kind,
    measure: Measure,
    started: Instant,
    skipped: u64,
    retrying: bool,
}

enum Kind {
    Silent,
    Lines { next: Instant },
    Bar(ProgressBar),
}

/// What tells how far we are.
#[derive(Clone, Copy)]
enum Measure {
    Events(u64),
    Bytes(u64),
    Unknown,
}

impl View {
    /// A view on sending what comes from `origin`.
    pub(crate) fn new(origin: &Origin, quiet: bool) -> Self {
        let measure = measure(origin);
        let kind = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Kind::Silent,
            (false, true) => Kind::Bar(bar(measure)),
            (false, false) => Kind::Lines { next: Instant::now() + LINE_INTERVAL },
        };
        Self { kind, measure, started: Instant::now(), skipped: 0, retrying: false }
    }

    /// Where there is no bar, says what begins.
    pub(crate) fn announce(&self, url: &ServerUrl) {
        let Kind::Lines { .. } = self.kind else { return };
        match self.measure {
            Measure::Events(events) => note(format_args!("publishing {} events to {url}", grouped(events))),
            Measure::Bytes(bytes) => note(format_args!("publishing {} bytes of events to {url}", grouped(bytes))),
            Measure::Unknown => note(format_args!("publishing standard input to {url}")),
        }
    }

    /// Shows what happened.
    pub(crate) fn show(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Answered(tally) => self.answered(tally),
            Progress::Retrying { reason, wait } => {
                // One notice for each bad spell: with several requests in flight there are many.
                if !std::mem::replace(&mut self.retrying, true) {
                    self.say(&format!("{}; trying again in {:.1} s", escape(reason), wait.as_secs_f64()));
                }
            }
            Progress::Skipped { place, reason } => {
                self.skipped += 1;
                if self.skipped <= NAMED_MAX {
                    self.say(&format!("skipped {}: {}", escape(place), escape(reason)));
                }
            }
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&mut self) {
        if let Kind::Bar(bar) = &self.kind {
            bar.finish_and_clear();
        }
        if self.skipped > NAMED_MAX {
            self.say(&format!("and {} more skipped", grouped(self.skipped - NAMED_MAX)));
        }
    }

    fn answered(&mut self, tally: &Tally) {
        self.retrying = false;
        match &mut self.kind {
            Kind::Silent => {}
            Kind::Bar(bar) => {
                bar.set_position(position(self.measure, tally));
                bar.set_message(figures(tally, self.started.elapsed()));
            }
            Kind::Lines { next } if Instant::now() >= *next => {
                *next = Instant::now() + LINE_INTERVAL;
                note(figures(tally, self.started.elapsed()));
            }
            Kind::Lines { .. } => {}
        }
    }

    /// Skipped events are named even if progress is not wanted: they are results.
    fn say(&self, text: &str) {
        match &self.kind {
            Kind::Bar(bar) => bar.suspend(|| note(text)),
            _ => note(text),
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

fn bar(measure: Measure) -> ProgressBar {
    let (length, template) = match measure {
        Measure::Events(events) => (Some(events), "{bar:30.cyan} {percent:>3}%  {msg}  {eta} left"),
        Measure::Bytes(bytes) => (Some(bytes), "{bar:30.cyan} {percent:>3}%  {msg}  {eta} left"),
        Measure::Unknown => (None, "{spinner}  {msg}"),
    };
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr_with_hz(10));
    // The templates are constants; if one were wrong the bar would be plain.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━━─"));
    }
    bar
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a rate for people"
)]
fn figures(tally: &Tally, elapsed: Duration) -> String {
    let rate = tally.sent as f64 / elapsed.as_secs_f64().max(0.001);
    let (sent, rate, duplicates) = (grouped(tally.sent), grouped(rate as u64), grouped(tally.duplicates));
    format!("{sent} events  {rate}/s  {duplicates} duplicates")
}
