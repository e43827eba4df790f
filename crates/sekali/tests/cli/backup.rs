//! Backup and restore with the binary, while the server runs.

use std::path::Path;

use serde_json::Value;

use crate::process::{Run, command, run};
use crate::served::Served;

fn backup(data_dir: &Path, dest: &Path) -> Run {
    run(&["backup", "--json", "--data-dir", data_dir.to_str().unwrap(), dest.to_str().unwrap()])
}

fn restore(backup: &Path, data_dir: &Path) -> Run {
    run(&["restore", "--json", backup.to_str().unwrap(), "--data-dir", data_dir.to_str().unwrap()])
}

fn unique(url: &str) -> u64 {
    run(&["stats", "--url", url, "--json"]).json()["unique_processed"].as_u64().unwrap()
}

fn publish(url: &str, more: &[&str]) -> Value {
    let generated = ["publish", "--url", url, "--count", "100000", "--payload-bytes", "700", "--json", "--quiet"];
    run(&[&generated[..], more].concat()).json()
}

#[test]
fn what_was_acknowledged_before_a_backup_began_is_restored_once() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    let served = Served::start(&data_dir);
    let url = served.url.clone();
    let publishing = std::thread::spawn(move || publish(&url, &["--rate", "30000"]));
    let mut backups = Vec::new();
    while !publishing.is_finished() || backups.is_empty() {
        let dest = dir.path().join(format!("backup-{}", backups.len()));
        let acknowledged = unique(&served.url);
        let copied = backup(&data_dir, &dest).json();
        assert_eq!(copied["missing"], serde_json::json!([]));
        backups.push((dest, acknowledged));
        std::thread::sleep(std::time::Duration::from_millis(400));
    }
    assert_eq!(publishing.join().unwrap()["stored"], 100_000);
    assert!(backups.iter().any(|(_, acknowledged)| (1..100_000).contains(acknowledged)), "{backups:?}");
    drop(served);

    // One file from the middle, and the last.
    let some = backups.get(backups.len() / 2).into_iter().chain(backups.last());
    for (number, (dest, acknowledged)) in some.enumerate() {
        let restored_dir = dir.path().join(format!("restored-{number}"));
        let restored = restore(dest, &restored_dir).json();
        let verified = &restored["verified"]["partitions"][0];
        let events = verified["events"].as_u64().unwrap();
        assert!(restored["verified"]["sound"] == true && events >= *acknowledged, "{restored}");
        assert_eq!(restored["restored"]["linked_bytes"], 0);
        let served = Served::start(&restored_dir);
        assert_eq!(unique(&served.url), events);
        let again = publish(&served.url, &[]);
        assert_eq!((again["stored"].as_u64(), again["duplicates"].as_u64()), (Some(100_000 - events), Some(events)));
    }
}

#[test]
fn a_backup_of_a_stopped_store_reads_well_and_damage_to_it_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let (data_dir, dest) = (dir.path().join("data"), dir.path().join("backup"));
    let mut served = Served::start(&data_dir);
    run(&["publish", "--url", &served.url, "--count", "2000", "--json"]).json();
    // Closed in order, so that the log marks its last commit as durable.
    served.signal("TERM");
    assert!(served.wait().success());
    let arguments = ["backup", "--data-dir", data_dir.to_str().unwrap(), dest.to_str().unwrap()];
    let copied = Run::from(command(&arguments).output().unwrap());
    assert_eq!((copied.code, copied.stderr.as_str()), (Some(0), ""));
    assert!(copied.stdout.starts_with("backed up ") && copied.stdout.lines().count() == 1, "{copied:?}");
    let arguments = ["restore", dest.to_str().unwrap(), "--data-dir", dir.path().to_str().unwrap()];
    let refused = run(&arguments);
    assert_eq!(refused.code, Some(0), "directories are in nobody's way: {refused:?}");
    assert!(refused.stdout.ends_with("partition 0: 2,000 events, sound\n"), "{refused:?}");

    let log = dest.join("p0000/log");
    let log = std::fs::read_dir(log).unwrap().map(|entry| entry.unwrap().path()).next().unwrap();
    let mut bytes = std::fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&log, bytes).unwrap();
    let damaged = run(&["restore", dest.to_str().unwrap(), "--data-dir", dir.path().join("x").to_str().unwrap()]);
    assert_eq!(damaged.code, Some(8), "{damaged:?}");
    assert!(damaged.stdout.contains("NOT SOUND"), "{damaged:?}");
}

#[test]
fn mistakes_are_told_in_one_line_each() {
    let dir = tempfile::tempdir().unwrap();
    let (data_dir, dest, nothing) = (dir.path().join("data"), dir.path().join("backup"), dir.path().join("nothing"));
    Served::start(&data_dir).kill();
    backup(&data_dir, &dest).json();
    let unfinished = dir.path().join("unfinished");
    std::fs::create_dir_all(unfinished.join("p0000")).unwrap();
    let newer = dir.path().join("newer");
    std::fs::create_dir(&newer).unwrap();
    std::fs::write(newer.join("store.toml"), "format = 999\n").unwrap();
    for (run, code, said) in [
        (backup(&data_dir, &dest), 2, "backup holds a store already; name a directory that does not exist"),
        (backup(&data_dir, &unfinished), 2, "unfinished holds a copy that was not finished; remove it and try again"),
        (backup(&nothing, &dest), 2, "there is no store in "),
        (backup(&newer, &nothing), 7, "use a newer program"),
        (restore(&nothing, &data_dir), 2, "there is no store in "),
        (restore(&unfinished, &nothing), 8, "it is missing; this is a copy that was not finished"),
        (restore(&dest, &data_dir), 2, "data holds a store already"),
        (run_without_dest(), 2, "<DEST>"),
    ] {
        assert_eq!((run.code, run.stdout.as_str(), run.stderr.lines().count()), (Some(code), "", 1), "{run:?}");
        assert!(run.stderr.starts_with("sekali: ") && run.stderr.contains(said), "{run:?}");
    }
    assert!(!nothing.exists());
}

fn run_without_dest() -> Run {
    run(&["backup"])
}
