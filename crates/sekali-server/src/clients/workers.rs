//! Threads for work that keeps a core busy: as many as there are cores. Clients take turns.
//!
//! Work of a client waits behind that of its own only. Long work is done in turns, and goes to the
//! end of its client's queue after each. The threads yield to those that serve connections and
//! commit.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::Client;
use crate::query::QueryError;
use crate::spent::{self, Stage};

/// The priority of the threads, as `nice` counts: 5 is a third of the ordinary share of a core.
const NICE: i32 = 5;
/// The usual stack of a thread.
const STACK_BYTES: usize = 2 * 1024 * 1024;

/// Running threads. Cheap to clone; they end with the last clone.
#[derive(Debug, Clone)]
pub(crate) struct Workers {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    queue: Arc<WorkQueue>,
    /// The part of a request that is done here.
    stage: Stage,
}

/// The result of work, and how long it kept a thread.
type Worked<T> = (T, Duration);

/// Work that waits for a thread.
#[derive(Debug)]
struct WorkQueue {
    state: Mutex<Waiting>,
    changed: Condvar,
    /// Most turns that may wait, of all clients.
    waiting_max: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    queues: HashMap<Client, VecDeque<Work>>,
    /// The clients with work, in the order of their turns.
    clients: VecDeque<Client>,
    count: usize,
    is_closed: bool,
}

/// Does a turn, and returns whether there is another.
struct Work(Box<dyn FnMut() -> bool + Send>);

impl std::fmt::Debug for Work {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Work")
    }
}

impl Workers {
    /// Starts a thread for each core that this process may use, for at most `waiting_max` pieces of
    /// work that wait.
    ///
    /// # Errors
    /// The operating system refuses a thread.
    pub(crate) fn start(name: &str, stage: Stage, waiting_max: usize) -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self::start_threads(name, stage, waiting_max, cores)
    }

    /// Starts `count` threads.
    ///
    /// # Errors
    /// The operating system refuses a thread.
    pub(crate) fn start_threads(name: &str, stage: Stage, waiting_max: usize, count: usize) -> io::Result<Self> {
        Self::start_with_stacks(name, stage, waiting_max, count, STACK_BYTES)
    }

    /// Starts `count` threads, each with a stack of `stack_bytes`.
    ///
    /// # Errors
    /// The operating system refuses a thread.
    pub(crate) fn start_with_stacks(
        name: &str,
        stage: Stage,
        waiting_max: usize,
        count: usize,
        stack_bytes: usize,
    ) -> io::Result<Self> {
        let queue = Arc::new(WorkQueue { state: Mutex::default(), changed: Condvar::new(), waiting_max });
        let workers = Self { handle: Arc::new(Handle { queue: Arc::clone(&queue), stage }) };
        for number in 0..count {
            let queue = Arc::clone(&queue);
            let thread = thread::Builder::new().name(format!("{name}-{number}")).stack_size(stack_bytes);
            thread.spawn(move || {
                // Of this thread alone. Without the right to it the work is done all the same.
                let _ = rustix::process::setpriority_process(None, NICE);
                queue.work();
            })?;
        }
        Ok(workers)
    }

    /// Does `work` for a client, in turns until there is a result.
    ///
    /// # Errors
    /// [`QueryError::Busy`]: as much work of this client waits as may. [`QueryError::Broken`]: it
    /// panicked, or the server is ending.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        client: Client,
        work: impl FnMut() -> Option<T> + Send + 'static,
    ) -> Result<T, QueryError> {
        let (work, result) = with_result(work);
        if !self.handle.queue.push_if_room(client, work) {
            return Err(QueryError::Busy);
        }
        self.result(result).await
    }

    /// Does `work` for a client at once, however much waits: for work that something else bounds.
    ///
    /// # Errors
    /// [`QueryError::Broken`], as [`Workers::run`].
    pub(crate) async fn run_always<T: Send + 'static>(
        &self,
        client: Client,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, QueryError> {
        let (work, result) = with_result(once(work));
        self.handle.queue.push(&mut self.handle.queue.lock(), client, work);
        self.result(result).await
    }

    /// Waits for a result, and notes where the time went.
    async fn result<T>(&self, result: oneshot::Receiver<Worked<T>>) -> Result<T, QueryError> {
        let begun = Instant::now();
        let (result, worked) = result.await.map_err(|_| broken())?;
        spent::note(Stage::Queue, begun.elapsed().saturating_sub(worked));
        spent::note(self.handle.stage, worked);
        Ok(result)
    }
}

