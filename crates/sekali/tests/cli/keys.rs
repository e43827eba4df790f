//! API keys with the real binary and a real server.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{Run, command, run};
use crate::served::Served;

fn keys(dir: &Path, more: &[&str]) -> Run {
    run(&[&["keys", more[0], "--data-dir", dir.to_str().unwrap()], &more[1..]].concat())
}

/// Creates a key. Standard output is the key and nothing else.
fn create(dir: &Path, more: &[&str]) -> String {
    let made = keys(dir, &[&["create"], more].concat());
    assert_eq!(made.code, Some(0), "{made:?}");
    let key = made.stdout.trim_end().to_owned();
    assert_eq!((made.stdout.lines().count(), key.len()), (1, 80), "{made:?}");
    assert!(key.starts_with("sekali_") && !made.stderr.contains(&key[16..]), "{made:?}");
    key
}

fn id_of(key: &str) -> &str {
    key.split('_').nth(1).unwrap()
}

/// Runs `sekali stats --json` with this key until it exits with this code.
#[track_caller]
fn until(url: &str, key: Option<&str>, code: i32) -> Run {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let mut command = command(&["stats", "--url", url, "--json"]);
        let result: Run = command.envs(key.map(|key| ("SEKALI_KEY", key))).output().unwrap().into();
        if result.code == Some(code) {
            return result;
        }
        assert!(Instant::now() < deadline, "{result:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn keys_are_made_listed_and_revoked_beside_a_running_server() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let served = Served::start(&data);
    let generated = ["publish", "--url", &served.url, "--count", "100", "--topics", "2", "--quiet", "--json"];
    assert_eq!(run(&generated).code, Some(0));

    let reader = create(&data, &["--scope", "read", "--name", "a \u{202e}reader", "--expires", "90d"]);
    let refused = until(&served.url, None, 4);
    assert!(refused.stderr.contains("SEKALI_KEY or --key-file"), "{refused:?}");
    until(&served.url, Some(&reader), 0);
    assert_eq!(run(&["health", "--url", &served.url]).code, Some(0), "health needs no key");

    let file = dir.path().join("reader.key");
    std::fs::write(&file, format!("{reader}\n")).unwrap();
    let with_file =
        |arguments: &[&str]| run(&[arguments, &["--url", &served.url, "--key-file", file.to_str().unwrap()]].concat());
    assert_eq!(with_file(&["events"]).stdout.lines().count(), 100);
    assert_eq!(with_file(&["count"]).stdout, "100\n");
    assert_eq!(with_file(&["export", "-q"]).stdout.lines().count(), 100);
    let forbidden = with_file(&["publish", "--count", "1", "--quiet"]);
    assert_eq!(forbidden.code, Some(4), "{forbidden:?}");
    assert!(forbidden.stderr.contains("does not have the scope `publish`"), "{forbidden:?}");
    let bench = ["bench", "--duration", "0.2", "--connections", "1", "--batch-size", "5", "--json"];
    assert_eq!(with_file(&bench).code, Some(1));
    let publisher = create(&data, &["--scope", "publish,read", "--topics", "bench*,also"]);
    until(&served.url, Some(&publisher), 0);

    let listed = keys(&data, &["list", "--json"]).json();
    let fields = |key: &Value| ["id", "state", "name"].map(|field| key[field].as_str().unwrap().to_owned());
    assert_eq!(fields(&listed[0]), [id_of(&reader), "active", "a \u{202e}reader"]);
    assert_eq!(
        (&listed[1]["scopes"], &listed[1]["topics"]),
        (&serde_json::json!(["publish", "read"]), &serde_json::json!(["bench*", "also"]))
    );
    let table = keys(&data, &["list"]).stdout;
    assert!(table.contains("a \\u202ereader") && table.lines().count() == 3, "{table}");
    assert!(!table.contains(&reader[16..]) && !listed.to_string().contains(&reader[16..]));

    assert_eq!(keys(&data, &["revoke", id_of(&reader)]).code, Some(0));
    let revoked = until(&served.url, Some(&reader), 4);
    assert!(revoked.stderr.contains("the key was revoked"), "{revoked:?}");
    assert_eq!(keys(&data, &["list", "--json"]).json()[0]["state"], "revoked");
    until(&served.url, Some(&publisher), 0);
}

#[test]
fn mistakes_with_keys_are_usage_errors_that_repeat_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let key = create(dir.path(), &["--scope", "admin"]);
    for more in [
        &["create"][..],
        &["create", "--scope", "write"],
        &["create", "--scope", "read", "--expires", "yesterday"],
        &["create", "--scope", "read", "--expires", "2001-01-01T00:00:00Z"],
        &["create", "--scope", "read", "--topics", ""],
        &["create", "--scope", "read", "--name", "\u{1b}[2J"],
        &["create", "--scope", "admin", "--topics", "a"],
        &["revoke", "00000000"],
        &["revoke", &key],
        &["revoke", "../../x"],
    ] {
        let result = keys(dir.path(), more);
        assert_eq!((result.code, result.stderr.lines().count()), (Some(2), 1), "{more:?} {result:?}");
        assert!(!result.stderr.contains(&key[16..]) && !result.stderr.contains('\u{1b}'), "{result:?}");
    }
    let file = dir.path().join("not.key");
    std::fs::write(&file, &key[..40]).unwrap();
    for (arguments, variable) in
        [(vec!["stats", "--key-file", file.to_str().unwrap()], ""), (vec!["stats"], &key[..40])]
    {
        let result: Run = command(&arguments).env("SEKALI_KEY", variable).output().unwrap().into();
        assert_eq!(result.code, Some(2), "{result:?}");
        assert!(result.stderr.contains("is not a key") && !result.stderr.contains(&key[16..40]), "{result:?}");
    }
    assert_eq!(keys(dir.path(), &["list", "--json"]).json().as_array().unwrap().len(), 1);
    let none = tempfile::tempdir().unwrap();
    assert_eq!(keys(none.path(), &["list", "--json"]).json(), serde_json::json!([]));
}

