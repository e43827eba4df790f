//! The sealer of a partition: seals, merges and lets events expire, one step at a time.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::close::Closer;
use super::expire::Expiry;
use super::live::LiveFiles;
use super::merge::Merger;
use super::retainer::Retainer;
use super::seal::seal_next;
use super::wake::Wake;
use crate::background;
use crate::disk::remover::Remover;
use crate::error::{Error, IoContext, Result};
use crate::limits::UNSEALED_FILES_MAX;
use crate::log::dir::LogDir;
use crate::log::writer::LogWriter;
use crate::partition::shared::Shared;
use crate::segment::SegmentDir;
use crate::tuning::Tuning;

/// How often the thread looks whether the index has caught up with the log.
const POLL: Duration = Duration::from_millis(500);
/// How long the thread waits after a failure before it tries again.
const RETRY: Duration = Duration::from_secs(5);

/// The sealer of a partition, and its thread if it has one.
#[derive(Debug)]
pub(crate) struct Sealer {
    work: Arc<Work>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Work {
    live: LiveFiles,
    closer: Closer,
    merger: Merger,
    expiry: Arc<Expiry>,
    wake: Arc<Wake>,
}

impl Sealer {
    /// One that works in a thread of its own, if it is told so, or else in [`Sealer::make_room`].
    pub(crate) fn new(
        shared: &Arc<Shared>,
        log: LogDir,
        segments: SegmentDir,
        writer: Arc<Mutex<LogWriter>>,
        tuning: &Tuning,
    ) -> Result<Self> {
        let closer = Closer::new(writer, log.file_bytes);
        let remover = Remover::start(tuning.seal_in_background).at("start a thread for", &log.dir)?;
        let work = Arc::new(Work {
            live: LiveFiles { shared: Arc::clone(shared), log, segments, remover },
            closer,
            merger: Merger::new(tuning),
            expiry: Arc::default(),
            wake: Arc::default(),
        });
        let thread = if tuning.seal_in_background { Some(spawn(&work)?) } else { None };
        Ok(Self { work, thread })
    }

    /// The directory of the log.
    pub(crate) fn log_dir(&self) -> &LogDir {
        &self.work.live.log
    }

    /// A handle to say which events may go.
    pub(crate) fn retainer(&self) -> Retainer {
        Retainer::new(Arc::clone(&self.work.expiry), Arc::clone(&self.work.wake), Arc::clone(&self.work.live.shared))
    }

    /// To be called before a commit. Without a thread, does what is due; with one, waits while too
    /// many log files wait.
    ///
    /// # Errors
    /// Why log files cannot be sealed, once too many wait. Commits are refused until they can.
    pub(crate) fn make_room(&self) -> Result<()> {
        if self.thread.is_none() {
            while self.work.step()? {}
            return Ok(());
        }
        self.work.wake.wait_for(POLL, || self.work.room())
    }
}

impl Drop for Sealer {
    fn drop(&mut self) {
        self.work.wake.close();
        if let Some(thread) = self.thread.take() {
            // It fails only if the thread panicked, and then there is nothing left to stop.
            let _ = thread.join();
        }
    }
}

fn spawn(work: &Arc<Work>) -> Result<JoinHandle<()>> {
    let own = Arc::clone(work);
    background::spawn("sekali-seal", move || own.run()).at("start a thread for", &work.live.log.dir)
}

impl Work {
    fn run(&self) {
        while !self.wake.is_closing() {
            let done = self.step();
            let pause = match &done {
                Ok(true) => Duration::ZERO,
                Ok(false) => POLL,
                Err(_) => RETRY,
            };
            self.live.shared.note_sealing(done.as_ref().err());
            if let Err(error @ Error::Broken(_)) = &done {
                self.live.shared.stop(error);
            }
            self.wake.notify();
            if !pause.is_zero() {
                self.wake.wait(pause);
            }
        }
    }

    /// Does the next piece of work. `false` where there is none.
    fn step(&self) -> Result<bool> {
        // After a failed write of the log nobody knows what is on disk; the next start finds out.
        if self.live.shared.stopped().is_some() {
            return Ok(false);
        }
        if let Some(request) = self.expiry.take_new() {
            self.closer.close_if_due(&self.live, &request)?;
        }
        Ok(seal_next(&self.live, self.closer.seal_before())?
            || self.expiry.expire_next(&self.live)?
            || self.merger.merge_next(&self.live, &self.expiry)?)
    }

    /// Whether few enough log files wait to be sealed; `None` while too many do and sealing goes
    /// on.
    fn room(&self) -> Option<Result<()>> {
        if self.live.backlog() <= UNSEALED_FILES_MAX {
            return Some(Ok(()));
        }
        let (kind, what) = self.live.shared.sealing_failed()?;
        let (path, source) = (self.live.log.dir.clone(), std::io::Error::new(kind, what));
        Some(Err(Error::Io { action: "seal", path, source }))
    }
}
