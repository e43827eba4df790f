//! Work that takes long, on threads that serve no connections.

use super::error::ApiError;

/// Does `work` where it keeps nobody waiting but who asked for it.
///
/// # Errors
/// `internal`: it panicked, or the server is ending.
pub(super) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| ApiError::internal(&error))
}
