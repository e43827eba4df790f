//! Gives the space of removed files back a little at a time.
//!
//! File systems that tell the medium which blocks are free (mounted with `discard`, as most images
//! for clouds are) do so with the next sync, whosever it is: where 64 MiB were freed at once, that
//! commit waits for 10 to 20 ms. So such a file loses its name at once and its bytes in steps. What
//! a crash leaves of it, the operating system frees.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use super::{Disk, DiskFile, UnlinkedFile};
use crate::background;
use crate::limits::{UNLINKED_FILES_MAX, UNLINKED_STEP_BYTES};

/// Between two steps, so that syncs get in between: 400 MB/s at most, more than can be ingested.
const PACE: Duration = Duration::from_millis(10);
/// How long it waits for whoever still reads such a file.
const IN_USE: Duration = Duration::from_millis(200);
/// How long it waits for work; it is woken when there is some.
const IDLE: Duration = Duration::from_secs(3600);

/// Removes files; by default at once, and with a thread of its own little by little. The thread
/// ends once this is dropped, and nobody waits for it: it has nothing that another start would
/// miss.
#[derive(Debug, Default)]
pub(crate) struct Remover(Option<SyncSender<Box<dyn UnlinkedFile>>>);

impl Remover {
    /// One with a thread, if it is to work `in_background`.
    ///
    /// # Errors
    /// The operating system refuses a thread.
    pub(crate) fn start(in_background: bool) -> io::Result<Self> {
        if !in_background {
            return Ok(Self::default());
        }
        let (sender, receiver) = mpsc::sync_channel(UNLINKED_FILES_MAX);
        background::spawn("sekali-free", move || give_back(&receiver))?;
        Ok(Self(Some(sender)))
    }

    /// Removes the file at `path`, which no other programs read.
    ///
    /// # Errors
    /// As [`Disk::remove`].
    pub(crate) fn remove(&self, disk: &dyn Disk, path: &Path) -> io::Result<()> {
        let Some(sender) = &self.0 else { return disk.remove(path) };
        if let Some(remains) = disk.remove_name(path)? {
            // Where that fails, it is dropped here, and freed at once.
            let _ = sender.try_send(remains);
        }
        Ok(())
    }

    /// Removes the file at `path`, which other programs may be reading: never a part of it, but
    /// only some time after the one before.
    ///
    /// # Errors
    /// As [`Disk::remove`].
    pub(crate) fn remove_whole(&self, disk: &dyn Disk, path: &Path) -> io::Result<()> {
        let Some(sender) = &self.0 else { return disk.remove(path) };
        let file = disk.open(path);
        disk.remove(path)?;
        if let Ok(file) = file {
            let _ = sender.try_send(Box::new(Whole(file)));
        }
        Ok(())
    }
}

/// A file that goes when it is dropped, and not before.
#[derive(Debug)]
struct Whole(#[expect(dead_code, reason = "its closing frees it")] Arc<dyn DiskFile>);

impl UnlinkedFile for Whole {
    fn give_back(&mut self, _: u64) -> io::Result<u64> {
        Ok(0)
    }
}

/// The thread. What is left when it ends is freed at once.
fn give_back(arriving: &Receiver<Box<dyn UnlinkedFile>>) {
    let mut waiting = VecDeque::new();
    let mut next = Instant::now() + IDLE;
    loop {
        match arriving.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(remains) => {
                if waiting.is_empty() {
                    next = Instant::now();
                }
                waiting.push_back(remains);
                if waiting.len() > UNLINKED_FILES_MAX {
                    waiting.pop_front();
                }
            }
            Err(RecvTimeoutError::Timeout) => next = Instant::now() + step(&mut waiting),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Gives back a piece of the first file that nobody reads. Answers how long to wait before the
/// next.
fn step(waiting: &mut VecDeque<Box<dyn UnlinkedFile>>) -> Duration {
    for _ in 0..waiting.len() {
        let Some(mut first) = waiting.pop_front() else { break };
        match first.give_back(UNLINKED_STEP_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                waiting.push_back(first);
                continue;
            }
            Ok(left) if left > 0 => waiting.push_front(first),
            // Nothing is left of it; or it has another name, or cannot be cut.
            _ => drop(first),
        }
        return PACE;
    }
    if waiting.is_empty() { IDLE } else { IN_USE }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A file of so many bytes that is in use for its first `busy` steps.
    #[derive(Debug)]
    struct Fake {
        left: u64,
        busy: u64,
        steps: Arc<Mutex<Vec<u64>>>,
    }

    impl UnlinkedFile for Fake {
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
        let fake = |left, busy| Box::new(Fake { left, busy, steps: Arc::clone(&steps) }) as Box<dyn UnlinkedFile>;
        let mut waiting = VecDeque::from([fake(UNLINKED_STEP_BYTES + 1, 2)]);
        assert_eq!(step(&mut waiting), IN_USE);
        waiting.push_back(fake(UNLINKED_STEP_BYTES * 2 + 2, 0));
        while !waiting.is_empty() {
            assert_eq!(step(&mut waiting), PACE);
        }
        assert_eq!(*steps.lock().unwrap(), [UNLINKED_STEP_BYTES + 2, 2, 0, 1, 0]);
        assert_eq!(step(&mut waiting), IDLE);
    }
}
