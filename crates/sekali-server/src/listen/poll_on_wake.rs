//! Waiting beside something that is polled all the time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// A future that is polled only if it was woken itself, and not whenever its task is.
///
/// A task that waits for several things polls all of them when one is ready. Polling a timer or a
/// channel costs locks that others want too; here it costs looking at a flag.
#[derive(Debug)]
pub(super) struct PollOnWake<F> {
    future: F,
    flag: Option<Arc<WakeFlag>>,
}

/// Wakes the task, and remembers that the future was woken.
#[derive(Debug)]
struct WakeFlag {
    has_rung: AtomicBool,
    task: Waker,
}

impl<F> PollOnWake<F> {
    pub(super) fn new(future: F) -> Self {
        Self { future, flag: None }
    }
}

impl WakeFlag {
    /// For a future that this task has not polled yet.
    fn new(task: &Waker) -> Arc<Self> {
        Arc::new(Self { has_rung: AtomicBool::new(true), task: task.clone() })
    }
}

impl<F: Future + Unpin> Future for PollOnWake<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let known = self.flag.take().filter(|flag| flag.task.will_wake(cx.waker()));
        let flag = known.unwrap_or_else(|| WakeFlag::new(cx.waker()));
        // Looking costs less than taking, and nearly always there is nothing to take.
        let has_rung = flag.has_rung.load(Ordering::Relaxed) && flag.has_rung.swap(false, Ordering::Acquire);
        if !has_rung {
            self.flag = Some(flag);
            return Poll::Pending;
        }
        self.flag = Some(Arc::clone(&flag));
        Pin::new(&mut self.future).poll(&mut Context::from_waker(&flag.into()))
    }
}

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.has_rung.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::sync::oneshot;
    use tokio::task::yield_now;

    use super::*;

    /// How often a channel is looked at by a task that is woken ten times for another reason before
    /// there is something in it.
    async fn polls_beside_something_busy() -> usize {
        let (sender, mut receiver) = oneshot::channel();
        let mut polls = 0;
        let counted = poll_fn(|cx| {
            polls += 1;
            Pin::new(&mut receiver).poll(cx)
        });
        let mut aside = PollOnWake::new(counted);
        tokio::select! {
            biased;
            _ = &mut aside => panic!("there is nothing yet"),
            () = async { for _ in 0..10 { yield_now().await } } => {}
        }
        sender.send(7).unwrap();
        assert_eq!((&mut aside).await, Ok(7));
        polls
    }

    #[tokio::test]
    async fn it_is_polled_when_it_is_first_seen_and_when_it_was_woken() {
        assert_eq!(tokio::spawn(polls_beside_something_busy()).await.unwrap(), 2);
    }

    #[tokio::test]
    async fn it_follows_whoever_waits_for_it() {
        let (sender, receiver) = oneshot::channel();
        let mut aside = PollOnWake::new(receiver);
        let elsewhere = Waker::noop();
        assert!(Pin::new(&mut aside).poll(&mut Context::from_waker(elsewhere)).is_pending());
        let waiting = tokio::spawn(aside);
        yield_now().await;
        sender.send(7).unwrap();
        assert_eq!(waiting.await.unwrap(), Ok(7));
    }
}
