//! Directories that are away, as when a volume is not mounted.
//!
//! Absence is not loss. A single file that is gone is lost: its events are named, and may be
//! published again. A directory that should have files and has none is more likely to come back,
//! and events that were noted as lost meanwhile would stay hidden then. So the start is refused,
//! and nothing is changed.

use std::path::Path;

use crate::damage::SeqSet;
use crate::disk::{self, Disk};
use crate::durable_mark;
use crate::error::{Error, IoContext, Result};
use crate::manifest::{self, Manifest};

/// Checks that no directory of the partition in `dir` is away.
///
/// # Errors
/// [`Error::Absent`], and I/O errors. A manifest that cannot be read is no error here.
pub(crate) fn check(disk: &dyn Disk, dir: &Path) -> Result<()> {
    disk::refuse_links(disk, dir)?;
    for made in [dir, &dir.join("log")] {
        if !disk.exists(made).at("look for", made)? {
            return Err(Error::Absent(made.to_owned()));
        }
    }
    let path = dir.join(manifest::FILE_NAME);
    let read = disk::read_all(disk, &path).at("read", &path);
    let live = read.and_then(|bytes| Manifest::decode(&bytes, &path)).unwrap_or_default();
    let mark = dir.join(durable_mark::FILE_NAME);
    let has_log = has_log(&live) || disk.exists(&mark).at("look for", &mark)?;
    for (name, has_files) in [("segments", has_segments(&live)), ("ids", has_keys(&live)), ("log", has_log)] {
        let path = dir.join(name);
        let is_bare = || -> Result<bool> {
            Ok(!disk.exists(&path).at("look for", &path)? || disk.list(&path).at("list", &path)?.is_empty())
        };
        if has_files && is_bare()? {
            return Err(Error::Absent(path));
        }
    }
    Ok(())
}

/// Whether there are segments, but for those that are known to be lost as a whole.
fn has_segments(live: &Manifest) -> bool {
    let mut lost = SeqSet::default();
    live.lost.iter().for_each(|known| lost.insert(known.first_seq..=known.last_seq));
    live.segments.iter().any(|segment| !lost.missing(segment.first_seq..=segment.last_seq).is_empty())
}

/// Whether the runs of the index have keys that could not be told again from the events.
fn has_keys(live: &Manifest) -> bool {
    !live.runs.is_empty() && live.expired.is_some_and(|expired| expired.forgotten_seq < expired.last_seq)
}

/// Whether the log has commits that are in no segment. A durable mark says that it has had commits,
/// and since then there is always a file.
fn has_log(live: &Manifest) -> bool {
    let sealed = live.sealed.map_or(1, |sealed| sealed.next_commit);
    live.durable.is_some_and(|durable| durable.next_commit > sealed)
}
