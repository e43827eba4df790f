//! `sekali verify` where nothing can be written: on a read-only mount, and in a directory without
//! the right to it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, lchown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::other_user::{NOBODY, tree};
use crate::process::{Run, command, run};
use crate::served::Served;

/// A store that no server uses, with 2,000 events.
fn store(dir: &Path) {
    let mut served = Served::start(dir);
    assert_eq!(run(&["publish", "--url", &served.url, "--count", "2000", "--quiet"]).code, Some(0));
    served.signal("TERM");
    assert!(served.wait().success());
}

/// The check found all events, said that it changes nothing, and kept to it.
#[track_caller]
fn expect_sound(verified: &Run, why: &str) {
    assert_eq!((verified.code, verified.stdout.as_str()), (Some(0), "partition 0: 2,000 events, sound\n"));
    assert!(verified.stderr.contains(why) && verified.stderr.contains("without a change to it"), "{verified:?}");
}

#[test]
fn a_store_in_a_directory_without_the_right_to_write_is_verified() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("data");
    store(&dir);
    fs::remove_file(dir.join("LOCK")).unwrap();
    fs::set_permissions(parent.path(), Permissions::from_mode(0o755)).unwrap();
    let paths = tree(&dir);
    let set = |dir_mode, file_mode| {
        for path in &paths {
            let mode = if path.is_dir() { dir_mode } else { file_mode };
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        }
    };
    let mut verify = command(&["verify", "--data-dir", dir.to_str().unwrap()]);
    if rustix::process::geteuid().is_root() {
        // Root may write everywhere.
        paths.iter().for_each(|path| lchown(path, Some(NOBODY), Some(NOBODY)).unwrap());
        verify.uid(NOBODY).gid(NOBODY);
    }
    set(0o555, 0o444);
    let verified = verify.output().map(Run::from);
    set(0o755, 0o644);
    match verified {
        Ok(verified) => expect_sound(&verified, "Permission denied"),
        // The directory of the binary is closed to others.
        Err(error) => eprintln!("######## SKIPPED: {error} ########"),
    }
    assert_eq!(tree(&dir), paths);
}

#[test]
fn a_store_on_a_read_only_mount_is_verified() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("data");
    store(&dir);
    let before = tree(&dir);
    // A mount of this test alone.
    let mount = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\"";
    let mut mounted = Command::new("unshare");
    mounted.args(["--mount", "sh", "-c"]).stdin(Stdio::null());
    let script = format!("{mount} || exit 77; exec \"$2\" verify --data-dir \"$1\"");
    mounted.args([script.as_str(), "sh"]).arg(&dir).arg(env!("CARGO_BIN_EXE_sekali"));
    match mounted.output().map(Run::from) {
        Ok(verified) if verified.stderr.contains("unshare failed") || verified.code == Some(77) => {
            eprintln!("######## SKIPPED: only root can mount: {} ########", verified.stderr);
        }
        Ok(verified) => expect_sound(&verified, "Read-only file system"),
        Err(error) => eprintln!("######## SKIPPED: {error} ########"),
    }
    assert_eq!(tree(&dir), before);
}