#[test]
fn keys_of_a_directory_that_no_server_uses_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let typo = dir.path().join("typo");
    let listed = keys(&typo, &["list"]);
    assert_eq!((listed.code, listed.stdout.as_str()), (Some(2), ""), "{listed:?}");
    assert!(listed.stderr.contains("there is no directory") && listed.stderr.contains("typo"), "{listed:?}");
    assert!(!typo.exists());
    let created = keys(&typo, &["create", "--scope", "read"]);
    assert_eq!(created.code, Some(0), "{created:?}");
    assert!(created.stderr.contains("there is no store in") && created.stderr.contains("typo"), "{created:?}");
    drop(Served::start(&typo));
    let created = keys(&typo, &["create", "--scope", "read"]);
    assert!(!created.stderr.contains("no store"), "{created:?}");
}

#[test]
fn a_server_for_other_machines_needs_keys_or_an_explicit_word() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let arguments = ["serve", "--listen", "0.0.0.0:0", "--data-dir", data];
    let refused = run(&arguments);
    assert_eq!((refused.code, refused.stderr.lines().count()), (Some(2), 1), "{refused:?}");
    assert!(
        refused.stderr.contains("sekali keys create") && refused.stderr.contains("--allow-anonymous"),
        "{refused:?}"
    );
    assert!(!dir.path().join("store.toml").exists(), "nothing was made");
    let unclear: Run = command(&arguments).env("SEKALI_ALLOW_ANONYMOUS", "perhaps").output().unwrap().into();
    assert_eq!(unclear.code, Some(2), "{unclear:?}");
    let reachable = |served: &Served| served.url.replace("0.0.0.0", "127.0.0.1");
    let anonymous = Served::spawn(command(&arguments).env("SEKALI_ALLOW_ANONYMOUS", "true"));
    until(&reachable(&anonymous), None, 0);
    drop(anonymous);
    let key = create(dir.path(), &["--scope", "read"]);
    let guarded = Served::spawn(&mut command(&arguments));
    until(&reachable(&guarded), Some(&key), 0);
    until(&reachable(&guarded), None, 4);
}

#[test]
fn damaged_keys_keep_a_server_from_starting() {
    let dir = tempfile::tempdir().unwrap();
    create(dir.path(), &["--scope", "read"]);
    let file = dir.path().join("keys.toml");
    for (text, code) in [("", 8), ("nonsense", 8), ("format = 99", 7)] {
        std::fs::write(&file, text).unwrap();
        for arguments in
            [&["serve", "--listen", "127.0.0.1:0"][..], &["keys", "list"], &["keys", "create", "--scope", "read"]]
        {
            let result = run(&[arguments, &["--data-dir", dir.path().to_str().unwrap()]].concat());
            assert_eq!((result.code, result.stderr.lines().count()), (Some(code), 1), "{arguments:?} {result:?}");
            assert!(result.stderr.contains("keys.toml"), "{result:?}");
        }
    }
}

#[test]
fn keys_that_others_get_at_are_told_by_the_list_and_by_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    create(&data, &["--scope", "read"]);
    let file = data.join("keys.toml");
    let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    assert_eq!(keys(&data, &["list"]).stderr, "");
    let told = |who: &str| format!("keys.toml has mode {who} than its owner can");

    mode(0o644);
    let listed = keys(&data, &["list", "--json"]);
    assert_eq!((listed.code, listed.stderr.lines().count()), (Some(0), 1), "{listed:?}");
    assert!(listed.stderr.starts_with("warning: ") && listed.stderr.contains(&told("0644: others")), "{listed:?}");
    let log = dir.path().join("log");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap()];
    let served = Served::spawn_with_log(&mut command(&serve), &log);
    assert!(std::fs::read_to_string(&log).unwrap().contains(&told("0644: others")), "told at start");

    mode(0o666);
    let deadline = Instant::now() + Duration::from_secs(20);
    while !std::fs::read_to_string(&log).unwrap().contains(&told("0666: others")) {
        assert!(Instant::now() < deadline, "not told when it changed");
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(served);
    // Creating or revoking a key writes the file anew.
    create(&data, &["--scope", "read"]);
    assert_eq!(keys(&data, &["list"]).stderr, "");
}

#[test]
fn a_backup_has_no_keys_and_they_are_in_nobodys_way() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let served = Served::start(Path::new(&path("data")));
    assert_eq!(run(&["publish", "--url", &served.url, "--count", "10", "--quiet"]).code, Some(0));
    let key = create(Path::new(&path("data")), &["--scope", "admin"]);
    assert_eq!(run(&["backup", "--data-dir", &path("data"), &path("copy")]).code, Some(0));
    assert!(!Path::new(&path("copy")).join("keys.toml").exists());
    drop(served);
    assert_eq!(run(&["verify", "--data-dir", &path("data")]).code, Some(0));
    assert_eq!(run(&["restore", &path("copy"), "--data-dir", &path("restored")]).code, Some(0));
    // The keys of a lost store can be copied by hand.
    std::fs::copy(path("data/keys.toml"), path("restored/keys.toml")).unwrap();
    let served = Served::start(Path::new(&path("restored")));
    until(&served.url, Some(&key), 0);
    until(&served.url, None, 4);
}
