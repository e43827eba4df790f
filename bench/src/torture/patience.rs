//! Waiting for a program, and not for ever.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::Outcome;

/// What a program printed and how it ended; `None` if it had not ended within `limit`. Then it is killed, with all that it has
/// started.
pub(super) fn output_within(command: &mut Command, limit: Duration) -> Outcome<Option<Output>> {
    // A group of its own: `cargo test` is killed together with the test.
    let child = command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let group = Pid::from_child(&child);
    let (ended, end) = channel();
    let waiter = thread::spawn(move || ended.send(child.wait_with_output()));
    let outcome = match end.recv_timeout(limit) {
        Ok(output) => Some(output?),
        Err(RecvTimeoutError::Timeout) => {
            kill_process_group(group, Signal::KILL)?;
            None
        }
        Err(RecvTimeoutError::Disconnected) => return Err("nobody waits for the program any more".into()),
    };
    // It ends with the program. The only error is that nobody listens any more.
    let _ = waiter.join();
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_ends_is_heard_to_its_end() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo said; exit 3"]);
        let output = output_within(&mut command, Duration::from_secs(60)).unwrap().unwrap();
        assert_eq!((output.stdout.as_slice(), output.status.code()), (&b"said\n"[..], Some(3)));
    }

    #[test]
    fn a_program_that_hangs_is_killed_with_what_it_has_started() {
        let mut command = Command::new("sh");
        // The inner one holds standard output open: the end of the outer one alone would not end the wait.
        command.args(["-c", "sh -c 'while :; do sleep 1; done' & wait"]);
        assert!(output_within(&mut command, Duration::from_millis(300)).unwrap().is_none());
    }
}
