//! Standard output and standard error: who is looking, and how to write to them without dying of a
//! closed pipe.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Write};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use serde::Serialize;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::term::color;
use crate::screen::Screen;

/// Standard output, buffered. On a terminal whatever is written is shown, and never obeyed.
pub(crate) struct Output {
    stdout: BufWriter<Box<dyn Write + Send>>,
    terminal: bool,
    paint: Paint,
}

impl Output {
    /// The process's standard output.
    pub(crate) fn stdout() -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let paint = Paint { on: color::is_wanted(terminal) };
        let stdout: Box<dyn Write + Send> =
            if terminal { Box::new(Screen::new(stdout, paint.on)) } else { Box::new(stdout) };
        Self { stdout: BufWriter::with_capacity(64 * 1024, stdout), terminal, paint }
    }

    /// Whether a person is looking.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// How many columns a line may have: those of the terminal, or any number elsewhere.
    pub(crate) fn columns(&self) -> usize {
        let size = if self.terminal { rustix::termios::tcgetwinsize(io::stdout()).ok() } else { None };
        // A terminal that does not know its size says 0.
        size.map(|size| usize::from(size.ws_col)).filter(|&columns| columns > 0).unwrap_or(usize::MAX)
    }

    /// The colours of this output.
    pub(crate) fn paint(&self) -> Paint {
        self.paint
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, text: impl Display) -> Result<(), Failure> {
        writeln!(self.stdout, "{text}").map_err(|error| Failure::output(&error))
    }

    /// Writes text that has its own line endings.
    pub(crate) fn text(&mut self, text: &[u8]) -> Result<(), Failure> {
        self.stdout.write_all(text).map_err(|error| Failure::output(&error))
    }

    /// Writes `value` as one line of JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string(value)
            .map_err(|error| Failure::new(Exit::Failed, format!("cannot write JSON: {error}")))?;
        self.line(text)
    }

    /// Hands on what was written so far.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.stdout.flush().map_err(|error| Failure::output(&error))
    }
}

/// Colours, where they are wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// No colours.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { on: false };

    /// For headings and figures.
    pub(crate) fn bold(self, text: impl Display) -> String {
        self.wrap("1", text)
    }

    /// For what may be overlooked.
    pub(crate) fn dim(self, text: impl Display) -> String {
        self.wrap("2", text)
    }

    /// For what is as it should be.
    pub(crate) fn green(self, text: impl Display) -> String {
        self.wrap("32", text)
    }

    /// For what needs a look.
    pub(crate) fn yellow(self, text: impl Display) -> String {
        self.wrap("33", text)
    }

    /// For names.
    pub(crate) fn cyan(self, text: impl Display) -> String {
        self.wrap("36", text)
    }

    fn wrap(self, code: &str, text: impl Display) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}

/// Waits until nobody reads standard output any more, which a command that only waits would not
/// notice otherwise.
pub(crate) async fn reader_gone() {
    let (gone, noticed) = tokio::sync::oneshot::channel();
    // It ends with the process: standard output has no other way to tell.
    std::thread::spawn(move || {
        let stdout = io::stdout();
        // Without an event that is asked for, only a hangup or an error wakes it.
        loop {
            match poll(&mut [PollFd::new(&stdout, PollFlags::empty())], None) {
                Err(Errno::INTR) => {}
                Err(_) => return,
                Ok(_) => break,
            }
        }
        let _ = gone.send(());
    });
    // An error here is a thread that could not poll: it then is noticed when something is written.
    if noticed.await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Tells people something on standard error, shown and never obeyed, and without colours. Nobody
/// may be listening, and that is not an error.
pub(crate) fn note(text: impl Display) {
    let mut screen = Screen::new(io::stderr(), false);
    let _ = writeln!(screen, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_off_unless_somebody_looks() {
        assert_eq!(Paint::PLAIN.green("ok"), "ok");
        assert_eq!(Paint { on: true }.green("ok"), "\x1b[32mok\x1b[0m");
    }
}
