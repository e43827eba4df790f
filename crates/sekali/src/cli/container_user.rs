//! In a container, the change from root to the owner of the data directory.
//!
//! A mounted directory belongs to a user of the host whom no image can know. So the image starts as
//! root, and this process goes on as the owner of the mount: it replaces itself by the same program
//! with other ids, before it has read anything but the directory's owner. There is no shell.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::OFlags;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Set by the image, to the directory whose owner this process becomes. Elsewhere nobody sets it.
const VARIABLE: &str = "SEKALI_RUN_AS_OWNER_OF";

/// The user of the image, who owns directories that belonged to root and were empty.
const USER: u32 = 10_001;

/// Becomes the owner of the data directory, if the image asks for it and this is root. Returns if
/// there is nothing to do.
pub(super) fn take_on() -> Result<(), Failure> {
    let Some(dir) = std::env::var_os(VARIABLE).map(PathBuf::from) else { return Ok(()) };
    if !is_root() {
        return Ok(());
    }
    let owner = take_over(&dir, USER).map_err(|error| failure(&dir, &error))?;
    let program = std::env::current_exe().map_err(|error| failure(&dir, &error))?;
    // Supplementary groups of root are dropped with its ids.
    let error = Command::new(program).args(std::env::args_os().skip(1)).uid(owner.uid).gid(owner.gid).exec();
    Err(Failure::new(Exit::Failed, format!("cannot go on as uid {}: {error}", owner.uid)))
}

/// Whether this process is root's. Where that cannot be known, an attempt to become another user
/// shows it.
fn is_root() -> bool {
    fs::metadata("/proc/self").map_or(true, |process| process.uid() == 0)
}

/// A user and its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Owner {
    uid: u32,
    gid: u32,
}

/// The owner of `dir`. A directory of root is given to `user` if it is empty; it is created if it
/// is missing. One that is not empty holds files of root, and is left alone.
fn take_over(dir: &Path, user: u32) -> io::Result<Owner> {
    fs::create_dir_all(dir)?;
    // A link could lead to a directory that nobody meant, and appear after a look at the path.
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(dir)?;
    let metadata = opened.metadata()?;
    if metadata.uid() != 0 {
        return Ok(Owner { uid: metadata.uid(), gid: metadata.gid() });
    }
    if fs::read_dir(dir)?.next().is_some() {
        let remedy = format!("it belongs to root and is not empty; on the host run `chown -R {user}:{user}` on it");
        return Err(io::Error::other(remedy));
    }
    fchown(&opened, Some(user), Some(user))?;
    opened.set_permissions(fs::Permissions::from_mode(0o700))?;
    Ok(Owner { uid: user, gid: user })
}

fn failure(dir: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("cannot take over the data directory {}: {error}", dir.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::chown;

    use super::*;

    #[test]
    fn an_owner_is_kept_and_only_an_empty_directory_of_root_is_given_away() {
        if !is_root() {
            return;
        }
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("data");
        let ids = |path: &Path| fs::metadata(path).map(|of| (of.uid(), of.gid())).unwrap();
        assert_eq!(take_over(&dir, USER).unwrap(), Owner { uid: USER, gid: USER });
        assert_eq!(ids(&dir), (USER, USER));

        chown(&dir, Some(1234), Some(99)).unwrap();
        fs::write(dir.join("file"), "").unwrap();
        assert_eq!(take_over(&dir, USER).unwrap(), Owner { uid: 1234, gid: 99 });
        assert_eq!((ids(&dir), ids(&dir.join("file"))), ((1234, 99), (0, 0)), "nothing changes hands");

        chown(&dir, Some(0), Some(0)).unwrap();
        let refused = take_over(&dir, USER).unwrap_err().to_string();
        assert!(refused.contains("chown -R 10001:10001"), "{refused}");
        assert_eq!(ids(&dir), (0, 0));

        let link = place.path().join("link");
        std::os::unix::fs::symlink(&dir, &link).unwrap();
        assert!(take_over(&link, USER).is_err(), "a link is not followed");
    }
}
