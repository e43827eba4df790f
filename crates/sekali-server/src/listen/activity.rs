//! The state of a connection, and whether it has been in it for too long.
//!
//! The transport has a timeout for headers only, which also ends idle connections, and none for
//! clients that do not take their answers. So the connection is watched from outside: its bytes,
//! requests and answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::http::BodyWatch;
use crate::limits::{ANSWER_BYTES_PER_SECOND_MIN, CLOSE_TIMEOUT};
use crate::timeouts::Timeouts;

/// Counts and times of a connection. Shared by its socket, its requests and its answers.
#[derive(Debug)]
pub(super) struct Activity {
    timeouts: Timeouts,
    start: Instant,
    /// Requests in progress, and answers whose next piece the server is making.
    working: AtomicUsize,
    /// Answers that wait for the client to take a piece.
    sending: AtomicUsize,
    /// Milliseconds from the start to the last progress. While answers are sent it lies as far back
    /// as their client is behind its pace.
    progress_ms: AtomicU64,
    /// How far that was, in milliseconds, when the client had taken all there was.
    behind_ms: AtomicU64,
    /// Milliseconds from the start to the first byte that came while there was no request; 0 for
    /// none.
    headers_ms: AtomicU64,
    /// Bytes taken by the client that have not been counted as progress.
    taken: AtomicU64,
    is_http2: AtomicBool,
    is_broken: AtomicBool,
    ends_with_next: AtomicBool,
}

/// The consequence of a check of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Fine,
    /// It has no request: close it gracefully.
    Idle,
    /// It holds up an answer or a request line: cut it.
    Stuck,
}

impl Activity {
    /// That of a new connection.
    pub(super) fn new(timeouts: Timeouts) -> Arc<Self> {
        Arc::new(Self {
            timeouts,
            start: Instant::now(),
            working: AtomicUsize::new(0),
            sending: AtomicUsize::new(0),
            progress_ms: AtomicU64::new(0),
            headers_ms: AtomicU64::new(0),
            behind_ms: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            is_http2: AtomicBool::new(false),
            is_broken: AtomicBool::new(false),
            ends_with_next: AtomicBool::new(false),
        })
    }

    /// Whether it has been at it for too long. One without a request has less time once it was
    /// asked to close.
    pub(super) fn verdict(&self, is_closing: bool) -> Verdict {
        let is_working = self.working.load(Ordering::Relaxed) > 0;
        let is_http2 = self.is_http2.load(Ordering::Relaxed);
        let since_progress = self.since(self.progress_ms.load(Ordering::Relaxed));
        // On HTTP/2 a request in progress is no excuse for not taking the answers to others.
        if self.sending.load(Ordering::Relaxed) > 0 && (is_http2 || !is_working) {
            return if since_progress > self.timeouts.answer { Verdict::Stuck } else { Verdict::Fine };
        }
        if is_working {
            return Verdict::Fine;
        }
        // On HTTP/2 bytes also come without requests.
        let headers_ms = self.headers_ms.load(Ordering::Relaxed);
        let in_headers = headers_ms > 0 && !is_http2;
        if in_headers && self.since(headers_ms) > self.timeouts.headers {
            return Verdict::Stuck;
        }
        let idle_max = if is_closing { CLOSE_TIMEOUT } else { self.timeouts.idle };
        if since_progress > idle_max { Verdict::Idle } else { Verdict::Fine }
    }

    /// Whether there is no request.
    pub(super) fn is_idle(&self) -> bool {
        self.working.load(Ordering::Relaxed) + self.sending.load(Ordering::Relaxed) == 0
    }