/// Work of one turn.
pub(crate) fn once<T>(work: impl FnOnce() -> T) -> impl FnMut() -> Option<T> {
    let mut work = Some(work);
    move || work.take().map(|work| work())
}

fn with_result<T: Send + 'static>(
    work: impl FnMut() -> Option<T> + Send + 'static,
) -> (Work, oneshot::Receiver<Worked<T>>) {
    let (sender, receiver) = oneshot::channel();
    let (mut sender, mut work) = (Some(sender), Some(work));
    let mut worked = Duration::ZERO;
    let turn = move || {
        // Nobody waits for it any more.
        if sender.as_ref().is_none_or(oneshot::Sender::is_closed) {
            return false;
        }
        let Some(run) = &mut work else { return false };
        let begun = Instant::now();
        let result = run();
        worked += begun.elapsed();
        let Some(result) = result else { return true };
        // Files that the work had open are closed when its result is there: a caller may count on
        // that.
        work = None;
        if let Some(sender) = sender.take() {
            // An error here is a client that has just gone.
            let _ = sender.send((result, worked));
        }
        false
    };
    (Work(Box::new(turn)), receiver)
}

fn broken() -> QueryError {
    QueryError::Broken("it panicked, or the server is ending".to_owned())
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.is_closed = true;
        let waiting = std::mem::take(&mut state.queues);
        drop(state);
        self.queue.changed.notify_all();
        drop(waiting);
    }
}

