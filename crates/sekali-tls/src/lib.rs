//! Certificates and keys: from PEM files to TLS configurations of server and clients.
//!
//! TLS is rustls with ring, version 1.2 or newer. This crate opens no sockets.

mod client;
mod error;
mod pem;
mod server;
mod validity;

pub use client::trusting_nobody;
pub use client::{ClientTls, Identity};
pub use error::TlsError;
pub use server::ServerTls;

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};

/// The cryptography provider, passed to each configuration. A process-wide default would be a
/// hidden global for users of this library.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The CAs in the file at `path`.
fn authorities(path: &Path) -> Result<Arc<RootCertStore>, TlsError> {
    let mut store = RootCertStore::empty();
    for certificate in pem::certificates(path)? {
        store.add(certificate).map_err(|error| TlsError::unusable(path, error))?;
    }
    Ok(Arc::new(store))
}
