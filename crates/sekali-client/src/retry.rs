//! Retries: exponential backoff with full jitter (Brooker, "Exponential backoff and jitter", 2015),
//! never sooner than the server asks.

use std::time::{Duration, Instant};

use super::ClientError;

/// A retry policy.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Upper bound of the first wait.
    pub first: Duration,
    /// Upper bound of every wait, unless the server asks for more.
    pub longest: Duration,
    /// No retry begins later than this after the first failure.
    pub give_up_after: Duration,
}

impl RetryPolicy {
    /// Waits of up to 0.1 s at first and 10 s at most.
    pub fn lasting(give_up_after: Duration) -> Self {
        Self { first: Duration::from_millis(100), longest: Duration::from_secs(10), give_up_after }
    }
}

/// The waits between the attempts of one request.
#[derive(Debug)]
pub struct Backoff {
    policy: RetryPolicy,
    bound: Duration,
    first_failure: Option<Instant>,
}

impl Backoff {
    /// Before the first attempt.
    pub fn new(policy: RetryPolicy) -> Self {
        Self { policy, bound: policy.first, first_failure: None }
    }

    /// Returns the wait after a failure at `now`, or `None` to give up. `fraction` (0 to 1) picks
    /// the wait below the bound, which doubles each time.
    pub fn wait(&mut self, now: Instant, retry_after: Option<Duration>, fraction: f64) -> Option<Duration> {
        let first_failure = *self.first_failure.get_or_insert(now);
        let jitter = self.bound.mul_f64(fraction.clamp(0.0, 1.0));
        self.bound = (self.bound * 2).min(self.policy.longest);
        let wait = retry_after.unwrap_or(Duration::ZERO).saturating_add(jitter);
        let left = self.policy.give_up_after.checked_sub(now.duration_since(first_failure))?;
        (wait <= left).then_some(wait)
    }
}

/// Calls `attempt` until it succeeds, fails for good, or the policy gives up. Calls `on_retry`
/// before each wait.
pub async fn retrying<T, F: Future<Output = Result<T, ClientError>>>(
    policy: RetryPolicy,
    mut on_retry: impl FnMut(&ClientError, Duration),
    mut attempt: impl FnMut() -> F,
) -> Result<T, ClientError> {
    let mut backoff = Backoff::new(policy);
    loop {
        let error = match attempt().await {
            Ok(answer) => return Ok(answer),
            Err(error) if !error.is_retryable() => return Err(error),
            Err(error) => error,
        };
        match backoff.wait(Instant::now(), error.retry_after(), rand::random()) {
            None => return Err(error),
            Some(wait) => {
                on_retry(&error, wait);
                tokio::time::sleep(wait).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut backoff = Backoff::new(RetryPolicy::lasting(Duration::from_secs(1_000)));
        let now = Instant::now();
        let waits: Vec<u128> = (0..9).map(|_| backoff.wait(now, None, 1.0).unwrap().as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
    }

    #[test]
    fn the_server_is_never_asked_sooner_than_it_wants() {
        let mut backoff = Backoff::new(RetryPolicy::lasting(Duration::from_secs(60)));
        let now = Instant::now();
        assert_eq!(backoff.wait(now, Some(millis(2_000)), 0.0), Some(millis(2_000)));
        assert_eq!(backoff.wait(now, Some(millis(2_000)), 0.5), Some(millis(2_100)));
        assert_eq!(backoff.wait(now, None, 0.0), Some(millis(0)));
    }

    #[test]
    fn patience_ends_and_is_counted_from_the_first_failure() {
        let mut backoff = Backoff::new(RetryPolicy::lasting(millis(500)));
        let start = Instant::now();
        assert!(backoff.wait(start, None, 0.0).is_some());
        assert!(backoff.wait(start + millis(500), None, 0.0).is_some());
        assert!(backoff.wait(start + millis(501), None, 0.0).is_none());
        assert!(Backoff::new(RetryPolicy::lasting(millis(500))).wait(start, Some(millis(501)), 0.0).is_none());
    }
}
