//! The flags that name certificates and keys.

use std::path::PathBuf;

use clap::Args;

use sekali_tls::{ClientTls, Identity, ServerTls};

/// With what a server speaks TLS.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct ServerTlsArgs {
    /// Serve HTTPS with this certificate (PEM), followed by those of its issuers; SIGHUP reads it
    /// again
    #[arg(long, env = "SEKALI_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, env = "SEKALI_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Require a client certificate signed by this CA (PEM)
    #[arg(long, env = "SEKALI_CLIENT_CA", value_name = "FILE", requires = "tls_cert")]
    client_ca: Option<PathBuf>,
}

/// With what a client speaks TLS.
#[derive(Debug, Args)]
pub(crate) struct ClientTlsArgs {
    /// Trust only servers with a certificate signed by this CA (PEM) [default: the system's CAs]
    #[arg(long, env = "SEKALI_CA_CERT", value_name = "FILE")]
    ca_cert: Option<PathBuf>,
    /// Certificate of this client, if the server requires one (PEM)
    #[arg(long, env = "SEKALI_CLIENT_CERT", value_name = "FILE", requires = "client_key")]
    client_cert: Option<PathBuf>,
    /// Private key of the client certificate (PEM)
    #[arg(long, env = "SEKALI_CLIENT_KEY", value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
}

impl ServerTlsArgs {
    /// The files, if TLS was asked for.
    pub(crate) fn files(self) -> Option<ServerTls> {
        let (cert, key) = self.tls_cert.zip(self.tls_key)?;
        Some(ServerTls { cert, key, client_ca: self.client_ca })
    }
}

impl ClientTlsArgs {
    /// The files.
    pub(crate) fn files(&self) -> ClientTls {
        let identity = self.client_cert.clone().zip(self.client_key.clone());
        let identity = identity.map(|(cert, key)| Identity { cert, key });
        ClientTls { ca_cert: self.ca_cert.clone(), identity }
    }
}
