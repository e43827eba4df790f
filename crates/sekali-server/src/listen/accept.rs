//! The accept loop: as many connections as there may be, and no storm of errors when there cannot
//! be one more.

use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpStream as StdTcpStream};
use std::task::Poll;
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tracing::{debug, warn};

use super::connection::{ConnectionContext, Entrance};
use super::draining::{Draining, drained};
use super::permits::{ConnectionPermit, ConnectionPermits};
use super::threads::Threads;
use crate::limits::{CONNECTIONS_FEW, CONNECTIONS_MAX, DRAIN_TIMEOUT, FILES_RESERVED};

/// Listening sockets with their connections.
#[derive(Debug)]
pub(crate) struct Listening {
    draining: watch::Sender<Draining>,
    task: JoinHandle<()>,
}

impl Listening {
    /// Begins to accept.
    pub(crate) fn start(
        listeners: Vec<(TcpListener, Entrance)>,
        threads: Threads,
        context: ConnectionContext,
        limits: OpenLimits,
    ) -> Self {
        let (draining, drain) = watch::channel(Draining::No);
        let places = ConnectionPermits::new(limits.connections);
        Self { draining, task: tokio::spawn(run(listeners, threads, context, places, drain)) }
    }

    /// Accepts no more, and waits until the requests in progress are answered, or for
    /// [`DRAIN_TIMEOUT`].
    pub(crate) async fn drain(mut self, draining: Draining) {
        // An error here is a task that has ended.
        let _ = self.draining.send(draining);
        if timeout(DRAIN_TIMEOUT, &mut self.task).await.is_err() {
            warn!("requests were cut off: they took too long to finish");
            self.task.abort();
        }
    }
}

async fn run(
    listeners: Vec<(TcpListener, Entrance)>,
    threads: Threads,
    context: ConnectionContext,
    places: ConnectionPermits,
    mut drain: watch::Receiver<Draining>,
) {
    let mut connections = JoinSet::new();
    let is_draining = drain.clone();
    for turn in 0.. {
        let accepted = tokio::select! {
            _ = drained(&mut drain) => break,
            accepted = accept(&listeners, turn, &places) => accepted,
        };
        if let Some((stream, entrance, place)) = accepted {
            let Some((slot, runtime)) = threads.slot() else { break };
            let context = context.clone();
            let draining = is_draining.clone();
            connections.spawn_on(
                async move {
                    // Known to the runtime that it is served on, and no longer to the one that it
                    // was accepted on.
                    let Ok(stream) = TcpStream::from_std(stream) else { return };
                    context.serve(stream, draining, entrance, place).await;
                    drop(slot);
                },
                runtime,
            );
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listeners);
    while connections.join_next().await.is_some() {}
}

/// The next connection, once there is room for it.
async fn accept(
    listeners: &[(TcpListener, Entrance)],
    turn: usize,
    places: &ConnectionPermits,
) -> Option<(StdTcpStream, Entrance, ConnectionPermit)> {
    let place = places.wait().await?;
    match next(listeners, turn).await {
        Ok((stream, client, entrance)) => {
            let place = places.take(place, client.ip());
            if place.is_none() {
                debug!(%client, "a connection was closed: its address has too many");
            }
            Some((stream.into_std().ok()?, entrance, place?))
        }
        Err(error) => {
            if is_of_one_connection(&error) {
                debug!(%error, "a connection was gone before it was accepted");
            } else {
                // Most often too many open files, which passes when a connection closes and not by
                // trying harder.
                warn!(%error, "cannot accept connections for a moment");
                tokio::time::sleep(BACK_OFF).await;
            }
            None
        }
    }
}

/// The next connection of any socket. Each is asked first in its turn, so that a busy one does not
/// keep the others waiting.
async fn next(listeners: &[(TcpListener, Entrance)], turn: usize) -> io::Result<(TcpStream, SocketAddr, Entrance)> {
    let (behind, first) = listeners.split_at(turn % listeners.len().max(1));
    poll_fn(|cx| {
        let mut accepted = first.iter().chain(behind).map(|(listener, entrance)| {
            listener.poll_accept(cx).map_ok(|(stream, client)| (stream, client, *entrance))
        });
        accepted.find(Poll::is_ready).unwrap_or(Poll::Pending)
    })
    .await
}

const BACK_OFF: Duration = Duration::from_millis(200);

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Limits that the operating system sets to this process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenLimits {
    /// Open files; `None` is no limit.
    pub(crate) files: Option<u64>,
    /// Connections: no more than leaves the store the files it needs, since a store that cannot
    /// open a file cannot go on.
    pub(crate) connections: usize,
}

impl OpenLimits {
    /// Raises the limit of open files as far as the system permits.
    pub(crate) fn raise() -> Self {
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        // If this is refused the earlier limit stays.
        let _ = setrlimit(Resource::Nofile, limit);
        let files = getrlimit(Resource::Nofile).current;
        let room = files.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
        let connections = room.saturating_sub(FILES_RESERVED).clamp(1, CONNECTIONS_MAX);
        if connections < CONNECTIONS_FEW {
            warn!(
                connections,
                files, "few connections at a time: raise the limit of open files with `ulimit -n` or LimitNOFILE="
            );
        }
        Self { files, connections }
    }
}