impl WorkQueue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds work, if no more of this client waits than there is room for more.
    fn push_if_room(&self, client: Client, work: Work) -> bool {
        let mut state = self.lock();
        let own = state.queues.get(&client).map_or(0, VecDeque::len);
        if own >= self.waiting_max.saturating_sub(state.count) {
            return false;
        }
        self.push(&mut state, client, work);
        true
    }

    fn push(&self, state: &mut Waiting, client: Client, work: Work) {
        if state.is_closed {
            return;
        }
        let queue = state.queues.entry(client.clone()).or_default();
        queue.push_back(work);
        if queue.len() == 1 {
            state.clients.push_back(client);
        }
        state.count += 1;
        self.changed.notify_one();
    }

    /// Does work until the queue is closed.
    fn work(&self) {
        while let Some((client, mut work)) = self.next() {
            // A panic ends this work and not the thread: its sender is dropped.
            if catch_unwind(AssertUnwindSafe(|| work.0())).unwrap_or(false) {
                self.push(&mut self.lock(), client, work);
            }
        }
    }

    /// Waits for the next piece of work, of the client whose turn it is.
    fn next(&self) -> Option<(Client, Work)> {
        let waiting = |state: &mut Waiting| !state.is_closed && state.clients.is_empty();
        let mut state = self.changed.wait_while(self.lock(), waiting).unwrap_or_else(PoisonError::into_inner);
        if state.is_closed {
            return None;
        }
        let client = state.clients.pop_front()?;
        let queue = state.queues.get_mut(&client)?;
        let work = queue.pop_front()?;
        if queue.is_empty() {
            state.queues.remove(&client);
        } else {
            state.clients.push_back(client.clone());
        }
        state.count -= 1;
        Some((client, work))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// One thread that is held up until the sender is dropped.
    async fn held_up(waiting_max: usize) -> (Workers, mpsc::Sender<()>) {
        let workers = Workers::start_threads("test", Stage::Read, waiting_max, 1).unwrap();
        let (go_on, wait) = mpsc::channel::<()>();
        let (started, has_started) = oneshot::channel();
        let holding = workers.clone();
        tokio::spawn(async move {
            let hold = move || {
                let _ = started.send(());
                wait.recv().is_err()
            };
            holding.run_always(Client::numbered(0), hold).await
        });
        has_started.await.unwrap();
        (workers, go_on)
    }

    #[tokio::test]
    async fn the_work_of_one_client_does_not_wait_behind_all_of_another() {
        let (workers, go_on) = held_up(100).await;
        let (done, order) = mpsc::channel();
        let mut results = Vec::new();
        for number in [1, 1, 1, 1, 2] {
            let (done, workers) = (done.clone(), workers.clone());
            results.push(tokio::spawn(async move {
                workers.run(Client::numbered(number), once(move || done.send(number).unwrap())).await
            }));
            tokio::task::yield_now().await;
        }
        drop(go_on);
        for result in results {
            result.await.unwrap().unwrap();
        }
        assert_eq!(order.try_iter().collect::<Vec<_>>(), [1, 2, 1, 1, 1]);
    }

    #[tokio::test]
    async fn long_work_lets_others_in_between_its_turns() {
        let (workers, go_on) = held_up(100).await;
        let (done, order) = mpsc::channel();
        let (mut turns, told) = (0, done.clone());
        let long = {
            let workers = workers.clone();
            tokio::spawn(async move {
                let turn = move || {
                    turns += 1;
                    told.send(1).unwrap();
                    (turns == 3).then_some(turns)
                };
                workers.run(Client::numbered(1), turn).await
            })
        };
        tokio::task::yield_now().await;
        let short = {
            let workers = workers.clone();
            tokio::spawn(async move { workers.run(Client::numbered(1), once(move || done.send(2).unwrap())).await })
        };
        tokio::task::yield_now().await;
        drop(go_on);
        assert_eq!(long.await.unwrap().unwrap(), 3);
        short.await.unwrap().unwrap();
        assert_eq!(order.try_iter().collect::<Vec<_>>(), [1, 2, 1, 1]);
    }

    #[tokio::test]
    async fn a_client_with_much_waiting_is_refused_and_another_is_not() {
        let (workers, go_on) = held_up(10).await;
        let mut waiting = Vec::new();
        for _ in 0..5 {
            let workers = workers.clone();
            waiting.push(tokio::spawn(async move { workers.run(Client::numbered(1), once(|| 1)).await }));
            tokio::task::yield_now().await;
        }
        assert!(matches!(workers.run(Client::numbered(1), once(|| 1)).await, Err(QueryError::Busy)));
        let other = {
            let workers = workers.clone();
            tokio::spawn(async move { workers.run(Client::numbered(2), once(|| 2)).await })
        };
        tokio::task::yield_now().await;
        drop(go_on);
        assert_eq!(other.await.unwrap().unwrap(), 2);
        for result in waiting {
            assert_eq!(result.await.unwrap().unwrap(), 1);
        }
    }

    #[tokio::test]
    async fn what_work_had_open_is_closed_when_its_result_is_there() {
        let workers = Workers::start_threads("test", Stage::Read, 10, 1).unwrap();
        for _ in 0..1_000 {
            let open = Arc::new(());
            let held = Arc::clone(&open);
            let turn = move || Some(Arc::strong_count(&held));
            assert_eq!(workers.run(Client::numbered(1), turn).await.unwrap(), 2);
            assert_eq!(Arc::strong_count(&open), 1);
        }
    }

    #[tokio::test]
    async fn work_that_panics_or_that_nobody_waits_for_ends_alone() {
        let (workers, go_on) = held_up(10).await;
        let (done, order) = mpsc::channel::<()>();
        let abandoned = {
            let workers = workers.clone();
            tokio::spawn(async move { workers.run(Client::numbered(1), once(move || done.send(()).unwrap())).await })
        };
        tokio::task::yield_now().await;
        abandoned.abort();
        assert!(abandoned.await.is_err());
        drop(go_on);
        let panicked = workers.run(Client::numbered(1), once(|| assert_eq!(1, 2))).await;
        assert!(matches!(panicked, Err(QueryError::Broken(_))));
        assert_eq!(workers.run(Client::numbered(1), once(|| 3)).await.unwrap(), 3);
        assert_eq!(order.try_iter().count(), 0);
    }
}
