//! Certificates and keys: from PEM files to what the server and the clients speak TLS with.
//!
//! TLS is rustls with ring, version 1.2 or newer. Sockets are not known here.

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

/// The cryptography. Handed to each configuration: a default for the process would be a global, and would be set
/// behind the back of whoever uses this as a library.
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
