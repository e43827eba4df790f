//! Options of a server inside this process: `serve` and `demo`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use sekali_server::server::Config;

const ACCESS: &str = "Access";

/// Where a server listens and keeps its data.
#[derive(Debug, Args)]
pub(crate) struct ListenArgs {
    /// Address to listen on, like 127.0.0.1:8080, localhost or :8080; port 0 takes a free one
    #[arg(long, env = "SEKALI_LISTEN", value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    #[arg(value_parser = listen_address)]
    pub(crate) listen: String,
    /// Directory of the data; created if there is none
    #[arg(long, env = "SEKALI_DATA_DIR", value_name = "DIR", default_value = "./sekali-data")]
    pub(crate) data_dir: PathBuf,
    /// Without keys, listen beyond this machine: every client may read and publish
    #[arg(long, env = "SEKALI_ALLOW_ANONYMOUS", value_parser = BoolishValueParser::new(), help_heading = ACCESS)]
    allow_anonymous: bool,
    /// Without keys, on loopback, accept this host name too, such as that of a proxy; repeat it, or
    /// separate several with commas
    #[arg(long = "allow-host", env = "SEKALI_ALLOW_HOSTS", value_name = "HOST", value_delimiter = ',')]
    #[arg(help_heading = ACCESS)]
    allow_hosts: Vec<String>,
}

impl ListenArgs {
    /// The settings of such a server.
    pub(crate) fn config(&self) -> Config {
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

fn listen_address(text: &str) -> Result<String, String> {
    address(text, PORT)
}

/// Completes an address: a port alone means loopback, a host alone the usual port, and `:8080`, as
/// elsewhere, every address of this machine.
pub(crate) fn address(text: &str, usual: u16) -> Result<String, String> {
    let examples =
        || format!("write it like 127.0.0.1:{usual}, localhost:{usual}, {usual} or :{usual} (all addresses)");
    let text = text.trim();
    let is_port = |text: &str| text.parse::<u16>().is_ok();
    let is_ipv6 = text.parse::<std::net::Ipv6Addr>().is_ok();
    match text.rsplit_once(':') {
        _ if text.is_empty() || text.contains("://") || text.contains(char::is_whitespace) => Err(examples()),
        _ if is_ipv6 => Ok(format!("[{text}]:{usual}")),
        _ if text.starts_with('[') && text.ends_with(']') => Ok(format!("{text}:{usual}")),
        _ if is_port(text) => Ok(format!("127.0.0.1:{text}")),
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => Err(format!("ports end at 65535; {}", examples())),
        None => Ok(format!("{text}:{usual}")),
        Some(("", port)) if is_port(port) => Ok(format!("0.0.0.0:{port}")),
        Some((_, port)) if is_port(port) => Ok(text.to_owned()),
        Some(_) => Err(examples()),
    }
}

/// The port of an address that names none.
const PORT: u16 = 8080;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_lack_its_host_or_its_port() {
        for (text, expected) in [
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("8080", "127.0.0.1:8080"),
            (":9000", "0.0.0.0:9000"),
            ("localhost", "localhost:8080"),
            ("localhost:0", "localhost:0"),
            ("0.0.0.0", "0.0.0.0:8080"),
            ("[::1]", "[::1]:8080"),
            ("::1", "[::1]:8080"),
            ("[::1]:80", "[::1]:80"),
            (" 8080 ", "127.0.0.1:8080"),
        ] {
            assert_eq!(listen_address(text).as_deref(), Ok(expected), "{text}");
        }
        for wrong in ["", ":", "99999", "host:99999", "host:http", "http://localhost:8080", "a b:80", "::1:x", "host:"]
        {
            assert!(listen_address(wrong).unwrap_err().contains("127.0.0.1:8080"), "{wrong}");
        }
    }
}
