//! Running a program with a time limit.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::Outcome;

/// Returns the output and status of a program, or `None` if it has not ended within `limit`. It is
/// then killed together with its child processes.
pub(crate) fn output_within(command: &mut Command, limit: Duration) -> Outcome<Option<Output>> {
    // A process group of its own, so that `cargo test` and the test are killed together.
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
        Err(RecvTimeoutError::Disconnected) => return Err("the thread that waits for the program has ended".into()),
    };
    // After a kill its output goes unread.
    let _ = waiter.join();
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_a_program_that_ends_is_complete() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo said; exit 3"]);
        let output = output_within(&mut command, Duration::from_secs(60)).unwrap().unwrap();
        assert_eq!((output.stdout.as_slice(), output.status.code()), (&b"said\n"[..], Some(3)));
    }

    #[test]
    fn a_program_that_hangs_is_killed_with_its_children() {
        let mut command = Command::new("sh");
        // The inner shell holds standard output open: ending the outer one alone would not end the
        // wait.
        command.args(["-c", "sh -c 'while :; do sleep 1; done' & wait"]);
        assert!(output_within(&mut command, Duration::from_millis(300)).unwrap().is_none());
    }
}
