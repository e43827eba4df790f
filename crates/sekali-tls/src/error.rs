//! Why there can be no TLS with the files that were named.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

/// Why there can be no TLS with the files that were named.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing, or not for us to read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file has nothing in it.
    #[error("{} is empty", .0.display())]
    Empty(PathBuf),
    /// What is needed is not in the file.
    #[error("{} has no {what} in PEM form, which begins with -----BEGIN", path.display())]
    Without {
        /// The file.
        path: PathBuf,
        /// What is needed.
        what: &'static str,
    },
    /// A file begins like PEM and goes on otherwise.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is odd.
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
    /// What is in the file is of no use.
    #[error("{} cannot be used: {source}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The CAs that the operating system trusts cannot be had.
    #[error("cannot find the CAs that this system trusts ({0}); name one with --ca-cert")]
    NoSystemAuthorities(String),
    /// Certificates for a connection that has no use for them.
    #[error("certificates were named, but {0} is not encrypted; write it with https://")]
    NotEncrypted(String),
    /// The library refuses.
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

    /// Why the library did not take a certificate with its key.
    pub(crate) fn of_pair(cert: &Path, key: &Path, error: tokio_rustls::rustls::Error) -> Self {
        use tokio_rustls::rustls::Error::{InconsistentKeys, InvalidCertificate};
        match error {
            InconsistentKeys(_) => Self::OtherKey { cert: cert.to_owned(), key: key.to_owned() },
            InvalidCertificate(error) => Self::unusable(cert, format!("its certificate is not valid ({error})")),
            error => Self::unusable(key, error),
        }
    }
}
