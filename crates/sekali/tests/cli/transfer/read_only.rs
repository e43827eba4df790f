//! Databases that cannot be written to, as on a volume that is mounted read-only.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use rusqlite::Connection;

use super::account;
use crate::process::{Run, command};
use crate::served::Served;

/// A user without rights of its own.
const NOBODY: u32 = 65_534;

/// Imports as a user that may not write to `dir`, if this process can become one; root may write
/// everywhere.
fn import_without_rights(url: &str, dir: &Path, path: &Path) -> std::io::Result<Run> {
    let is_root = rustix::process::geteuid().is_root();
    for (path, mode) in [(dir, 0o555), (path, 0o444)] {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }
    let mut import = command(&["import", "--url", url, "--json", path.to_str().unwrap()]);
    if is_root {
        import.uid(NOBODY).gid(NOBODY);
    }
    let run = import.output().map(Run::from);
    fs::set_permissions(dir, Permissions::from_mode(0o755)).unwrap();
    run
}

fn database(path: &Path) -> Connection {
    let database = Connection::open(path).unwrap();
    let script = "PRAGMA journal_mode = WAL; CREATE TABLE events(topic, event_id, timestamp, source, payload); \
                  INSERT INTO events VALUES ('t', '1', '2025-10-24', 's', '{}')";
    database.execute_batch(script).unwrap();
    database
}

#[test]
fn a_database_in_wal_mode_that_was_closed_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&dir.path().join("data"));
    let volume = dir.path().join("a volume, 100% ?#");
    fs::create_dir(&volume).unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let path = volume.join("dedup.db");
    database(&path).close().unwrap();
    match import_without_rights(&served.url, &volume, &path) {
        Ok(result) => {
            assert_eq!((result.code, account(&result)), (Some(0), [1, 0, 0, 0]), "{result:?}");
            assert_eq!(fs::read_dir(&volume).unwrap().count(), 1, "nothing is made beside it");
        }
        // The directory of the binary is closed to others.
        Err(error) => eprintln!("######## SKIPPED: {error} ########"),
    }
}

#[test]
fn a_database_whose_last_changes_are_beside_it_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&dir.path().join("data"));
    let volume = dir.path().join("volume");
    fs::create_dir(&volume).unwrap();
    fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    let original = dir.path().join("dedup.db");
    let open = database(&original);
    let path = volume.join("dedup.db");
    // As if the program had been killed.
    for suffix in ["", "-wal"] {
        let to = volume.join(format!("dedup.db{suffix}"));
        fs::copy(dir.path().join(format!("dedup.db{suffix}")), to).unwrap();
    }
    drop(open);
    match import_without_rights(&served.url, &volume, &path) {
        Ok(result) => {
            assert_eq!(result.code, Some(4), "{result:?}");
            assert!(result.stderr.contains("dedup.db-wal, which SQLite reads only where it may write"), "{result:?}");
        }
        Err(error) => eprintln!("######## SKIPPED: {error} ########"),
    }
}
