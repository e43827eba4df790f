//! SIGINT and SIGTERM: the first asks, the second insists. SIGHUP: read again what may have
//! changed.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// From now on these signals no longer kill the process.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(crate) fn catch() -> Result<Self, Failure> {
        Ok(Self { interrupt: catch(SignalKind::interrupt())?, terminate: catch(SignalKind::terminate())? })
    }

    /// Resolves at the first signal. The second ends the process at once, wherever it is.
    pub(crate) async fn first(mut self) {
        self.next().await;
        tokio::spawn(async move {
            self.next().await;
            std::process::exit(i32::from(Exit::Interrupted.code()));
        });
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// From now on a hangup no longer kills the process.
pub(crate) struct Hangups(Signal);

impl Hangups {
    pub(crate) fn catch() -> Result<Self, Failure> {
        catch(SignalKind::hangup()).map(Self)
    }

    /// Calls `reload` at each of them, for as long as the process lives.
    pub(crate) async fn each(mut self, reload: impl Fn()) {
        while self.0.recv().await.is_some() {
            reload();
        }
    }
}

fn catch(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error: io::Error| Failure::new(Exit::Failed, format!("cannot wait for signals: {error}")))
}
