//! TLS configurations of servers.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tracing::warn;

use crate::{TlsError, authorities, pem, provider, validity};

/// The files of a server with TLS, all in PEM form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerTls {
    /// The server's certificate, followed by those that lead to its CA.
    pub cert: PathBuf,
    /// The private key of the certificate, unencrypted.
    pub key: PathBuf,
    /// CAs of clients. If given, clients without a certificate signed by one of them are refused.
    pub client_ca: Option<PathBuf>,
}

impl ServerTls {
    /// Reads the files. A certificate that is not valid by the clock is used anyway, with a warning
    /// in the log: clients judge it, and a server that does not start helps none of them.
    pub fn load(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let certificates = pem::certificates(&self.cert)?;
        let key = pem::private_key(&self.key)?;
        if let Some(problem) = certificates.first().and_then(|first| validity::problem(first, UnixTime::now())) {
            warn!(file = %self.cert.display(), "clients will refuse the certificate: {problem}");
        }
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::setup)?;
        let builder = match self.client_verifier()? {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let config = builder.with_single_cert(certificates, key);
        let mut config = config.map_err(|error| TlsError::of_pair(&self.cert, &self.key, error))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn client_verifier(&self) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
        let Some(path) = &self.client_ca else { return Ok(None) };
        let verifier = WebPkiClientVerifier::builder_with_provider(authorities(path)?, provider()).build();
        verifier.map(Some).map_err(|error| TlsError::unusable(path, error))
    }
}
