//! Why a server does not start.

use std::error::Error as StdError;
use std::io;
use std::path::{Path, PathBuf};

use sekali_store::Error as StoreError;

use super::directory;
use crate::access::KeysError;
use crate::consumers::ConsumersFileError;
use sekali_tls::TlsError;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process uses the data directory.
    #[error("data directory {} is in use by another process; stop that one, or choose another with --data-dir", .0.display())]
    DataDirInUse(PathBuf),
    /// The data directory has files of another program.
    #[error(
        "{} holds {name:?} and no store: name an empty directory with --data-dir, so that nothing is mixed up \
         (events in files are published with `sekali import`)",
        dir.display()
    )]
    NotEmpty {
        /// The directory.
        dir: PathBuf,
        /// One of the files.
        name: String,
    },
    /// This process may not use the data directory.
    #[error("cannot use the data directory {}: {source}{}", dir.display(), directory::explain(dir, source))]
    DataDir {
        /// The directory.
        dir: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The server that runs on the data directory cannot be taken over.
    #[error(
        "cannot take over the server that runs on {}: {reason}; stop that one, and start again without --take-over",
        dir.display()
    )]
    TakeOver {
        /// The directory.
        dir: PathBuf,
        /// Why not.
        reason: String,
    },
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
        "{listen} can be reached from other machines, and there are no keys: create one with `sekali keys create \
         --data-dir {} --scope publish`, or let everybody read and publish with --allow-anonymous", data_dir.display()
    )]
    Exposed {
        /// The address.
        listen: String,
        /// Where keys would be.
        data_dir: PathBuf,
    },
    /// The keys cannot be read.
    #[error("{0}")]
    Keys(#[from] KeysError),
    /// The consumers cannot be read.
    #[error("{0}")]
    Consumers(#[from] ConsumersFileError),
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
    /// Where the keys cannot be read because the directory cannot, that is told.
    pub(super) fn of_keys(dir: &Path, error: KeysError) -> Self {
        match error {
            KeysError::Io { source, .. } if directory::is_denied(&source) => {
                Self::DataDir { dir: dir.to_owned(), source }
            }
            other => Self::Keys(other),
        }
    }

    pub(super) fn other(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Locked(dir) => Self::DataDirInUse(dir),
            StoreError::NewerFormat { .. } => Self::NewerFormat(error),
            StoreError::Damaged { .. } | StoreError::Absent(_) => Self::Damaged(error),
            other => Self::other(other),
        }
    }
}
