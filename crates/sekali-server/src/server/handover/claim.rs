//! The side of the process that takes over.

use std::io;
use std::net::TcpListener;
use std::path::Path;

use rustix::net::sockopt::socket_acceptconn;
use tokio::net::UnixStream;
use tokio::time::timeout;
use tracing::warn;

use super::wire::{FAILED, HELLO, Line, Place, RELEASE, RELEASED, SERVING, SOCKETS, receive, send};
use crate::limits::HANDOVER_TIMEOUT;
use crate::server::{Sockets, StartError};

/// A running server that is being taken over. If this is dropped, that one goes on.
pub(super) struct Claim(UnixStream);

impl Claim {
    /// Asks the server that runs on a data directory for its sockets. `None` if none does.
    ///
    /// # Errors
    /// [`StartError::TakeOver`].
    pub(super) async fn make(dir: &Path) -> Result<Option<(Self, Sockets)>, StartError> {
        let failed = |reason: String| StartError::TakeOver { dir: dir.to_owned(), reason };
        let stream = match connect(dir).await {
            Ok(stream) => stream,
            Err(error) if is_alone(&error) => return Ok(None),
            Err(error) => return Err(failed(error.to_string())),
        };
        let asked = async {
            send(&stream, HELLO, &[]).await?;
            receive(&stream).await
        };
        let answer = timeout(HANDOVER_TIMEOUT, asked).await.map_err(|_| failed("it does not answer".to_owned()))?;
        let Line { text, files } = answer.map_err(|error| failed(error.to_string()))?;
        let names = match text.split_once(' ') {
            Some((SOCKETS, names)) => names.split(' ').map(str::to_owned),
            _ => return Err(failed(text.strip_prefix(FAILED).unwrap_or(&text).trim().to_owned())),
        };
        let is_listening = |file| socket_acceptconn(file).is_ok_and(|is_listening| is_listening);
        if names.clone().count() != files.len() || !files.iter().all(is_listening) {
            return Err(failed("it does not send its sockets".to_owned()));
        }
        let sockets = names.zip(files.into_iter().map(TcpListener::from)).collect();
        Ok(Some((Self(stream), Sockets::new(sockets))))
    }

    /// Asks for the store, and waits until it is closed. A server that ends meanwhile has closed it
    /// as well.
    pub(super) async fn release(&mut self) {
        let answer = async {
            send(&self.0, RELEASE, &[]).await?;
            receive(&self.0).await
        };
        match answer.await {
            Ok(Line { text, .. }) if text == RELEASED => {}
            Ok(Line { text, .. }) => warn!(text, "the other server says something else than expected"),
            Err(error) => warn!(%error, "the other server ended without a word"),
        }
    }

    /// Says that this process serves now.
    pub(super) async fn confirm(self) {
        if let Err(error) = send(&self.0, SERVING, &[]).await {
            warn!(%error, "the other server was gone before it was told that this one serves");
        }
    }

    /// Says why this process does not serve, so that the other one goes on.
    pub(super) async fn give_back(self, reason: &str) {
        // Without the reason, the end of the connection says the same.
        let _ = send(&self.0, &format!("{FAILED} {reason}"), &[]).await;
    }
}

async fn connect(dir: &Path) -> io::Result<UnixStream> {
    let place = Place::of(dir)?;
    UnixStream::connect(&place.path).await
}

/// Whether the error means that nobody listens.
fn is_alone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}
