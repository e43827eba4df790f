//! The durable mark: a small file that says how far the log of a partition is durable.
//!
//! The manifest says the same, but is written seldom while there is load. Without a mark that is
//! nearly new, a crash and then damage to the end of the log would look like a torn tail.
//!
//! ```text
//! offset size
//!      0    8  "SEKMARK1"
//!      8    8  seq of the next row
//!     16    8  number of the next commit
//!     24    8  checksum of the header of the last frame
//!     32    8  received_at of the last commit, nanoseconds since 1970-01-01T00:00:00Z
//!     40   32  totals: received, stored, duplicates, conflicts; 8 bytes each
//!     72    8  1 where there is an upstream position, else 0
//!     80    8  upstream position; 0 where there is none
//!     88    8  XXH3-64 of bytes 0..88, seeded with the salt
//! ```
//!
//! The file has two such records, at bytes 0 and 4,096, which are written in turn, so that one of
//! them is whole whatever happens to a write. The later sound one counts.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::bytes::Fields;
use crate::disk::{Disk, DiskFile};
use crate::error::{IoContext as _, Result};
use crate::invariant::invariant;
use crate::manifest::SavedPosition;
use crate::salt::Salt;

/// Name of the file in the directory of its partition.
pub(crate) const FILE_NAME: &str = "DURABLE";

const MAGIC: [u8; 8] = *b"SEKMARK1";
const RECORD_BYTES: usize = 96;
/// Where the second record is: in another page, so that no torn write harms both.
const SECOND_OFFSET: u64 = 4096;

/// The mark of a partition.
#[derive(Debug)]
pub(crate) struct DurableMark {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    salt: Salt,
    state: Mutex<MarkState>,
}

#[derive(Debug, Default)]
struct MarkState {
    file: Option<Arc<dyn DiskFile>>,
    written: Option<SavedPosition>,
    /// Whether the second record is the next to be written.
    is_second_next: bool,
}

impl DurableMark {
    /// The mark in the directory of a partition, which there need not be.
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: PathBuf, salt: Salt) -> Self {
        Self { disk, dir, salt, state: Mutex::default() }
    }

    /// Reads the mark. `None` where there is none that can be read: it only ever adds to what is
    /// known.
    pub(crate) fn read(&self) -> Option<SavedPosition> {
        let file = self.disk.open(&self.dir.join(FILE_NAME)).ok()?;
        let records = [0, SECOND_OFFSET].map(|offset| {
            let mut bytes = [0; RECORD_BYTES];
            file.read_exact_at(&mut bytes, offset).ok()?;
            decode(&bytes, self.salt)
        });
        let [first, second] = &records;
        let next_commit = |record: &Option<SavedPosition>| record.map(|place| place.next_commit);
        let is_first_later = next_commit(first) > next_commit(second);
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_second_next = is_first_later;
        records.into_iter().flatten().max_by_key(|place| place.next_commit)
    }

    /// Writes and syncs the mark, unless it says so already. Everything before `place` has been
    /// synced.
    ///
    /// # Errors
    /// I/O errors. The mark before stays sound, and a later call may succeed.
    pub(crate) fn write(&self, place: SavedPosition) -> Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.written == Some(place) {
            return Ok(());
        }
        let is_later =
            |written: SavedPosition| written.next_commit <= place.next_commit && written.next_seq <= place.next_seq;
        invariant!(state.written.is_none_or(is_later), "a durable mark would go back");
        invariant!(place.next_commit > 1, "a durable mark before the first commit");
        let path = self.dir.join(FILE_NAME);
        let file = match &state.file {
            Some(file) => Arc::clone(file),
            None => {
                let file = self.open()?;
                state.file = Some(Arc::clone(&file));
                file
            }
        };
        let offset = if state.is_second_next { SECOND_OFFSET } else { 0 };
        file.write_all_at(&encode(&place, self.salt), offset).at("write", &path)?;
        file.sync().at("sync", &path)?;
        state.is_second_next = !state.is_second_next;
        state.written = Some(place);
        Ok(())
    }

    fn open(&self) -> Result<Arc<dyn DiskFile>> {
        let path = self.dir.join(FILE_NAME);
        if self.disk.exists(&path).at("look for", &path)? {
            return self.disk.open_for_writing(&path).at("open", &path);
        }
        let file = self.disk.create(&path).at("create", &path)?;
        self.disk.sync_dir(&self.dir).at("sync", &self.dir)?;
        Ok(file)
    }
}

