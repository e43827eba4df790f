//! The threads that connections are served on: one for each core, up to [`SERVING_THREADS_MAX`],
//! each with a runtime of its own.
//!
//! A connection stays on its thread. On one runtime for all, a task moves from core to core as it
//! wakes, and its memory with it; a small request then costs a tenth to a quarter more. So long
//! work must not run on these threads.

use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::limits::SERVING_THREADS_MAX;

/// Running threads. They end when this is dropped, in the middle of any work.
#[derive(Debug)]
pub(crate) struct Threads {
    threads: Vec<Thread>,
}

#[derive(Debug)]
struct Thread {
    runtime: Handle,
    /// One count for each connection, and one for itself.
    connections: Arc<()>,
    /// Dropping it ends the thread.
    _running: oneshot::Sender<()>,
}

/// The place of a connection on a thread. The thread counts it until this is dropped.
#[derive(Debug)]
pub(super) struct ThreadSlot {
    _connection: Arc<()>,
}

impl Threads {
    /// Starts a thread for each core that this process may use.
    ///
    /// # Errors
    /// The operating system refuses a thread, or the files of a runtime.
    pub(crate) fn start() -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, NonZero::get).min(SERVING_THREADS_MAX);
        let threads = (0..count).map(Thread::start).collect::<io::Result<_>>()?;
        Ok(Self { threads })
    }

    /// A slot on the thread that has the fewest connections, and its runtime. There always is one.
    pub(super) fn slot(&self) -> Option<(ThreadSlot, &Handle)> {
        let thread = self.threads.iter().min_by_key(|thread| Arc::strong_count(&thread.connections))?;
        Some((ThreadSlot { _connection: Arc::clone(&thread.connections) }, &thread.runtime))
    }
}

impl Thread {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (running, ended) = oneshot::channel();
        thread::Builder::new().name(format!("serve-{number}")).spawn(move || {
            // It ends with an error, since nothing is ever sent.
            let _ = runtime.block_on(ended);
            // Reads of closed connections are not waited for.
            runtime.shutdown_background();
        })?;
        Ok(Self { runtime: handle, connections: Arc::default(), _running: running })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_spread_evenly_even_when_some_have_closed() {
        let threads = Threads { threads: (0..3).map(|number| Thread::start(number).unwrap()).collect() };
        let mut seats: Vec<_> = (0..9).map(|_| threads.slot().unwrap().0).collect();
        let counts = || threads.threads.iter().map(|thread| Arc::strong_count(&thread.connections) - 1);
        assert_eq!(counts().collect::<Vec<_>>(), [3, 3, 3]);
        // Those of the first thread.
        seats.retain(|slot| !Arc::ptr_eq(&slot._connection, &threads.threads[0].connections));
        assert_eq!(counts().collect::<Vec<_>>(), [0, 3, 3]);
        seats.extend((0..3).map(|_| threads.slot().unwrap().0));
        assert_eq!(counts().collect::<Vec<_>>(), [3, 3, 3]);
    }

    #[test]
    fn they_end_with_what_holds_them() {
        let threads = Threads::start().unwrap();
        let (sender, receiver) = oneshot::channel::<()>();
        threads.slot().unwrap().1.spawn(async {
            let _sender = sender;
            std::future::pending::<()>().await;
        });
        drop(threads);
        assert!(receiver.blocking_recv().is_err());
    }
}
