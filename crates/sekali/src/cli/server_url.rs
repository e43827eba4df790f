//! The flag that says which server a client command talks to.

use clap::Args;

use crate::client::ServerUrl;

/// Which server to talk to.
#[derive(Debug, Args)]
pub(crate) struct ServerUrlArg {
    /// The server's address
    #[arg(long, env = "SEKALI_URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) url: ServerUrl,
}