fn encode(place: &SavedPosition, salt: Salt) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for number in [place.next_seq, place.next_commit, place.previous, place.received_at_ns.cast_unsigned()] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    for number in [place.received, place.stored, place.duplicates, place.conflicts] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&u64::from(place.upstream.is_some()).to_le_bytes());
    bytes.extend_from_slice(&place.upstream.unwrap_or(0).to_le_bytes());
    salt.seal(&mut bytes);
    bytes
}

fn decode(bytes: &[u8], salt: Salt) -> Option<SavedPosition> {
    let mut fields = Fields::new(salt.unseal(bytes)?);
    if fields.array()? != MAGIC {
        return None;
    }
    let place = SavedPosition {
        next_seq: fields.u64()?,
        next_commit: fields.u64()?,
        previous: fields.u64()?,
        received_at_ns: fields.i64()?,
        received: fields.u64()?,
        stored: fields.u64()?,
        duplicates: fields.u64()?,
        conflicts: fields.u64()?,
        upstream: None,
    };
    let (has_upstream, upstream) = (fields.u64()?, fields.u64()?);
    Some(SavedPosition { upstream: (has_upstream == 1).then_some(upstream), ..place })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::disk::memory::MemoryDisk;

    fn place(next_commit: u64, upstream: Option<u64>) -> SavedPosition {
        let (next_seq, previous, received_at_ns) = (next_commit * 3, next_commit ^ 5, -7);
        SavedPosition {
            next_seq,
            next_commit,
            previous,
            received_at_ns,
            received: 9,
            stored: 5,
            duplicates: 4,
            conflicts: 1,
            upstream,
        }
    }

    proptest! {
        #[test]
        fn round_trip_and_every_flip_is_seen(
            next_commit in 1..u64::MAX / 4, upstream: Option<u64>, at in 0..RECORD_BYTES, bit in 0..8_u32
        ) {
            let place = place(next_commit, upstream);
            let mut bytes = encode(&place, Salt(3));
            prop_assert_eq!(bytes.len(), RECORD_BYTES);
            prop_assert_eq!(decode(&bytes, Salt(3)), Some(place));
            prop_assert_eq!(decode(&bytes, Salt(4)), None);
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(decode(&bytes, Salt(3)), None);
        }
    }

    #[test]
    fn of_two_records_the_later_sound_one_counts() {
        let (disk, dir) = (MemoryDisk::new(), Path::new("/p"));
        disk.create_dir(dir).unwrap();
        let mark = || DurableMark::new(Arc::new(disk.clone()), dir.to_owned(), Salt(3));
        assert_eq!(mark().read(), None);
        for commits in [2..4, 4..9, 9..10] {
            // Each time as after a start, which must not write over the later record.
            let mark = mark();
            mark.read();
            for next_commit in commits {
                mark.write(place(next_commit, None)).unwrap();
                assert_eq!(mark.read(), Some(place(next_commit, None)));
                let torn = disk.kill();
                let offset = if mark.state.lock().unwrap().is_second_next { 0 } else { SECOND_OFFSET };
                assert!(torn.corrupt(&dir.join(FILE_NAME), |bytes| bytes[offset as usize + 20] ^= 1));
                let before = DurableMark::new(Arc::new(torn), dir.to_owned(), Salt(3)).read();
                assert_eq!(before, (next_commit > 2).then(|| place(next_commit - 1, None)));
            }
        }
    }
}
