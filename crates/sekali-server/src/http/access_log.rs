//! The log of requests: each at debug, refusals at info, and those without a valid key at warn. The
//! number of lines in a time is bounded: clients that are refused may try as often as they like.
//! Slow requests are logged at warn, with where their time went.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::header::HeaderValue;
use hyper::{Method, StatusCode};
use tracing::{Level, debug, enabled, info, warn};

use super::answer::{ApiError, Code};
use crate::limits::{KEYLESS_LINES_MAX, REFUSAL_LINES_MAX, REFUSALS_LOG_INTERVAL, SLOW_LINES_MAX};
use crate::spent::{Spent, Stage};

/// Counts refusals, so that clients cannot fill the log.
#[derive(Debug)]
pub(super) struct AccessLog {
    /// Of requests without a valid key: many of them leave room for the others.
    keyless: Mutex<Window>,
    others: Mutex<Window>,
    slow: Mutex<Window>,
}

/// Counts the lines of a time.
#[derive(Debug)]
struct Window {
    lines_max: u32,
    begun: Option<Instant>,
    lines: u32,
    left_out: u64,
}

impl Default for AccessLog {
    fn default() -> Self {
        let window = |lines_max| Mutex::new(Window { lines_max, begun: None, lines: 0, left_out: 0 });
        Self { keyless: window(KEYLESS_LINES_MAX), others: window(REFUSAL_LINES_MAX), slow: window(SLOW_LINES_MAX) }
    }
}

/// A request, from its head to its answer.
pub(super) struct Entry {
    method: Method,
    path: String,
}

/// A request that was answered late.
#[derive(Debug, Clone, Copy)]
pub(super) struct SlowRequest<'a> {
    pub(super) method: &'a Method,
    /// The path of its route.
    pub(super) path: &'a str,
    pub(super) id: &'a HeaderValue,
    pub(super) status: StatusCode,
    pub(super) time: Duration,
    pub(super) spent: Spent,
}

impl AccessLog {
    /// Begins an entry, if debug lines are logged: an entry costs an allocation.
    pub(super) fn begin(method: &Method, path: &str) -> Option<Entry> {
        let begin = || Entry { method: method.clone(), path: path.to_owned() };
        enabled!(Level::DEBUG).then(begin)
    }

    /// Logs a request that was answered after `time`.
    pub(super) fn answered(entry: Option<Entry>, id: &HeaderValue, status: StatusCode, time: Duration) {
        let Some(Entry { method, path }) = entry else { return };
        let (id, status, micros) = (text(id), status.as_u16(), micros(time));
        debug!(%method, path, status, micros, id, "request");
    }

    /// Logs a slow request, unless there were too many in the last moments.
    pub(super) fn took(&self, slow: &SlowRequest<'_>) {
        let SlowRequest { method, path, id, status, time, spent } = *slow;
        let due = self.slow.lock().unwrap_or_else(PoisonError::into_inner).count(Instant::now());
        let Some(left_out) = due else { return };
        if left_out > 0 {
            warn!(left_out, "slow requests were not logged: there were too many");
        }
        let stage = |stage| millis(spent.of(stage));
        warn!(
            %method,
            path,
            status = status.as_u16(),
            millis = millis(time),
            body = stage(Stage::Body),
            parse = stage(Stage::Parse),
            queue = stage(Stage::Queue),
            look_up = stage(Stage::LookUp),
            sync = stage(Stage::Sync),
            read = stage(Stage::Read),
            wait = stage(Stage::Wait),
            id = text(id),
            "slow request"
        );
    }

    /// Logs a refusal, unless there were too many in the last moments. Of the key that was shown
    /// nothing is told.
    pub(super) fn refused(&self, method: &Method, path: &str, id: &HeaderValue, error: &ApiError) {
        let is_keyless = error.code == Code::Unauthenticated;
        let window = if is_keyless { &self.keyless } else { &self.others };
        let due = window.lock().unwrap_or_else(PoisonError::into_inner).count(Instant::now());
        let Some(left_out) = due else { return };
        let (id, code, message) = (text(id), error.code.as_str(), &*error.message);
        if is_keyless {
            let requests = left_out + 1;
            warn!(requests, %method, path, message, id, "requests were refused for want of a valid key");
            return;
        }
        if left_out > 0 {
            info!(left_out, "refusals were not logged: there were too many");
        }
        info!(%method, path, code, message, id, "request refused");
    }
}

impl Window {
    /// Counts a refusal. Returns the number of those left out before it, if this one is to be
    /// logged.
    fn count(&mut self, now: Instant) -> Option<u64> {
        let over = |begun| now.saturating_duration_since(begun) >= REFUSALS_LOG_INTERVAL;
        if self.begun.is_none_or(over) {
            (self.begun, self.lines) = (Some(now), 0);
        }
        if self.lines == self.lines_max {
            self.left_out += 1;
            return None;
        }
        self.lines += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

fn text(id: &HeaderValue) -> &str {
    id.to_str().unwrap_or_default()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_cannot_fill_the_log_and_those_left_out_are_counted() {
        let (log, begun) = (AccessLog::default(), Instant::now());
        let mut window = log.others.into_inner().unwrap();
        let logged = (0..100).filter(|_| window.count(begun).is_some()).count();
        assert_eq!(logged, REFUSAL_LINES_MAX as usize);
        assert_eq!(window.count(begun + REFUSALS_LOG_INTERVAL), Some(100 - u64::from(REFUSAL_LINES_MAX)));
        assert_eq!(window.count(begun + REFUSALS_LOG_INTERVAL), Some(0));
        let mut keyless = log.keyless.into_inner().unwrap();
        assert_eq!((keyless.count(begun), keyless.count(begun), keyless.count(begun)), (Some(0), None, None));
        assert_eq!(keyless.count(begun + REFUSALS_LOG_INTERVAL), Some(2));
    }
}
