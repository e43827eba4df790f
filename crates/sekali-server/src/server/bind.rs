//! Where to listen, and whether that is safe.

use std::net::SocketAddr;

use tokio::net::{TcpListener, lookup_host};
use tracing::warn;

use super::{Config, StartError};
use crate::access::Access;

/// Begins to listen: connections wait in the backlog until they are accepted.
///
/// # Errors
/// [`StartError::Listen`], and [`StartError::Exposed`] if other machines could reach the address,
/// no keys keep them out, and that was not asked for. Names are resolved before that is decided,
/// and not again.
pub(super) async fn bind(config: &Config, access: &Access) -> Result<TcpListener, StartError> {
    let listen = &config.listen;
    let refused = |source| StartError::Listen { listen: listen.clone(), source };
    let addrs: Vec<SocketAddr> = lookup_host(listen).await.map_err(refused)?.collect();
    if access.is_open() && !addrs.iter().all(is_loopback) {
        if !config.allow_anonymous {
            return Err(StartError::Exposed { listen: listen.clone(), data_dir: config.data_dir.clone() });
        }
        warn!(%listen, "there are no keys: every client that reaches this address may read and publish everything");
    }
    TcpListener::bind(&*addrs).await.map_err(refused)
}

/// Whether only this machine itself reaches the address.
pub(super) fn is_loopback(addr: &SocketAddr) -> bool {
    addr.ip().to_canonical().is_loopback()
}
