//! Files as people have them: compressed, in UTF-16, joined.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use super::{account, import, stored};
use crate::process::{Run, command, run};
use crate::served::Served;

const HEADER: &str = "topic,event_id,timestamp,source,payload";

fn event(id: &str) -> String {
    format!(
        "{{\"topic\":\"t\",\"event_id\":\"{id}\",\"timestamp\":\"2025-01-01T00:00:00Z\",\"source\":\"é\",\"payload\":{{}}}}\n"
    )
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).unwrap()
}

/// Imports bytes from a pipe.
fn pipe(url: &str, bytes: &[u8]) -> Run {
    let mut child = command(&["import", "--url", url, "--json", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let bytes = bytes.to_owned();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
    let run = child.wait_with_output().unwrap().into();
    writer.join().unwrap();
    run
}

#[test]
fn compressed_files_are_read_in_every_format_and_from_a_pipe() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&dir.path().join("data"));
    let array = format!("[{}]", [event("json1"), event("json2")].join(","));
    let texts = [
        ("a.ndjson", [event("ndjson1"), event("ndjson2")].concat()),
        ("2015-01-01-15.json", [event("lines1"), event("lines2")].concat()),
        ("a.json", array),
        ("a.csv", format!("{HEADER}\nt,csv1,2025-01-01,é,{{}}\nt,csv2,2025-01-01,é,{{}}\n")),
    ];
    let mut expected = 0;
    for (name, text) in texts {
        for (ending, bytes) in [("gz", gzip(text.as_bytes())), ("zst", zstd(text.as_bytes()))] {
            let new = if ending == "gz" { 2 } else { 0 };
            expected += new;
            let path = dir.path().join(format!("{name}.{ending}"));
            fs::write(&path, &bytes).unwrap();
            let result = import(&served.url, &path);
            assert_eq!((result.code, account(&result)), (Some(0), [new, 2 - new, 0, 0]), "{name}.{ending}: {result:?}");
            // The content tells, whatever the name says.
            let path = dir.path().join(name);
            fs::write(&path, &bytes).unwrap();
            assert_eq!(account(&import(&served.url, &path)), [0, 2, 0, 0], "{name}, {ending}");
            assert_eq!(account(&pipe(&served.url, &bytes)), [0, 2, 0, 0], "{name}, {ending}, from a pipe");
        }
    }
    assert_eq!(stored(&served.url).len() as u64, expected);
}

#[test]
fn compressed_pieces_that_were_joined_are_all_read() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&dir.path().join("data"));
    let zeros = vec![0; 1_000];
    let members = [gzip(event("1").as_bytes()), gzip(b""), gzip(event("2").as_bytes()), zeros].concat();
    let result = pipe(&served.url, &members);
    assert_eq!((result.code, account(&result)), (Some(0), [2, 0, 0, 0]), "{result:?}");
    let frames = [zstd(event("3").as_bytes()), zstd(event("4").as_bytes())].concat();
    let result = pipe(&served.url, &frames);
    assert_eq!((result.code, account(&result)), (Some(0), [2, 0, 0, 0]), "{result:?}");
}

#[test]
fn compressed_data_that_is_cut_off_or_damaged_is_read_as_far_as_it_goes_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&dir.path().join("data"));
    let text: String = (0..20_000).map(|id| event(&format!("{:x}", id * 2_654_435_761_u64 % 4_294_967_291))).collect();
    for (bytes, reason) in [
        (gzip(text.as_bytes()), "the gzip data ends too early: it was cut off"),
        (zstd(text.as_bytes()), "the zstd data ends too early: it was cut off"),
    ] {
        let result = pipe(&served.url, &bytes[..bytes.len() / 2]);
        let [stored, duplicates, _, _] = account(&result);
        assert_eq!(result.code, Some(4), "{result:?}");
        assert!(stored + duplicates > 1_000 && result.stderr.contains(reason), "{result:?}");
    }
    let trailing = [gzip(event("last").as_bytes()), b"something else".to_vec()].concat();
    let result = pipe(&served.url, &trailing);
    assert_eq!((result.code, account(&result)[0]), (Some(4), 1), "{result:?}");
    assert!(result.stderr.contains("the gzip data is damaged"), "{result:?}");
}

#[test]
fn what_is_compressed_in_another_way_is_named_with_what_decompresses_it() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&dir.path().join("data"));
    let database = dir.path().join("x.db.gz");
    fs::write(&database, gzip(b"SQLite format 3\0")).unwrap();
    for (bytes, reason) in [
        (&b"BZh91AY&SY"[..], "bzip2 -dc FILE | sekali publish"),
        (b"\xfd7zXZ\0\0", "xz -dc FILE | sekali publish"),
        (b"PK\x03\x04", "unzip -p FILE | sekali publish"),
        (&gzip(&gzip(b"{}")), "it is compressed twice"),
    ] {
        let result = pipe(&served.url, bytes);
        assert_eq!(result.code, Some(4), "{result:?}");
        assert!(result.stderr.contains(reason), "{result:?}");
    }
    let result = import(&served.url, &database);
    assert_eq!(result.code, Some(4), "{result:?}");
    assert!(result.stderr.contains("files that are not compressed"), "{result:?}");
}

#[test]
fn utf16_is_read_with_and_without_a_mark() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&dir.path().join("data"));
    let csv = format!("{HEADER}\r\nt,1,2025-01-01T00:00:00Z,é,{{}}\r\n");
    for text in [event("1"), csv] {
        for mark in ["", "\u{feff}"] {
            let units = || mark.encode_utf16().chain(text.encode_utf16());
            for bytes in
                [units().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(), units().flat_map(u16::to_be_bytes).collect()]
            {
                let result = pipe(&served.url, &bytes);
                let [new, known, ..] = account(&result);
                assert_eq!((result.code, new + known), (Some(0), 1), "{result:?}");
            }
        }
    }
    assert_eq!(stored(&served.url).len(), 1);
    let utf32: Vec<u8> = event("1").chars().flat_map(|character| u32::from(character).to_le_bytes()).collect();
    let result = pipe(&served.url, &utf32);
    assert_eq!(result.code, Some(4), "{result:?}");
    assert!(result.stderr.contains("it is UTF-32: save it as UTF-8"), "{result:?}");
}

#[test]
fn directories_and_devices_are_named_for_what_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(&dir.path().join("data"));
    for command in ["publish", "import"] {
        let result = run(&[command, "--url", &served.url, dir.path().to_str().unwrap()]);
        assert_eq!((result.code, result.stdout.as_str()), (Some(4), ""), "{result:?}");
        assert!(result.stderr.contains("it is a directory: name the files in it"), "{result:?}");
    }
    let nothing = run(&["publish", "--url", &served.url, "--json", "/dev/null"]);
    assert_eq!((nothing.code, nothing.json()["received"].as_u64()), (Some(0), Some(0)));
    assert!(nothing.stderr.contains("publishing /dev/null to "), "{nothing:?}");
    let endless = run(&["publish", "--url", &served.url, "/dev/zero"]);
    assert_eq!(endless.code, Some(4), "{endless:?}");
}
