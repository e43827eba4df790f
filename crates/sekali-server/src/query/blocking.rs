//! Work that takes long, on threads that serve no connections.

use super::QueryError;

/// Runs `work` on a thread that may block, so that only its own request waits for it.
///
/// # Errors
/// [`QueryError::Broken`]: it panicked, or the server is ending.
pub async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, QueryError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| QueryError::Broken(error.to_string()))
}
