//! The reason that certificate or key files are unusable.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

/// The reason that certificate or key files are unusable.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing or unreadable.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
    /// A file is empty.
    #[error("{} is empty", .0.display())]
    Empty(PathBuf),
    /// The file lacks a certificate or key.
    #[error("{} has no {what} in PEM form, which begins with -----BEGIN", path.display())]
    Without {
        /// The file.
        path: PathBuf,
        /// The missing item.
        what: &'static str,
    },
    /// A file begins like PEM and is malformed.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The fault of the response.
        reason: String,
    },
    /// Certificate and key do not belong together.
    #[error("{} is not the key of the certificate in {}", key.display(), cert.display())]
    OtherKey {
        /// The file with the certificate.
        cert: PathBuf,
        /// The file with the key.
        key: PathBuf,
    },
    /// The content of the file is unusable.
    #[error("{} cannot be used: {source}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The I/O error.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The operating system's CAs cannot be read.
    #[error("cannot find the CAs that this system trusts ({0}); name one with --ca-cert")]
    NoSystemAuthorities(String),
    /// Certificates for a connection without TLS.
    #[error("certificates were named, but {0} is not encrypted; write it with https://")]
    NotEncrypted(String),
    /// The error of the TLS library.
    #[error("cannot set up TLS: {0}")]
    Setup(String),
}

impl TlsError {
    pub(crate) fn unusable(path: &Path, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unusable { path: path.to_owned(), source: source.into() }
    }

    /// The library refuses a configuration.
    pub fn setup(error: impl ToString) -> Self {
        Self::Setup(error.to_string())
    }

    /// The reason that the library refused a certificate with its key.
    pub(crate) fn of_pair(cert: &Path, key: &Path, error: tokio_rustls::rustls::Error) -> Self {
        use tokio_rustls::rustls::Error::{InconsistentKeys, InvalidCertificate};
        match error {
            InconsistentKeys(_) => Self::OtherKey { cert: cert.to_owned(), key: key.to_owned() },
            InvalidCertificate(error) => Self::unusable(cert, format!("its certificate is not valid ({error})")),
            error => Self::unusable(key, error),
        }
    }
}
