//! Everything that can go wrong in the engine.

use std::io;
use std::path::{Path, PathBuf};

/// Error of the engine.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process has the store open.
    #[error("data directory {} is in use by another process", .0.display())]
    Locked(PathBuf),
    /// The store was written by a newer version.
    #[error("{} has format version {found}, but this program knows versions up to {known}: use a newer program", path.display())]
    NewerFormat {
        /// The file that says so.
        path: PathBuf,
        /// The version it names.
        found: u32,
        /// The newest version this program reads.
        known: u32,
    },
    /// A file is not what it should be. Nothing was changed or deleted.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The fault and its place.
        what: String,
    },
    /// A directory that should have files is missing or has none. Nothing was changed.
    #[error(
        "{} is missing or empty, and the store has files there: mount or restore it, and start again; nothing was changed. If \
         they are gone for good, sekali verify --accept-lost goes on without them", .0.display()
    )]
    Absent(PathBuf),
    /// There is not enough free space to write safely. Nothing was written.
    #[error("storage is full: {available} bytes are free and {needed} are needed")]
    StorageFull {
        /// Bytes free.
        available: u64,
        /// Bytes needed, the reserve included.
        needed: u64,
    },
    /// The dedup index must be made anew, and there is no space for it. No event is lost, and none
    /// is harmed.
    #[error(
        "the dedup index in {} must be made anew and there is not enough space for it: make room on that disk, about 50 bytes \
         for every event stored, and start again; no event is lost", .0.display()
    )]
    NoRoomForIndex(PathBuf),
    /// A write or sync of the log failed, now or earlier, or events are lost and the partition
    /// [stops](crate::OnDamage::Stop) on that: it takes no more writes until the store is opened
    /// again.
    #[error("partition stopped: {0}")]
    Stopped(String),
    /// The engine has found itself in a state that cannot be: a fault of this program, named before
    /// it could do harm. The partition takes no more writes until the store is opened again.
    #[error("internal error: {0}; stop the server and start it again, and please report this")]
    Broken(&'static str),
    /// Stored events cannot be read now. That says nothing of whether they are lost.
    #[error("{} cannot be read", events(*first_seq, *last_seq))]
    Unreadable {
        /// The first of them.
        first_seq: u64,
        /// The last of them.
        last_seq: u64,
        /// Why not.
        source: Box<Self>,
    },
    /// The operating system refused.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// The operation that failed, as a verb.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The caller asked for something impossible.
    #[error("{0}")]
    Invalid(String),
}

impl Error {
    /// With its causes, in one line.
    pub fn describe(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }

    /// This error, met while these events were read. Only a refusal of the operating system is
    /// about them.
    pub(crate) fn while_reading(self, first_seq: u64, last_seq: u64) -> Self {
        match self {
            Self::Io { .. } => Self::Unreadable { first_seq, last_seq, source: Box::new(self) },
            other => other,
        }
    }

    /// As an I/O error would name it.
    pub(crate) fn kind(&self) -> io::ErrorKind {
        match self {
            Self::Io { source, .. } => source.kind(),
            Self::Unreadable { source, .. } => source.kind(),
            Self::StorageFull { .. } | Self::NoRoomForIndex(_) => io::ErrorKind::StorageFull,
            _ => io::ErrorKind::Other,
        }
    }

    /// Whether it is that there is no such file.
    pub(crate) fn is_not_found(&self) -> bool {
        self.kind() == io::ErrorKind::NotFound
    }

    /// Whether it is that there is no space.
    pub fn is_full(&self) -> bool {
        match self {
            Self::StorageFull { .. } | Self::NoRoomForIndex(_) => true,
            Self::Io { source, .. } => is_full(source),
            Self::Unreadable { source, .. } => source.is_full(),
            _ => false,
        }
    }
}

fn events(first_seq: u64, last_seq: u64) -> String {
    if first_seq == last_seq {
        format!("the event with seq {first_seq}")
    } else {
        format!("the events with seq {first_seq} to {last_seq}")
    }
}

/// Whether there was no space to do as asked.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// The engine's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Gives an I/O error its place.
pub(crate) trait IoContext<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T> {
        self.map_err(|source| Error::Io { action, path: path.to_owned(), source })
    }
}
