//! Errors of consumers, and of their file.

use std::io;
use std::path::PathBuf;

/// Why a consumer cannot be changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConsumerError {
    /// There is none of this name.
    #[error("there is no such consumer")]
    NotFound,
    /// There are as many as there may be, or as this client may have.
    #[error("there are too many consumers")]
    TooMany,
    /// It was acknowledged further already.
    #[error("the consumer has come further already")]
    Behind,
    /// The file could not be written. The change may come to be all the same.
    #[error("cannot write down the consumers: {0}")]
    Io(#[source] io::Error),
}

/// Why the file of consumers cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConsumersFileError {
    /// It cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// Read or write.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// It is damaged.
    #[error(
        "{} is damaged: {what}; put the one of a backup in its place, or remove it, and make the consumers anew",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The damage.
        what: String,
    },
    /// A newer version of Sekali has written it.
    #[error("{} was written by a newer version of Sekali (format {found}); use that one", path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
}
