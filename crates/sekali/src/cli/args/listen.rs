//! Options of a server inside this process: `serve` and `demo`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;

use sekali_server::server::Config;

/// Where a server listens and keeps its data.
#[derive(Debug, Args)]
pub(crate) struct ListenArgs {
    /// Address to listen on; port 0 takes any free one
    #[arg(long, env = "SEKALI_LISTEN", value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// Where the data is, or will be
    #[arg(long, env = "SEKALI_DATA_DIR", value_name = "DIR", default_value = "./sekali-data")]
    pub(crate) data_dir: PathBuf,
    /// Let everybody read and publish who reaches an address beyond this machine, if there are no
    /// keys (see sekali keys)
    #[arg(long, env = "SEKALI_ALLOW_ANONYMOUS", value_parser = BoolishValueParser::new())]
    allow_anonymous: bool,
    /// Answer to this name, too, on loopback without keys: that of a proxy in front; several with
    /// commas, or by repeating
    #[arg(long = "allow-host", env = "SEKALI_ALLOW_HOSTS", value_name = "HOST", value_delimiter = ',')]
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
