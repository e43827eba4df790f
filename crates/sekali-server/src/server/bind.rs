//! Where to listen, and whether that is safe.

use std::net::SocketAddr;

use tokio::net::{TcpListener, lookup_host};
use tracing::warn;

use super::{Config, Sockets, StartError};
use crate::access::Access;
use crate::protocols::Port;

/// The name of the port that serves everything.
pub(super) const MAIN: &str = "main";

/// The sockets to listen on. Connections wait in their backlogs until they are accepted. Those that
/// are open already are used: a supervisor decides on the addresses of all that it names, and of
/// another server's those are taken that are asked for.
///
/// # Errors
/// [`StartError::Listen`], and [`StartError::Exposed`] if other machines could reach an address, no
/// keys keep them out, and that was not asked for. Names are resolved before that is decided, and
/// not again.
pub(super) async fn bind(config: &Config, access: &Access, open: Open) -> Result<Sockets, StartError> {
    let mut bound = Sockets::default();
    let mut offered = Sockets::default();
    match open {
        Open::Supervised(mut sockets) => {
            sockets.name_main(MAIN, &Port::ALL.map(Port::name));
            for (name, listener) in sockets.into_all() {
                let refused = |source| StartError::Listen { listen: name.clone(), source };
                let addr = listener.local_addr().map_err(refused)?;
                check(config, access, &addr.to_string(), &[addr])?;
                bound.push(&name, listener);
            }
        }
        Open::Offered(sockets) => offered = sockets,
    }
    let ports = config.ports.iter().map(|(port, listen)| (port.name(), listen));
    for (name, listen) in [(MAIN, &config.listen)].into_iter().chain(ports) {
        if bound.iter().any(|(known, _)| known == name) {
            continue;
        }
        let refused = |source| StartError::Listen { listen: listen.clone(), source };
        let addrs: Vec<SocketAddr> = lookup_host(listen).await.map_err(refused)?.collect();
        check(config, access, listen, &addrs)?;
        let mut taken = offered.take_at(name, &addrs);
        if taken.is_empty() {
            taken.push(TcpListener::bind(&*addrs).await.and_then(TcpListener::into_std).map_err(refused)?);
        }
        taken.into_iter().for_each(|listener| bound.push(name, listener));
    }
    for (name, listener) in bound.iter() {
        let refused = |source| StartError::Listen { listen: name.to_owned(), source };
        listener.set_nonblocking(true).map_err(refused)?;
    }
    Ok(bound)
}

/// Whether requests on this socket must ask for a name of this server while there are no keys.
pub(super) fn checks_host(config: &Config, addr: &SocketAddr) -> bool {
    is_loopback(addr) || !config.allow_hosts.is_empty()
}

/// The port that a socket of this name is for; the main one is none.
pub(super) fn port_of(name: &str) -> Option<Port> {
    Port::ALL.into_iter().find(|port| port.name() == name)
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
fn is_loopback(addr: &SocketAddr) -> bool {
    addr.ip().to_canonical().is_loopback()
}
