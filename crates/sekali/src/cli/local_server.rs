//! A server inside this process, as `serve` and `demo` run it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use sekali_server::server::{Config, Ended, Server, Sockets};

/// Starts a server, on these sockets if there are any. The failure has the exit code of its cause.
pub(crate) async fn start(config: Config, sockets: Sockets) -> Result<Server, Failure> {
    Server::start_on(config, sockets).await.map_err(Failure::from)
}

/// The result of the process, from the way its server ended.
pub(crate) fn conclude(ended: Ended) -> Result<(), Failure> {
    match ended {
        Ended::Stopped | Ended::HandedOver => Ok(()),
        Ended::NotResumed(reason) => Err(Failure::new(
            Exit::Failed,
            format!("another process was to take over and failed, and this one cannot go on: {reason}"),
        )),
        Ended::StorageFailed(reason) => Err(Failure::new(
            Exit::Stopped,
            format!(
                "stopped after a failed write: {reason}; what was acknowledged is safe: check the disk and start again"
            ),
        )),
    }
}

/// The address that a client on this machine connects to.
pub(crate) fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_cannot_connect_to_every_address() {
        for (listening, reached) in
            [("0.0.0.0:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("10.0.0.1:80", "10.0.0.1:80")]
        {
            assert_eq!(reachable(listening.parse().unwrap()).to_string(), reached);
        }
    }
}
