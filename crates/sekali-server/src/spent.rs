//! Where the time of a request goes.
//!
//! The parts of the server that may take long note their time with the request that they work for,
//! so that a slow one can be explained.

use std::cell::Cell;
use std::time::{Duration, Instant};

tokio::task_local! {
    static SPENT: Cell<Spent>;
}

/// A part of the way of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its body came in.
    Body,
    /// Its body was parsed.
    Parse,
    /// It waited for a thread or a commit.
    Queue,
    /// Its events were looked up and compared.
    LookUp,
    /// Its commit was written and synced.
    Sync,
    /// Stored events were read.
    Read,
    /// It waited for events, as it asked to.
    Wait,
}

/// The time that a request has spent, by stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Spent([Duration; 7]);

impl Spent {
    /// The time in a stage.
    pub(crate) fn of(&self, stage: Stage) -> Duration {
        self.0[stage as usize]
    }

    /// The time that was the client's own choice: its body came, and it waited as it asked to.
    pub(crate) fn by_client(&self) -> Duration {
        self.of(Stage::Body) + self.of(Stage::Wait)
    }
}

/// Does the work of a request. Returns where its time went as well.
pub(crate) async fn measured<F: Future>(work: F) -> (F::Output, Spent) {
    let work = async {
        let output = work.await;
        (output, SPENT.with(Cell::get))
    };
    SPENT.scope(Cell::default(), work).await
}

/// Notes time with the request of this task, if there is one.
pub(crate) fn note(stage: Stage, time: Duration) {
    // An error here is a task without a request.
    let _ = SPENT.try_with(|spent| {
        let mut now = spent.get();
        now.0[stage as usize] += time;
        spent.set(now);
    });
}

/// Does a piece of work, and notes its time.
pub(crate) fn time<T>(stage: Stage, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = work();
    note(stage, begun.elapsed());
    result
}

/// Waits for a piece of work, and notes the time until it is done.
pub(crate) async fn until<T>(stage: Stage, work: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let result = work.await;
    note(stage, begun.elapsed());
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn time_is_noted_with_the_request_of_the_task_and_with_no_other() {
        let second = Duration::from_secs(1);
        let work = |stage, times| async move {
            for _ in 0..times {
                note(stage, second);
                tokio::task::yield_now().await;
            }
        };
        let ((_, first), (_, other)) = tokio::join!(measured(work(Stage::Queue, 3)), measured(work(Stage::Wait, 1)));
        assert_eq!((first.of(Stage::Queue), first.of(Stage::Wait)), (3 * second, Duration::ZERO));
        assert_eq!((other.of(Stage::Queue), other.by_client()), (Duration::ZERO, second));
        // Chores have no request.
        note(Stage::Read, second);
    }
}
