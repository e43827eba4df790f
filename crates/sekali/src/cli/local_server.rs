//! A server inside this process, as `serve` and `demo` run it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use sekali_server::server::{Config, Ended, Server};

/// Starts a server. The failure has the exit code of its cause.
pub(crate) async fn start(config: Config) -> Result<Server, Failure> {
    Server::start(config).await.map_err(Failure::from)
}

/// The result of the process, from the way its server ended.
pub(crate) fn conclude(ended: Ended) -> Result<(), Failure> {
    match ended {
        Ended::Stopped => Ok(()),
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
