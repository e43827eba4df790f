//! File modes that open the key file to users other than its owner.
//!
//! The file is created with mode 0600, but copies, restored volumes and some orchestrators change
//! modes unasked. The server warns and starts all the same: an outage over a mode would be worse,
//! and the data directory may keep the same users out.

use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

const PERMISSIONS: u32 = 0o7777;
const OTHERS_READ: u32 = 0o044;
const OTHERS_WRITE: u32 = 0o022;

/// Users other than its owner may read or change the file. Displays as a warning with the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposure {
    path: PathBuf,
    mode: u32,
}

impl Exposure {
    /// The exposure of a file, if it has any.
    pub(super) fn of(path: &Path, metadata: &Metadata) -> Option<Self> {
        let mode = metadata.mode() & PERMISSIONS;
        (mode & (OTHERS_READ | OTHERS_WRITE) != 0).then(|| Self { path: path.to_owned(), mode })
    }
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.mode & OTHERS_WRITE == 0 {
            "others than its owner can read who has keys, though not the keys"
        } else {
            "others than its owner can change it, and so give themselves any key"
        };
        let (path, mode) = (self.path.display(), self.mode);
        write!(f, "{path} has mode {mode:04o}: {what}; run `chmod 600 {path}`")
    }
}
