//! The settings of a server.

use std::path::PathBuf;

use hyper::Uri;
use hyper::header::HeaderValue;
use sekali_store::Retention;

use super::StartError;
use crate::http::Hosts;
use crate::protocols::Port;
use sekali_tls::ServerTls;

/// The settings of a server.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address to listen on, such as `127.0.0.1:8080`. Port 0 takes any free one.
    pub listen: String,
    /// Ports of their own for protocols of other people's clients, each with its address.
    pub ports: Vec<(Port, String)>,
    /// Where the store is, or will be.
    pub data_dir: PathBuf,
    /// Partitions of a store that is made; one that exists keeps its own number.
    pub partitions: u32,
    /// Origins whose pages in a browser may use the API, such as `https://logs.example.org`.
    /// Normally none.
    pub cors_origins: Vec<String>,
    /// Whether to listen where strangers reach it although there are no keys that keep them out.
    pub allow_anonymous: bool,
    /// Names of hosts that are answered to on loopback without keys, besides those of this machine
    /// itself.
    pub allow_hosts: Vec<String>,
    /// How long events are kept, in every partition. Normally for ever.
    pub retention: Retention,
    /// With it, TLS is spoken and nothing else.
    pub tls: Option<ServerTls>,
    /// Whether to start in the place of the server that runs on the data directory, if one does.
    pub take_over: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            ports: Vec::new(),
            data_dir: PathBuf::from("sekali-data"),
            partitions: 1,
            cors_origins: Vec::new(),
            allow_anonymous: false,
            allow_hosts: Vec::new(),
            retention: Retention::default(),
            tls: None,
            take_over: false,
        }
    }
}

impl Config {
    /// The names of this server, besides those of this machine itself.
    pub(super) fn checked_hosts(&self) -> Result<Hosts, StartError> {
        Hosts::new(&self.allow_hosts).map_err(|wrong| {
            let message = format!("`{wrong}` is not the name of a host; give it without port, as in logs.example.org");
            StartError::Config(message)
        })
    }

    /// The origins as browsers send them.
    pub(super) fn checked_cors_origins(&self) -> Result<Vec<HeaderValue>, StartError> {
        self.cors_origins.iter().map(|origin| origin_header(origin)).collect()
    }
}

/// An origin is scheme, host and perhaps port, and nothing behind (RFC 6454, 6.2).
fn origin_header(origin: &str) -> Result<HeaderValue, StartError> {
    let uri = origin.parse::<Uri>().ok();
    let exact = uri.is_some_and(|uri| match (uri.scheme_str(), uri.authority()) {
        (Some(scheme @ ("http" | "https")), Some(authority)) => format!("{scheme}://{authority}") == origin,
        _ => false,
    });
    HeaderValue::from_str(origin).ok().filter(|_| exact).ok_or_else(|| {
        let message = format!("`{origin}` is not an origin; give scheme and host, as in https://logs.example.org");
        StartError::Config(message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_origins_are_taken() {
        for origin in ["http://localhost:3000", "https://logs.example.org", "http://[::1]:8080"] {
            assert!(origin_header(origin).is_ok(), "{origin}");
        }
        for wrong in ["*", "", "null", "localhost", "https://a.example/", "https://a.example/x", "ftp://a", "https://"]
        {
            assert!(origin_header(wrong).is_err(), "{wrong}");
        }
    }
}
