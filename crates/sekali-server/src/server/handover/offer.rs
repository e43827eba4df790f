//! The side of the server that runs.

use std::fs::Permissions;
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};

use super::wire::{FAILED, HELLO, Line, Place, RELEASE, RELEASED, SERVING, SOCKETS, receive, send};
use crate::limits::HANDOVER_TIMEOUT;
use crate::server::Sockets;

/// A server that can be taken over.
#[derive(Debug)]
pub(in crate::server) struct Offer {
    takers: mpsc::Receiver<Taker>,
    task: AbortHandle,
    /// To be removed when the server ends by itself.
    place: Option<Place>,
}

/// A process that takes over.
#[derive(Debug)]
pub(in crate::server) struct Taker(UnixStream);

impl Offer {
    /// Makes the offer, with these sockets. Only whoever holds the lock of the directory may: an
    /// earlier offer is removed.
    pub(in crate::server) fn make(dir: &Path, sockets: Sockets) -> io::Result<Self> {
        let place = Place::of(dir)?;
        match std::fs::remove_file(&place.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&place.path)?;
        std::fs::set_permissions(&place.path, Permissions::from_mode(0o600))?;
        let (taken, takers) = mpsc::channel(1);
        let task = tokio::spawn(wait(listener, sockets, taken)).abort_handle();
        Ok(Self { takers, task, place: Some(place) })
    }

    /// Waits until a process takes over. From then on the socket is that one's.
    pub(in crate::server) async fn taken(&mut self) -> Taker {
        match self.takers.recv().await {
            Some(taker) => {
                self.place = None;
                taker
            }
            None => std::future::pending().await,
        }
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(place) = &self.place {
            // A socket that is left behind is removed by the next server.
            let _ = std::fs::remove_file(&place.path);
        }
    }
}

/// Talks to processes, one at a time, until one takes over.
async fn wait(listener: UnixListener, sockets: Sockets, taken: mpsc::Sender<Taker>) {
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                warn!(%error, "cannot accept a process that takes over for a moment");
                sleep(HANDOVER_TIMEOUT / 100).await;
                continue;
            }
        };
        match timeout(HANDOVER_TIMEOUT, talk(&stream, &sockets)).await {
            Ok(Ok(())) => {
                // An error here is a server that ends.
                let _ = taken.send(Taker(stream)).await;
                return;
            }
            Ok(Err(error)) => debug!(%error, "a process asked for the sockets and did not take over"),
            Err(_) => warn!("a process asked for the sockets and was silent then"),
        }
    }
}

/// Gives the sockets away, and waits until the store is asked for.
async fn talk(stream: &UnixStream, sockets: &Sockets) -> io::Result<()> {
    let ours = rustix::process::geteuid().as_raw();
    if ![0, ours].contains(&stream.peer_cred()?.uid()) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    if receive(stream).await?.text != HELLO {
        send(stream, &format!("{FAILED} this server expects {HELLO:?}"), &[]).await?;
        return Err(io::ErrorKind::InvalidData.into());
    }
    let line = [SOCKETS].into_iter().chain(sockets.iter().map(|(name, _)| name)).collect::<Vec<_>>().join(" ");
    let files: Vec<_> = sockets.iter().map(|(_, listener)| listener.as_fd()).collect();
    send(stream, &line, &files).await?;
    match receive(stream).await?.text.as_str() {
        RELEASE => Ok(()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

impl Taker {
    /// Says that the store is closed, and waits until the other serves.
    ///
    /// # Errors
    /// The reason why it does not. It has let go of the store then.
    pub(in crate::server) async fn hand_over(self) -> Result<(), String> {
        let answer = async {
            send(&self.0, RELEASED, &[]).await?;
            receive(&self.0).await
        };
        match answer.await {
            Ok(Line { text, .. }) if text == SERVING => Ok(()),
            Ok(Line { text, .. }) => Err(text.strip_prefix(FAILED).unwrap_or(&text).trim().to_owned()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err("it ended without a word".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}
