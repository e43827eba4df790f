//! Waiting for a server that is away, and saying so.

use std::time::Duration;

use crate::cli::term::output::note;
use sekali_client::{ClientError, RetryPolicy, retrying};
use sekali_wire::escape::escape;

/// Makes `attempt`s for as long as `policy` says, and tells people at the first failure what is
/// waited for, unless they want quiet.
pub(crate) async fn patiently<T, F: Future<Output = Result<T, ClientError>>>(
    policy: RetryPolicy,
    quiet: bool,
    attempt: impl FnMut() -> F,
) -> Result<T, ClientError> {
    let mut told = quiet;
    let tell = |error: &ClientError, _: Duration| {
        if !std::mem::replace(&mut told, true) {
            let seconds = policy.give_up_after.as_secs();
            note(format_args!("waiting up to {seconds} s for the server: {}", escape(&error.to_string())));
        }
    };
    retrying(policy, tell, attempt).await
}
