//! Where to listen, and whether that is safe.

use std::net::SocketAddr;

use tokio::net::{TcpListener as Binding, lookup_host};
use tracing::warn;

use super::{Config, Sockets, StartError};
use crate::access::Access;

/// The name of the port that serves everything.
pub(super) const MAIN: &str = "main";

/// The sockets to listen on. Connections wait in their backlogs until they are accepted. Those that
/// are open already are used: all of a supervisor's, and of another server's those that are asked
/// for.
///
/// # Errors
/// [`StartError::Listen`], and [`StartError::Exposed`] if other machines could reach an address, no
/// keys keep them out, and that was not asked for. Names are resolved before that is decided, and
/// not again.
pub(super) async fn bind(config: &Config, access: &Access, open: Open) -> Result<Sockets, StartError> {
    let listen = &config.listen;
    let refused = |source| StartError::Listen { listen: listen.clone(), source };
    let listeners = match open {
        Open::Supervised(mut sockets) => {
            let listeners = sockets.take();
            for listener in &listeners {
                let addr = listener.local_addr().map_err(refused)?;
                check(config, access, &addr.to_string(), &[addr])?;
            }
            listeners
        }
        Open::Offered(mut sockets) => {
            let addrs: Vec<SocketAddr> = lookup_host(listen).await.map_err(refused)?.collect();
            check(config, access, listen, &addrs)?;
            match sockets.take_at(MAIN, &addrs) {
                taken if !taken.is_empty() => taken,
                _ => vec![Binding::bind(&*addrs).await.and_then(Binding::into_std).map_err(refused)?],
            }
        }
    };
    for listener in &listeners {
        listener.set_nonblocking(true).map_err(refused)?;
    }
    Ok(Sockets::new(listeners.into_iter().map(|listener| (MAIN.to_owned(), listener)).collect()))
}

/// Sockets that are open already.
pub(super) enum Open {
    /// By a supervisor, which decides on the addresses.
    Supervised(Sockets),
    /// By another server, if there is one.
    Offered(Sockets),
}

impl Open {
    /// Those of a supervisor, if it gave any.
    pub(super) fn of(sockets: Sockets) -> Self {
        if sockets.is_empty() { Self::Offered(sockets) } else { Self::Supervised(sockets) }
    }
}

/// Refuses addresses that strangers reach, if nothing keeps them out.
fn check(config: &Config, access: &Access, listen: &str, addrs: &[SocketAddr]) -> Result<(), StartError> {
    if !access.is_open() || addrs.iter().all(is_loopback) {
        return Ok(());
    }
    if !config.allow_anonymous {
        return Err(StartError::Exposed { listen: listen.to_owned(), data_dir: config.data_dir.clone() });
    }
    warn!(%listen, "there are no keys: every client that reaches this address may read and publish everything");
    Ok(())
}

/// Whether only this machine itself reaches the address.
pub(super) fn is_loopback(addr: &SocketAddr) -> bool {
    addr.ip().to_canonical().is_loopback()
}
