//! How a server starts, what it says of itself, and hangups.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{command, run, run_with_input};
use crate::served::Served;

const EVENT: &str = r#"{"topic":"t","event_id":"1","timestamp":"2025-10-24T21:00:00Z","source":"s","payload":{}}"#;

fn serve(dir: &Path) -> std::process::Command {
    command(&["serve", "--listen", "127.0.0.1:0", "--data-dir", dir.to_str().unwrap()])
}

/// The entry of the log with these words, once it is there. Every line must be JSON.
fn logged(log: &Path, words: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let text = fs::read_to_string(log).unwrap();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let entries: Vec<Value> = whole.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        if let Some(entry) = entries.iter().find(|entry| entry["message"].as_str().unwrap().contains(words)) {
            return entry.clone();
        }
        assert!(Instant::now() < deadline, "the log does not say {words:?}: {text}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_hangup_does_not_end_a_server_without_tls() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let data = dir.path().join("data");
    let mut served = Served::spawn_with_log(&mut serve(&data), &log);
    served.signal("HUP");
    logged(&log, "nothing to read again");
    let key = run(&["keys", "create", "--scope", "admin", "--data-dir", data.to_str().unwrap()]);
    assert_eq!(key.code, Some(0), "{key:?}");
    served.signal("HUP");
    logged(&log, "the keys were read again");
    assert!(served.is_running());
}

#[test]
fn a_start_says_what_was_opened_and_what_was_recovered() {
    let dir = tempfile::tempdir().unwrap();
    let (log, data) = (dir.path().join("log"), dir.path().join("data"));
    let served = Served::spawn_with_log(serve(&data).args(["--retain-age", "90d"]), &log);
    let opened = logged(&log, "opened the store");
    assert_eq!((&opened["events"], &opened["partitions"]), (&0.into(), &1.into()), "{opened}");
    assert_eq!(opened["retention"], "90d");
    assert_eq!(opened["data_dir"], data.to_str().unwrap());
    let listening = logged(&log, "listening on");
    assert_eq!(listening["message"], format!("listening on {}", served.url));
    assert_eq!(listening["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(listening["access"], "open to every client");
    assert!(listening["connections"].as_u64() > Some(0), "{listening}");
    assert!(!fs::read_to_string(&log).unwrap().contains("recovered"));

    // The server marks each second what is durable: of what was marked nothing is to be recovered.
    let mut served = Some(served);
    let recovered = (1..=20).any(|events| {
        let running = served.take().unwrap();
        let event = EVENT.replace("\"1\"", &format!("\"{events}\""));
        assert_eq!(run_with_input(&["publish", "--url", &running.url, "--json"], &event).json()["stored"], 1);
        running.kill();
        served = Some(Served::spawn_with_log(&mut serve(&data), &log));
        assert_eq!(logged(&log, "opened the store")["events"], events);
        logged(&log, "listening on");
        fs::read_to_string(&log).unwrap().contains("recovered")
    });
    assert!(recovered);
}

#[test]
fn standard_output_of_a_server_is_silent() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let mut child = serve(&dir.path().join("data"));
    let mut child = child.stdout(Stdio::piped()).stderr(fs::File::create(&log).unwrap()).spawn().unwrap();
    logged(&log, "listening on");
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-s", "TERM", &pid]).status().unwrap().success());
    let output = child.wait().unwrap();
    let mut written = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut written).unwrap();
    assert_eq!((output.code(), written.as_str()), (Some(0), ""));
}

#[test]
fn a_directory_of_another_program_is_not_moved_into() {
    let dir = tempfile::tempdir().unwrap();
    let start =
        |data: &Path| run(&["serve", "--listen", "127.0.0.1:0", "--log", "off", "--data-dir", data.to_str().unwrap()]);
    fs::write(dir.path().join("thesis.odt"), "").unwrap();
    let refused = start(dir.path());
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("\"thesis.odt\"") && refused.stderr.contains("--data-dir"), "{refused:?}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing was added");

    let below_a_file = start(&dir.path().join("thesis.odt"));
    assert_eq!(below_a_file.code, Some(1), "{below_a_file:?}");
    assert!(below_a_file.stderr.contains("cannot use the data directory"), "{below_a_file:?}");

    let mount = dir.path().join("mount");
    fs::create_dir(&mount).unwrap();
    fs::create_dir(mount.join("lost+found")).unwrap();
    fs::write(mount.join(".gitkeep"), "").unwrap();
    drop(Served::start(&mount));
}

#[test]
fn an_address_beyond_this_machine_is_refused_with_the_command_that_opens_it() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let data = data.to_str().unwrap();
    let refused = run(&["serve", "--listen", ":0", "--log", "off", "--data-dir", data]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let hint = format!("sekali keys create --data-dir {data} --scope publish");
    assert!(refused.stderr.contains(&hint), "{refused:?}");
}
