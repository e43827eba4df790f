//! Why keys cannot be read or changed.

use std::io;
use std::path::PathBuf;

use crate::limits::KEYS_MAX;

/// Why keys cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The operating system refuses something.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// The operation that failed.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file makes no sense. It is never taken for one without keys.
    #[error(
        "{} is damaged: {what}; mend it, or remove it and make all keys anew with `sekali keys create`",
        .path.display()
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// The fault.
        what: String,
    },
    /// The file was written by a newer version.
    #[error("{} has format {found} and this version knows {known}; use a newer sekali", .path.display())]
    NewerFormat {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest one known here.
        known: u32,
    },
    /// There is no key with this id.
    #[error("there is no key with this id; `sekali keys list` shows those there are")]
    NoSuchKey,
    /// There are as many keys as there may be.
    #[error("there are {KEYS_MAX} keys already, which is all that one store can have; revoke some")]
    TooMany,
}
