//! Why a server does not start.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;

use sekali_store::Error as StoreError;

use crate::access::KeysError;
use sekali_tls::TlsError;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process uses the data directory.
    #[error("data directory {} is in use by another process; stop that one, or choose another with --data-dir", .0.display())]
    DataDirInUse(PathBuf),
    /// The address cannot be listened on, most often because another process does.
    #[error("cannot listen on {listen}: {source}; choose another address with --listen")]
    Listen {
        /// The address.
        listen: String,
        /// Why not.
        source: io::Error,
    },
    /// Strangers would reach it, and nothing would keep them out.
    #[error(
        "{listen} can be reached from other machines, and there are no keys: make one with `sekali keys create`, or let \
         everybody read and publish with --allow-anonymous"
    )]
    Exposed {
        /// The address.
        listen: String,
    },
    /// The keys cannot be read.
    #[error("{0}")]
    Keys(#[from] KeysError),
    /// The store was written by a newer version.
    #[error("{0}")]
    NewerFormat(StoreError),
    /// The store is damaged in a place without which it cannot be opened.
    #[error("{0}")]
    Damaged(StoreError),
    /// A setting is wrong.
    #[error("{0}")]
    Config(String),
    /// There can be no TLS with the files that were named.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// Something else.
    #[error("cannot start: {0}")]
    Other(#[source] Box<dyn StdError + Send + Sync>),
}

impl StartError {
    pub(super) fn other(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Locked(dir) => Self::DataDirInUse(dir),
            StoreError::NewerFormat { .. } => Self::NewerFormat(error),
            StoreError::Damaged { .. } => Self::Damaged(error),
            other => Self::other(other),
        }
    }
}