    /// Bytes have come.
    pub(super) fn received(&self) {
        if self.is_idle() {
            // The first of them counts.
            let _ = self.headers_ms.compare_exchange(0, self.now_ms().max(1), Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// The client has taken bytes.
    pub(super) fn sent(&self, bytes: usize) {
        let taken = self.taken.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        // Clocks cost: small answers are not looked at.
        if taken >= ANSWER_BYTES_PER_SECOND_MIN {
            self.taken.store(0, Ordering::Relaxed);
            let (now_ms, earned_ms) = (self.now_ms(), taken * 1_000 / ANSWER_BYTES_PER_SECOND_MIN);
            let progress_ms = self.progress_ms.load(Ordering::Relaxed);
            self.progress_ms.store((progress_ms + earned_ms).min(now_ms), Ordering::Relaxed);
        }
    }

    /// The socket has failed.
    pub(super) fn broke(&self) {
        self.is_broken.store(true, Ordering::Relaxed);
    }

    /// Whether it has: the client may not have read the last answers.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Relaxed)
    }

    /// The connection is to close with its next answer.
    pub(super) fn end_with_next(&self) {
        self.ends_with_next.store(true, Ordering::Relaxed);
    }

    /// Whether HTTP/2 is spoken, as far as is known.
    pub(super) fn is_http2(&self) -> bool {
        self.is_http2.load(Ordering::Relaxed)
    }

    /// Notes a request. It is in progress until its exchange is dropped and its body has ended.
    pub(super) fn begin(self: &Arc<Self>, is_http2: bool) -> Exchange {
        self.is_http2.store(is_http2, Ordering::Relaxed);
        self.headers_ms.store(0, Ordering::Relaxed);
        self.working.fetch_add(2, Ordering::Relaxed);
        self.progress();
        Exchange { activity: Arc::clone(self), is_sending: false }
    }

    fn progress(&self) {
        self.progress_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn since(&self, ms: u64) -> Duration {
        self.start.elapsed().saturating_sub(Duration::from_millis(ms))
    }
}

impl BodyWatch for Activity {
    fn body_ended(&self) {
        // While anything is worked on, the time of the last progress is not needed; and clocks
        // cost.
        if self.working.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.progress();
        }
    }
}

/// A request and its answer.
#[derive(Debug)]
pub(super) struct Exchange {
    activity: Arc<Activity>,
    is_sending: bool,
}

impl Exchange {
    /// Whether its connection is to close with it, which only HTTP/1 must be told.
    pub(super) fn is_last(&self) -> bool {
        self.activity.ends_with_next.load(Ordering::Relaxed) && !self.activity.is_http2()
    }

    /// The client has a piece of the answer to take.
    pub(super) fn sending(&mut self) {
        if std::mem::replace(&mut self.is_sending, true) {
            return;
        }
        let activity = &self.activity;
        if activity.sending.fetch_add(1, Ordering::Relaxed) == 0 {
            let behind_ms = activity.behind_ms.load(Ordering::Relaxed);
            activity.progress_ms.store(activity.now_ms().saturating_sub(behind_ms), Ordering::Relaxed);
        }
        activity.working.fetch_sub(1, Ordering::Relaxed);
    }

    /// It has taken all there was, and waits for more.
    pub(super) fn working(&mut self) {
        if !std::mem::replace(&mut self.is_sending, false) {
            return;
        }
        let activity = &self.activity;
        activity.working.fetch_add(1, Ordering::Relaxed);
        if activity.sending.fetch_sub(1, Ordering::Relaxed) == 1 {
            let behind_ms = activity.now_ms().saturating_sub(activity.progress_ms.load(Ordering::Relaxed));
            activity.behind_ms.store(behind_ms, Ordering::Relaxed);
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if self.is_sending {
            // That there was a last piece for the client to take was progress, a moment ago.
            if self.activity.sending.fetch_sub(1, Ordering::Relaxed) == 1 {
                self.activity.behind_ms.store(0, Ordering::Relaxed);
            }
        } else {
            self.activity.working.fetch_sub(1, Ordering::Relaxed);
            self.activity.progress();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;
    use crate::limits::{ANSWER_TIMEOUT, HEADERS_TIMEOUT};
    use sekali_wire::limits::IDLE_TIMEOUT;

    const MOMENT: Duration = Duration::from_millis(5);

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_is_closed_when_it_has_been_idle_for_long() {
        let activity = Activity::new(Timeouts::default());
        advance(IDLE_TIMEOUT).await;
        assert_eq!(activity.verdict(false), Verdict::Fine);
        advance(MOMENT).await;
        assert_eq!(activity.verdict(false), Verdict::Idle);
        drop(activity.begin(false));
        activity.body_ended();
        assert_eq!(activity.verdict(false), Verdict::Fine);
    }

    #[tokio::test(start_paused = true)]
    async fn headers_that_trickle_in_are_cut_off() {
        let activity = Activity::new(Timeouts::default());
        for _ in 0..11 {
            advance(HEADERS_TIMEOUT / 10 + MOMENT).await;
            activity.received();
        }
        assert_eq!(activity.verdict(false), Verdict::Stuck);
    }

    #[tokio::test(start_paused = true)]
    async fn our_own_slowness_is_not_held_against_the_client() {
        let activity = Activity::new(Timeouts::default());
        let mut exchange = activity.begin(false);
        activity.body_ended();
        advance(IDLE_TIMEOUT * 10).await;
        assert_eq!(activity.verdict(false), Verdict::Fine);
        exchange.sending();
        exchange.working();
        advance(IDLE_TIMEOUT * 10).await;
        assert_eq!(activity.verdict(false), Verdict::Fine);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_must_take_its_answer_at_a_pace() {
        let activity = Activity::new(Timeouts::default());
        let mut exchange = activity.begin(true);
        activity.body_ended();
        exchange.sending();
        for _ in 0..4 {
            advance(ANSWER_TIMEOUT / 2).await;
            activity.sent(ANSWER_BYTES_PER_SECOND_MIN as usize * ANSWER_TIMEOUT.as_secs() as usize / 2);
            assert_eq!(activity.verdict(false), Verdict::Fine);
        }
        // Piece by piece, and twice as slowly: no piece is progress by itself.
        for _ in 0..5 {
            advance(ANSWER_TIMEOUT / 2).await;
            activity.sent(ANSWER_BYTES_PER_SECOND_MIN as usize * ANSWER_TIMEOUT.as_secs() as usize / 4);
            exchange.working();
            exchange.sending();
        }
        assert_eq!(activity.verdict(false), Verdict::Stuck);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_in_progress_does_not_excuse_an_answer_that_is_not_taken() {
        let activity = Activity::new(Timeouts::default());
        let (mut unread, _slow) = (activity.begin(true), activity.begin(true));
        activity.body_ended();
        unread.sending();
        advance(ANSWER_TIMEOUT + MOMENT).await;
        assert_eq!(activity.verdict(false), Verdict::Stuck);
    }
}
