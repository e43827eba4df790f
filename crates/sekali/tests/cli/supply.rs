//! Minimum versions of dependencies with known weaknesses.

/// Each with the first safe version.
const AT_LEAST: [(&str, [u64; 3]); 4] =
    [("h2", [0, 4, 16]), ("rustls-webpki", [0, 103, 13]), ("time", [0, 3, 47]), ("bytes", [1, 11, 1])];

/// SQLite writes its version as one number.
const SQLITE_AT_LEAST: i32 = 3_051_003;

#[test]
fn no_dependency_is_older_than_the_mending_of_its_known_holes() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock")).unwrap();
    for (name, least) in AT_LEAST {
        let versions: Vec<_> = versions(&lock, name).collect();
        assert!(!versions.is_empty(), "{name} is gone: take it off the list");
        assert!(versions.iter().all(|version| *version >= least), "{name} {versions:?} must be at least {least:?}");
    }
    assert!(rusqlite::version_number() >= SQLITE_AT_LEAST, "{}", rusqlite::version());
}

/// Every version of a package in the lock file.
fn versions<'l>(lock: &'l str, name: &'l str) -> impl Iterator<Item = [u64; 3]> + 'l {
    let mut lines = lock.lines();
    std::iter::from_fn(move || {
        lines.find(|line| *line == format!("name = \"{name}\""))?;
        let version = lines.next()?.strip_prefix("version = \"")?.trim_end_matches('"');
        let mut parts = version.split('.').map(|part| part.parse().unwrap());
        Some([(); 3].map(|()| parts.next().unwrap()))
    })
}
