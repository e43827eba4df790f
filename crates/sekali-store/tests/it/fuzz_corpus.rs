//! Replays the inputs in `fuzz/corpus` through the functions of the fuzz targets. With
//! `SEKALI_WRITE_CORPUS` set, it first writes the valid ones anew.

use std::fs;
use std::path::{Path, PathBuf};

use sekali_store::bench_support::SegmentFiles;
use sekali_store::{Batch, EventRef, IndexOptions, StoreOptions, Tuning, fuzzing};

type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 5] = [
    ("run", fuzzing::run),
    ("manifest", fuzzing::manifest),
    ("frame", fuzzing::frame),
    ("log", fuzzing::log),
    ("segment", fuzzing::segment),
];

#[test]
fn inputs_that_once_broke_something_break_nothing() {
    if std::env::var_os("SEKALI_WRITE_CORPUS").is_some() {
        write_samples();
    }
    for (name, target) in TARGETS {
        let inputs: Vec<_> = fs::read_dir(corpus(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!inputs.is_empty(), "{name} has no inputs");
        for input in inputs {
            println!("{}", input.display());
            target(&fs::read(input).unwrap());
        }
    }
}

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name)
}

/// Files of a store with a few commits: repeats, no events, and enough events for two runs.
fn write_samples() {
    let dir = tempfile::tempdir().unwrap();
    let index = IndexOptions { table_entries: 8, background: false };
    let tuning = Tuning { index, ..Tuning::default() };
    let store = StoreOptions::new().tuning(tuning).create(dir.path(), &fuzzing::STORE).unwrap();
    let hasher = store.hasher();
    let mut partition = store.into_partitions().pop().unwrap();
    for ids in [0..3, 1..5, 0..0, 5..40] {
        let mut batch = Batch::new();
        for id in ids {
            let (id, topic) = (format!("event-{id}"), ["one", "two"][id % 2]);
            let event = EventRef { topic, event_id: &id, timestamp_ns: 1, source: "fuzz", payload: b"{\"a\":1}" };
            batch.push(&hasher, &event);
        }
        partition.commit(&[batch], 1_760_000_000_000_000_000, Some(9)).unwrap();
    }
    partition.close().unwrap();
    save_segment();
    let dir = dir.path().join("p0000");
    let log = fs::read(first_file(&dir.join("log"), "log")).unwrap();
    save("log", "whole", &log);
    save("log", "torn", &log[..log.len() - 150]);
    let frames: Vec<usize> = (0..log.len()).filter(|&at| log[at..].starts_with(b"SEKFRAME")).collect();
    save("frame", "without-rows", &log[frames[0]..frames[1]]);
    save("frame", "with-rows", &log[frames[1]..frames[2]]);
    save("run", "small", &fs::read(first_file(&dir.join("ids"), "run")).unwrap());
    save("manifest", "with-runs", &fs::read(dir.join("MANIFEST")).unwrap());
}

/// A segment of two topics, and its parts that have checksums of their own.
fn save_segment() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = SegmentFiles::create(dir.path().to_owned(), &fuzzing::STORE).unwrap().writer();
    for seq in 1..9 {
        let (topic, event_id) = (["one", "two"][seq as usize % 2], &*format!("event-{seq}"));
        let event = EventRef { topic, event_id, timestamp_ns: 1, source: "fuzz", payload: b"{\"a\":1}" };
        writer.push(seq, 7, &event).unwrap();
    }
    let bytes = fs::read(writer.finish().unwrap().path()).unwrap();
    save("segment", "whole", &bytes);
    let at = |magic: &[u8]| (0..bytes.len()).find(|&at| bytes[at..].starts_with(magic)).unwrap();
    let (index, directory, anchor) = (at(b"SKI1"), at(b"SKD1"), at(b"SEKASEG1"));
    save("segment", "index", &bytes[index..directory]);
    save("segment", "directory", &bytes[directory..anchor]);
    save("segment", "anchor", &bytes[anchor..anchor + 80]);
}

fn first_file(dir: &Path, extension: &str) -> PathBuf {
    let paths = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|found| found == extension)).min().unwrap()
}

fn save(target: &str, name: &str, bytes: &[u8]) {
    fs::create_dir_all(corpus(target)).unwrap();
    fs::write(corpus(target).join(name), bytes).unwrap();
}
