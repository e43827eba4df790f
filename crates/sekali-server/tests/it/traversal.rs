//! Topics and event ids are never used as file names.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::connections::raw;
use crate::server::{TestServer, event};

/// In every hostile name.
const MARK: &str = "zzevil";

/// At least 200 path traversals in different encodings.
fn names(outside: &Path) -> Vec<String> {
    let ups = ["..", "../..", "../../..", "../../../..", "./..", ".../...", "....//....", "..;/..", "p0000/../../.."];
    let slashes = ["/", "\\", "%2f", "%5c", "%252f", "\u{2215}", "\u{ff0f}", "%c0%af", "//"];
    let ends = ["", ".toml", "/", "%00.log", " ", "."];
    let mut names = Vec::new();
    for up in ups {
        for slash in slashes {
            for end in ends {
                names.push(format!("{}{slash}{MARK}{end}", up.replace('/', slash)));
            }
        }
    }
    let outside = outside.display();
    for absolute in [
        format!("{outside}/{MARK}"),
        format!("file://{outside}/{MARK}"),
        format!("~/{MARK}"),
        format!("C:\\{MARK}"),
        format!("\\\\host\\{MARK}"),
        format!("|touch {MARK}"),
        format!("x$(touch {MARK})"),
        format!("`touch {MARK}`"),
        format!("';DROP TABLE {MARK};--"),
    ] {
        names.push(absolute);
    }
    names
}

/// Every file and directory below `dir`.
fn all_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(all_below(&entry.path()));
        }
        found.push(entry.path());
    }
    found
}

#[test]
fn no_file_is_named_by_a_client_or_outside_the_data_directory() {
    let mut data = PathBuf::new();
    let mut server = TestServer::start_with(std::sync::Arc::new(sekali_store::disk::RealDisk), |config| {
        let root = config.data_dir.parent().unwrap().to_owned();
        config.data_dir = root.join("a/b/c/d/data");
        config.partitions = 2;
        data.clone_from(&config.data_dir);
    });
    let root = server.dir.path().to_owned();
    let names = names(&root);
    assert!(names.len() >= 200, "{}", names.len());
    let mut stored = 0;
    for name in &names {
        // As topic, as id, as source, in the payload.
        let mut hostile = event(name, name);
        (hostile["source"], hostile["payload"]) = (json!(name), json!({ name.as_str(): name }));
        for body in [event(name, "1"), event("t", name), hostile] {
            let answer = server.publish(&body);
            assert!(matches!(answer.status, 202 | 422), "{name}: {}", answer.body);
            stored += u64::from(answer.status == 202);
        }
        let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC).to_string();
        for path in [
            format!("/events/{encoded}/1"),
            format!("/events/t/{encoded}"),
            format!("/events?topic={encoded}&event_id=1"),
        ] {
            let answer = raw(&server, &format!("GET {path} HTTP/1.0\r\n\r\n"));
            assert!(answer.starts_with("HTTP/1.0 200"), "{path}: {answer}");
        }
        // And unencoded, if a request line may contain it: no such file exists under any reading.
        if name.is_ascii() && !name.contains(' ') {
            for path in [format!("/{name}"), format!("/events/{name}/1"), format!("/events/t/{name}")] {
                let answer = raw(&server, &format!("GET {path} HTTP/1.0\r\n\r\n"));
                assert!(!answer.contains("hash_key"), "{path}: {answer}");
            }
        }
    }
    assert_eq!(server.get("/stats").json()["unique_processed"], stored);
    assert_eq!(stored, 3 * names.len() as u64);
    server.stop();
    for path in all_below(&root) {
        assert!(path.starts_with(&data) || data.starts_with(&path), "outside: {}", path.display());
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        assert!(!name.contains(MARK) && !name.contains(".."), "{name}");
    }
    assert!(!Path::new(MARK).exists());
}

#[test]
fn nobody_but_its_owner_can_look_into_a_data_directory() {
    let mut server = TestServer::start();
    server.publish(&event("t", "1")).expect_status(202);
    server.stop();
    let data = server.dir.path().join("data");
    let mut seen = 0;
    for path in all_below(&data).iter().chain([&data]) {
        let metadata = fs::metadata(path).unwrap();
        let allowed = if metadata.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(metadata.permissions().mode() & 0o7777, allowed, "{}", path.display());
        seen += 1;
    }
    assert!(seen > 5, "{seen}");
}
