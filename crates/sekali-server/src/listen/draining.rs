//! The end of connections when the server stops.

use tokio::sync::watch;

/// Whether connections are to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Draining {
    No,
    /// Each may have a last request: the listening sockets stay open, and its client finds a server
    /// when it connects again.
    Gently,
    /// Those without a request close.
    AtOnce,
}

/// Waits until connections are to end.
pub(super) async fn drained(draining: &mut watch::Receiver<Draining>) -> Draining {
    // An error here is a server that is gone.
    draining.wait_for(|draining| *draining != Draining::No).await.map_or(Draining::AtOnce, |draining| *draining)
}

/// Waits until those without a request are to close at once.
pub(super) async fn cut(draining: &mut watch::Receiver<Draining>) {
    let _ = draining.wait_for(|draining| *draining == Draining::AtOnce).await;
}
