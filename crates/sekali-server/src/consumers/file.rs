//! `consumers.json`: the consumers of a store, in its data directory.
//!
//! ```text
//! sekali consumers 1 64 hex digits: SHA-256 of all that follows the line break
//! [{"name":"mailer","filters":[["topic","orders"]],"positions":[[0,1234]],"created":"…"}]
//! ```
//!
//! It is replaced as a whole: written under another name, synced, renamed. The checksum is there
//! because a changed digit of a position would leave out events, or none would say so.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{io, str};

use sekali_store::disk::{self, Disk};
use sha2::{Digest as _, Sha256};

use super::{Consumer, ConsumersFileError};
use crate::limits::{CONSUMERS_FILE_BYTES_MAX, CONSUMERS_MAX};

const FILE_NAME: &str = "consumers.json";
const MAGIC: &str = "sekali consumers ";
const FORMAT_VERSION: u32 = 1;

/// The file with the consumers of the store in a data directory. Methods block.
#[derive(Debug, Clone)]
pub struct ConsumersFile {
    disk: Arc<dyn Disk>,
    path: PathBuf,
}

impl ConsumersFile {
    /// That of the store in `dir`. It may not exist yet.
    pub fn new(disk: Arc<dyn Disk>, dir: &Path) -> Self {
        Self { disk, path: dir.join(FILE_NAME) }
    }

    /// All its bytes, for a backup. Taken before the events are copied, so that the copy has every
    /// event that was acknowledged. `None` where there is no file.
    ///
    /// # Errors
    /// [`ConsumersFileError::Io`].
    pub fn bytes(&self) -> Result<Option<Vec<u8>>, ConsumersFileError> {
        let read = || {
            if !self.disk.exists(&self.path)? {
                return Ok(None);
            }
            if self.disk.open(&self.path)?.len()? > CONSUMERS_FILE_BYTES_MAX {
                return Err(io::Error::other("it is too long for what it is"));
            }
            disk::read_all(&*self.disk, &self.path).map(Some)
        };
        read().map_err(|source| self.io("read", source))
    }

    /// Makes the file of a copy. It is durable when this returns.
    ///
    /// # Errors
    /// [`ConsumersFileError::Io`].
    pub fn put(&self, bytes: &[u8]) -> Result<(), ConsumersFileError> {
        disk::replace(&*self.disk, &self.path, bytes).map_err(|source| self.io("write", source))
    }

    pub(super) fn read(&self) -> Result<Vec<Consumer>, ConsumersFileError> {
        self.bytes()?.map_or(Ok(Vec::new()), |bytes| self.decode(&bytes))
    }

    pub(super) fn write(&self, consumers: &[Consumer]) -> io::Result<()> {
        disk::replace(&*self.disk, &self.path, &encode(consumers)?)
    }

    fn decode(&self, bytes: &[u8]) -> Result<Vec<Consumer>, ConsumersFileError> {
        let damaged = |what: &str| ConsumersFileError::Damaged { path: self.path.clone(), what: what.to_owned() };
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(|| damaged("it has no first line"))?;
        let (head, rest) = bytes.split_at(end);
        let head = str::from_utf8(head).ok().and_then(|head| head.strip_prefix(MAGIC)?.split_once(' '));
        let (format, sum) = head.ok_or_else(|| damaged("its first line is none"))?;
        // First: a newer format may be laid out differently.
        match format.parse() {
            Ok(FORMAT_VERSION) => {}
            Ok(found) if found > FORMAT_VERSION => {
                return Err(ConsumersFileError::NewerFormat { path: self.path.clone(), found });
            }
            _ => return Err(damaged("its format is none")),
        }
        let text = rest.get(1..).unwrap_or_default();
        if sum != checksum(text) {
            return Err(damaged("its checksum is wrong"));
        }
        let consumers: Vec<Consumer> = serde_json::from_slice(text).map_err(|error| damaged(&error.to_string()))?;
        if consumers.len() > CONSUMERS_MAX {
            return Err(damaged("it has too many consumers"));
        }
        Ok(consumers)
    }

    fn io(&self, action: &'static str, source: io::Error) -> ConsumersFileError {
        ConsumersFileError::Io { action, path: self.path.clone(), source }
    }
}

fn encode(consumers: &[Consumer]) -> io::Result<Vec<u8>> {
    let text = serde_json::to_vec(consumers)?;
    let mut bytes = format!("{MAGIC}{FORMAT_VERSION} {}\n", checksum(&text)).into_bytes();
    bytes.extend(text);
    Ok(bytes)
}

fn checksum(text: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text) {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
