//! PEM files (RFC 7468).

use std::path::Path;

use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::TlsError;

/// Every certificate in the file, in order; at least one.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let all = all.map_err(|error| explain(path, "certificate", &error))?;
    if all.is_empty() { Err(explain(path, "certificate", &PemError::NoItemsFound)) } else { Ok(all) }
}

/// Returns the first private key in the file.
pub(crate) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|error| explain(path, "unencrypted private key", &error))
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let text = std::fs::read(path).map_err(|source| TlsError::Unreadable { path: path.to_owned(), source })?;
    if text.trim_ascii().is_empty() { Err(TlsError::Empty(path.to_owned())) } else { Ok(text) }
}

fn explain(path: &Path, what: &'static str, error: &PemError) -> TlsError {
    let path = path.to_owned();
    match error {
        PemError::NoItemsFound => TlsError::Without { path, what },
        PemError::MissingSectionEnd { .. } => TlsError::Damaged { path, reason: "it breaks off".to_owned() },
        error => TlsError::Damaged { path, reason: error.to_string() },
    }
}
