//! How far something has come, on standard error: a bar on a terminal, a line now and then in a
//! container's log.

use std::fmt::Display;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::term::output::note;
use crate::digits::grouped;

/// Between two lines where there is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(5);

/// Shows progress.
pub(crate) enum ProgressLine {
    /// Progress is not wanted.
    Silent,
    /// There is no terminal.
    Lines {
        /// When the next line is due.
        next: Instant,
    },
    /// On a terminal.
    Bar(ProgressBar),
}

impl ProgressLine {
    /// A progress_bar that is full at `length`, where that is known.
    pub(crate) fn new(length: Option<u64>, quiet: bool) -> Self {
        match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Self::Silent,
            (false, true) => Self::Bar(bar(length)),
            (false, false) => Self::Lines { next: Instant::now() + LINE_INTERVAL },
        }
    }

    /// Where there is no bar, says what begins.
    pub(crate) fn announce(&self, text: impl Display) {
        if let Self::Lines { .. } = self {
            note(text);
        }
    }

    /// Shows how far we are.
    pub(crate) fn show(&mut self, position: u64, message: impl FnOnce() -> String) {
        match self {
            Self::Silent => {}
            Self::Bar(bar) => {
                bar.set_position(position);
                bar.set_message(message());
            }
            Self::Lines { next } if Instant::now() >= *next => {
                *next = Instant::now() + LINE_INTERVAL;
                note(message());
            }
            Self::Lines { .. } => {}
        }
    }

    /// Says something even where progress is not wanted.
    pub(crate) fn say(&self, text: impl Display) {
        match self {
            Self::Bar(bar) => bar.suspend(|| note(text)),
            _ => note(text),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// `1,000 events  500/s`
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a rate for people"
)]
pub(crate) fn pace(events: u64, elapsed: Duration) -> String {
    let rate = events as f64 / elapsed.as_secs_f64().max(0.001);
    format!("{} events  {}/s", grouped(events), grouped(rate as u64))
}

fn bar(length: Option<u64>) -> ProgressBar {
    let template = match length {
        // The bar takes the columns that the rest leaves.
        Some(_) => "{percent:>3}% {wide_bar:.cyan} {msg}  {eta} left",
        None => "{spinner}  {msg}",
    };
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr_with_hz(10));
    // The templates are constants; if one were wrong the bar would be plain.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━━─"));
    }
    bar
}
