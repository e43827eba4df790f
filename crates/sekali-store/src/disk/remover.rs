//! Gives the space of removed files back a little at a time.
//!
//! File systems that tell the medium which blocks are free (mounted with `discard`, as most images for clouds are) do so with
//! the next sync, whosever it is: where 64 MiB were freed at once, that commit waits for 10 to 20 ms. So such a file
//! loses its name at once and its bytes in steps. What a crash leaves of it, the operating system frees.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Disk, Remains};
use crate::background;
use crate::limits::{REMAINS_MAX, REMAINS_STEP_BYTES};

/// Between two steps, so that syncs get in between: 400 MB/s at most, more than can be ingested.
const PACE: Duration = Duration::from_millis(10);
/// How long it waits for whoever still reads such a file.
const IN_USE: Duration = Duration::from_millis(200);
/// How long it waits for work; it is woken when there is some.
const IDLE: Duration = Duration::from_secs(3600);

/// Removes files; by default at once, and with a thread of its own little by little.
#[derive(Debug, Default)]
pub(crate) struct Remover(Option<Worker>);

#[derive(Debug)]
struct Worker {
    /// Taken when this is dropped, which ends the thread.
    remains: Option<Sender<Box<dyn Remains>>>,
    thread: Option<JoinHandle<()>>,
}

impl Remover {
    /// One with a thread.
    ///
    /// # Errors
    /// The operating system refuses a thread.
    pub(crate) fn start() -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel();
        let thread = background::spawn("sekali-free", move || give_back(&receiver))?;
        Ok(Self(Some(Worker { remains: Some(sender), thread: Some(thread) })))
    }

    /// Removes the file at `path`, of which nobody outside this program makes use.
    ///
    /// # Errors
    /// As [`Disk::remove`].
    pub(crate) fn remove(&self, disk: &dyn Disk, path: &Path) -> io::Result<()> {
        let Some(sender) = self.0.as_ref().and_then(|worker| worker.remains.as_ref()) else { return disk.remove(path) };
        if let Some(remains) = disk.remove_name(path)? {
            // Without the thread it is dropped here, and freed at once.
            let _ = sender.send(remains);
        }
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.remains = None;
        if let Some(thread) = self.thread.take() {
            // It fails only if the thread panicked, and then there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

/// The thread. What is left when it ends is freed at once.
fn give_back(arriving: &Receiver<Box<dyn Remains>>) {
    let mut waiting = VecDeque::new();
    let mut pause = IDLE;
    loop {
        match arriving.recv_timeout(pause) {
            Ok(remains) => waiting.push_back(remains),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if waiting.len() > REMAINS_MAX {
            waiting.pop_front();
        }
        pause = step(&mut waiting);
    }
}

/// Gives back a piece of the first file. Answers how long to wait before the next.
fn step(waiting: &mut VecDeque<Box<dyn Remains>>) -> Duration {
    let Some(mut first) = waiting.pop_front() else { return IDLE };
    match first.give_back(REMAINS_STEP_BYTES) {
        Ok(left) if left > 0 => waiting.push_front(first),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            waiting.push_back(first);
            return IN_USE;
        }
        // It has another name, or cannot be cut. Or nothing is left of it.
        _ => drop(first),
    }
    if waiting.is_empty() { IDLE } else { PACE }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// A file of so many bytes that is in use for its first `busy` steps.
    #[derive(Debug)]
    struct Fake {
        left: u64,
        busy: u64,
        steps: Arc<Mutex<Vec<u64>>>,
    }

    impl Remains for Fake {
        fn give_back(&mut self, bytes: u64) -> io::Result<u64> {
            if self.busy > 0 {
                self.busy -= 1;
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.left = self.left.saturating_sub(bytes);
            self.steps.lock().unwrap().push(self.left);
            Ok(self.left)
        }
    }

    #[test]
    fn a_file_in_use_is_in_nobodys_way_and_has_its_turn_later() {
        let steps = Arc::new(Mutex::new(Vec::new()));
        let fake = |left, busy| Box::new(Fake { left, busy, steps: Arc::clone(&steps) }) as Box<dyn Remains>;
        let mut waiting = VecDeque::from([fake(REMAINS_STEP_BYTES + 1, 1), fake(REMAINS_STEP_BYTES * 2 + 2, 0)]);
        let mut pauses = Vec::new();
        while !waiting.is_empty() {
            pauses.push(step(&mut waiting));
        }
        assert_eq!(*steps.lock().unwrap(), [REMAINS_STEP_BYTES + 2, 2, 0, 1, 0]);
        assert_eq!(pauses, [IN_USE, PACE, PACE, PACE, PACE, IDLE]);
    }
}
