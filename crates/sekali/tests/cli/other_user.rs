//! Commands of root on the store of a server that runs as another user.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, lchown, symlink};
use std::path::{Path, PathBuf};

use crate::process::run;
use crate::served::Served;

pub(crate) const NOBODY: u32 = 65_534;

/// Everything below a directory, itself included.
pub(crate) fn tree(dir: &Path) -> Vec<PathBuf> {
    let mut paths = vec![dir.to_owned()];
    let mut next = 0;
    while let Some(path) = paths.get(next).cloned() {
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            paths.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        next += 1;
    }
    paths.sort_unstable();
    paths
}

#[test]
fn verify_of_root_leaves_nothing_that_the_user_of_the_server_cannot_open() {
    if !rustix::process::geteuid().is_root() {
        // Only root can make a store that belongs to somebody else.
        return;
    }
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("data");
    let path = dir.to_str().unwrap();
    let mut served = Served::start(&dir);
    assert_eq!(run(&["publish", "--url", &served.url, "--count", "2000", "--quiet"]).code, Some(0));
    served.signal("TERM");
    assert!(served.wait().success());
    // What a start would make anew.
    for made in ["LOCK", "p0000/log/SPARE"] {
        let _ = fs::remove_file(dir.join(made));
    }
    let victim = parent.path().join("victim");
    fs::write(&victim, "root's").unwrap();
    symlink(&victim, dir.join("p0000/log/SPARE")).unwrap();
    tree(&dir).iter().for_each(|path| lchown(path, Some(NOBODY), Some(NOBODY)).unwrap());
    let before = tree(&dir);

    let verified = run(&["verify", "--data-dir", path]);
    assert_eq!(
        (verified.code, verified.stdout.as_str()),
        (Some(0), "partition 0: 2,000 events, sound\n"),
        "{verified:?}"
    );
    assert!(verified.stderr.contains(&format!("belongs to user {NOBODY}")), "{verified:?}");
    for change in ["--accept-lost", "--rebuild-index"] {
        let refused = run(&["verify", change, "--data-dir", path]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(&format!("sudo -u '#{NOBODY}'")), "{refused:?}");
    }
    assert_eq!(run(&["backup", "--data-dir", path, parent.path().join("copy").to_str().unwrap()]).code, Some(0));

    assert_eq!(tree(&dir), before);
    let owner = |path: &PathBuf| fs::symlink_metadata(path).unwrap().uid();
    assert!(tree(&dir).iter().all(|path| owner(path) == NOBODY));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "root's");
}
