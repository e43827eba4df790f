//! Starting a server inside this process: what `serve` and `demo` share.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::cli::{Exit, Failure};
use sekali_server::access::KeysError;
use sekali_server::server::{Config, Ended, Server, StartError};

/// Where a server listens and keeps its data.
#[derive(Debug, Args)]
pub(crate) struct ListenArgs {
    /// Address to listen on; port 0 takes any free one
    #[arg(long, env = "SEKALI_LISTEN", value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// Where the data is, or will be
    #[arg(long, env = "SEKALI_DATA_DIR", value_name = "DIR", default_value = "./sekali-data")]
    pub(crate) data_dir: PathBuf,
    /// Let everybody read and publish who reaches an address beyond this machine, if there are no keys (see sekali keys)
    #[arg(long, env = "SEKALI_ALLOW_ANONYMOUS", value_parser = BoolishValueParser::new())]
    allow_anonymous: bool,
    /// Answer to this name, too, on loopback without keys: that of a proxy in front; several with commas, or by repeating
    #[arg(long = "allow-host", env = "SEKALI_ALLOW_HOSTS", value_name = "HOST", value_delimiter = ',')]
    allow_hosts: Vec<String>,
}

impl ListenArgs {
    /// The settings of such a server.
    pub(super) fn config(&self) -> Config {
        Config {
            listen: self.listen.clone(),
            data_dir: self.data_dir.clone(),
            allow_anonymous: self.allow_anonymous,
            // An empty environment variable means none.
            allow_hosts: self.allow_hosts.iter().filter(|host| !host.is_empty()).cloned().collect(),
            ..Config::default()
        }
    }
}

/// Starts a server, or says why not with the right exit code.
pub(super) async fn start(config: Config) -> Result<Server, Failure> {
    Server::start(config).await.map_err(|error| explain(&error))
}

/// The right exit code, and the causes on one line.
pub(super) fn explain(error: &StartError) -> Failure {
    let exit = match error {
        StartError::DataDirInUse(_) => Exit::DataDirInUse,
        StartError::Listen { .. } => Exit::CannotListen,
        StartError::NewerFormat(_) => Exit::NewerFormat,
        StartError::Damaged(_) => Exit::Damaged,
        StartError::Config(_) | StartError::Exposed { .. } => Exit::Usage,
        StartError::Keys(error) => return explain_keys(error),
        StartError::Tls(_) | StartError::Other(_) => Exit::Failed,
    };
    Failure::new(exit, with_causes(error))
}

/// The same for keys that cannot be read or changed.
pub(super) fn explain_keys(error: &KeysError) -> Failure {
    let exit = match error {
        KeysError::Damaged { .. } => Exit::Damaged,
        KeysError::NewerFormat { .. } => Exit::NewerFormat,
        KeysError::NoSuchKey => Exit::Usage,
        KeysError::Io { .. } | KeysError::TooMany => Exit::Failed,
    };
    Failure::new(exit, error.to_string())
}

/// What a server's end means for the process.
pub(super) fn conclude(ended: Ended) -> Result<(), Failure> {
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
pub(super) fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

/// Causes that the message itself does not quote already.
pub(super) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        cause = error.source();
    }
    text
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

    #[test]
    fn causes_are_told_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot create x")]
        struct Outer(#[source] std::io::Error);
        let error = Outer(std::io::Error::other("disk is read-only"));
        assert_eq!(with_causes(&error), "cannot create x: disk is read-only");
        let error = StartError::Listen { listen: "x".to_owned(), source: std::io::Error::other("in use") };
        assert_eq!(with_causes(&error).matches("in use").count(), 1);
    }
}
