//! Options of client commands: which server, and how to connect.

use clap::Args;

use crate::cli::args::key::KeyArg;
use crate::cli::args::tls::ClientTlsArgs;
use crate::cli::failure::Failure;
use sekali_client::{Client, ServerUrl};

/// Which server to talk to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerUrlArg {
    /// Address of the server
    #[arg(long, value_name = "URL", env = "SEKALI_URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) url: ServerUrl,
    #[command(flatten)]
    tls: ClientTlsArgs,
    #[command(flatten)]
    key: KeyArg,
}

impl ServerUrlArg {
    /// A client for it.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        Ok(Client::new(&self.url, &self.tls.files())?.with_key(self.key.key()?.as_ref()))
    }
}
