//! The server's log, on standard error.

use std::io::{IsTerminal as _, Result as IoResult, Write};

use clap::ValueEnum;
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::term::color;
use sekali_wire::escape::escape;

/// How a log line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// Begins to log what passes `filter`, such as `info` or `warn,sekali=debug`.
pub(crate) fn start(filter: &str, format: LogFormat) -> Result<(), Failure> {
    let filter = parse(filter).map_err(|error| {
        let message = format!("{filter:?} does not say what to log ({error}); try error, warn, info or debug");
        Failure::new(Exit::Usage, message)
    })?;
    let colours = color::is_wanted(std::io::stderr().is_terminal());
    let started = subscriber(filter, format, colours, std::io::stderr).try_init();
    started.map_err(|error| Failure::new(Exit::Failed, format!("cannot log: {error}")))
}

/// Parses a level, or levels by target. A word that is no level would be a target without a level,
/// which logs next to nothing.
fn parse(filter: &str) -> Result<Targets, String> {
    let is_level = |word: &&str| word.contains('=') || word.parse::<LevelFilter>().is_ok();
    match filter.split(',').map(str::trim).find(|word| !is_level(word)) {
        Some(word) => Err(format!("`{word}` is no level")),
        None => filter.parse::<Targets>().map_err(|error| error.to_string()),
    }
}

fn subscriber<W: Write + 'static>(
    filter: Targets,
    format: LogFormat,
    colours: bool,
    out: impl Fn() -> W + Send + Sync + 'static,
) -> Box<dyn Subscriber + Send + Sync> {
    let painted = colours && format == LogFormat::Text;
    let writer = move || Lines { out: out(), painted };
    let log = layer().with_writer(writer).with_target(false);
    match format {
        // It would colour what is logged before that could be looked at, and does not look at all
        // of it itself.
        LogFormat::Text => Box::new(registry().with(filter).with(log.with_ansi(false))),
        LogFormat::Json => Box::new(registry().with(filter).with(log.json().flatten_event(true))),
    }
}

/// Takes every entry of the log at once, and writes it as one line in which nothing drives a
/// terminal: what is logged can quote what strangers sent.
struct Lines<W> {
    out: W,
    painted: bool,
}

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, entry: &[u8]) -> IoResult<usize> {
        let text = String::from_utf8_lossy(entry);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let shown = escape(line);
        let shown = if self.painted { paint(&shown) } else { shown.into_owned() };
        self.out.write_all(format!("{shown}\n").as_bytes())?;
        Ok(entry.len())
    }

    fn flush(&mut self) -> IoResult<()> {
        self.out.flush()
    }
}

/// Colours the level of an entry, which stands behind its time.
fn paint(line: &str) -> String {
    let Some((time, rest)) = line.split_once(' ') else { return line.to_owned() };
    let (level, message) = rest.trim_start().split_once(' ').unwrap_or((rest, ""));
    let colour = match level {
        "ERROR" => "31",
        "WARN" => "33",
        "INFO" => "32",
        _ => "34",
    };
    format!("\x1b[2m{time}\x1b[0m \x1b[{colour}m{level:>5}\x1b[0m {message}")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> IoResult<()> {
            Ok(())
        }
    }

    #[test]
    fn a_filter_is_made_of_levels() {
        for filter in ["info", "off", "WARN", "warn,sekali=debug", "warn, sekali_store=trace"] {
            parse(filter).unwrap();
        }
        for filter in ["verbose", "info,verbose", "a=b=c", "sekali=verbose"] {
            parse(filter).unwrap_err();
        }
    }

    #[test]
    fn an_entry_is_one_line_that_drives_no_terminal() {
        const HOSTILE: &str = "\u{1b}[2J\u{1b}[31m\u{9b}1m\u{7}\r\n2026 INFO forged\u{202e}";
        for (format, colours) in
            [(LogFormat::Text, false), (LogFormat::Text, true), (LogFormat::Json, false), (LogFormat::Json, true)]
        {
            let memory = Memory::default();
            let out = memory.clone();
            let log = subscriber(parse("trace").unwrap(), format, colours, move || out.clone());
            tracing::subscriber::with_default(log, || {
                let error = std::io::Error::other(HOSTILE);
                tracing::error!(%error, text = HOSTILE, debug = ?HOSTILE, "{HOSTILE}");
                tracing::warn!(error = &error as &(dyn std::error::Error + 'static), "{}", HOSTILE);
            });
            let written = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
            assert_eq!(written.lines().count(), 2, "{written:?}");
            let own_colours = ["0", "2", "31", "33"].map(|code| format!("\u{1b}[{code}m"));
            let plain = own_colours.iter().fold(written.replace('\n', ""), |text, colour| text.replace(colour, ""));
            assert_eq!(escape(&plain), plain, "{format:?} {colours}");
            // Once for the level of the error, where there are colours: what was logged is in red
            // as well, and stays out.
            let red = written.matches("\u{1b}[31m").count();
            assert_eq!(red, usize::from(colours && format == LogFormat::Text), "{written:?}");
        }
    }
}
