//! The log of requests: each at debug, and refusals at info, a bounded number of lines a second.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::header::HeaderValue;
use hyper::{Method, StatusCode};
use tracing::{Level, debug, enabled, info};

use super::answer::ApiError;
use crate::limits::{REFUSAL_LINES_MAX, REFUSALS_LOG_INTERVAL};

/// Counts refusals, so that clients cannot fill the log.
#[derive(Debug, Default)]
pub(super) struct AccessLog {
    window: Mutex<Window>,
}

#[derive(Debug, Default)]
struct Window {
    begun: Option<Instant>,
    lines: u32,
    left_out: u64,
}

/// A request, from its head to its answer.
pub(super) struct Entry {
    method: Method,
    path: String,
    begun: Instant,
}

impl AccessLog {
    /// Begins an entry, if debug lines are logged: an entry costs an allocation and a clock read.
    pub(super) fn begin(method: &Method, path: &str) -> Option<Entry> {
        let begin = || Entry { method: method.clone(), path: path.to_owned(), begun: Instant::now() };
        enabled!(Level::DEBUG).then(begin)
    }

    /// Logs an answered request.
    pub(super) fn answered(entry: Option<Entry>, id: &HeaderValue, status: StatusCode) {
        let Some(Entry { method, path, begun }) = entry else { return };
        let (id, status, micros) = (text(id), status.as_u16(), micros(begun.elapsed()));
        debug!(%method, path, status, micros, id, "request");
    }

    /// Logs a refusal, unless there were too many in the last moments.
    pub(super) fn refused(&self, method: &Method, path: &str, id: &HeaderValue, error: &ApiError) {
        let due = self.window.lock().unwrap_or_else(PoisonError::into_inner).count(Instant::now());
        let Some(left_out) = due else { return };
        let (id, code, message) = (text(id), error.code.as_str(), &*error.message);
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
        if self.lines == REFUSAL_LINES_MAX {
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

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_cannot_fill_the_log_and_those_left_out_are_counted() {
        let (mut window, begun) = (Window::default(), Instant::now());
        let logged = (0..100).filter(|_| window.count(begun).is_some()).count();
        assert_eq!(logged, REFUSAL_LINES_MAX as usize);
        assert_eq!(window.count(begun + REFUSALS_LOG_INTERVAL), Some(100 - u64::from(REFUSAL_LINES_MAX)));
        assert_eq!(window.count(begun + REFUSALS_LOG_INTERVAL), Some(0));
    }
}
