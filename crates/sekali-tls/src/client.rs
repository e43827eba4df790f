//! TLS configurations of clients.

use std::path::PathBuf;

use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_rustls::rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};

use crate::{TlsError, authorities, pem, provider};

/// The authorities that a client trusts, and its own certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientTls {
    /// PEM file with the trusted CAs, in place of the operating system's.
    pub ca_cert: Option<PathBuf>,
    /// The certificate to present to a server that asks.
    pub identity: Option<Identity>,
}

/// A client's certificate and its private key, both in PEM form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate, followed by those that lead to its CA.
    pub cert: PathBuf,
    /// The key, unencrypted.
    pub key: PathBuf,
}

impl ClientTls {
    /// Whether no file is named.
    pub fn is_empty(&self) -> bool {
        self.ca_cert.is_none() && self.identity.is_none()
    }

    /// Reads the files, and the operating system's CAs if no file names any.
    pub fn load(&self) -> Result<ClientConfig, TlsError> {
        let builder = builder()?;
        let builder = match &self.ca_cert {
            Some(path) => builder.with_root_certificates(authorities(path)?),
            None => {
                builder.with_platform_verifier().map_err(|error| TlsError::NoSystemAuthorities(error.to_string()))?
            }
        };
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(Identity { cert, key }) => builder
                .with_client_auth_cert(pem::certificates(cert)?, pem::private_key(key)?)
                .map_err(|error| TlsError::of_pair(cert, key, error))?,
        };
        // As without TLS: parallel requests have connections of their own.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// A configuration that trusts no server, for clients without TLS, whose library requires one.
pub fn trusting_nobody() -> Result<ClientConfig, TlsError> {
    Ok(builder()?.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, TlsError> {
    let builder = ClientConfig::builder_with_provider(provider());
    builder.with_safe_default_protocol_versions().map_err(TlsError::setup)
}
