//! Untrusted text on a real terminal is shown as text and never takes effect.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::{Value, json};

use crate::process::{command, run, run_with_input};
use crate::scripted::{Reply, Scripted};
use crate::served::Served;

/// Sequences that move the cursor, erase, set titles or colours, ring, hide or reorder text.
const HOSTILE: [&str; 14] = [
    "\u{1b}[2J",
    "\u{1b}[31m",
    "\u{1b}]0;title\u{7}",
    "\u{1b}]8;;http://evil.example\u{1b}\\link",
    "\u{1b}P+q\u{1b}\\",
    "\u{9b}2J",
    "\u{9d}0;x\u{9c}",
    "\u{7}\u{8}\u{7f}",
    "\r\noverwritten",
    "\u{202e}txt.exe",
    "\u{2066}x\u{2069}",
    "\u{200b}\u{feff}",
    "\u{e0041}tag",
    "\u{2028}line",
];

/// The output of a command on a terminal, and its exit code.
fn on_a_terminal(command: &mut Command) -> (String, Option<i32>) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = || -> Stdio {
        let fd: OwnedFd = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
        fd.into()
    };
    let mut child = command.stdin(Stdio::null()).stdout(slave()).stderr(slave()).spawn().unwrap();
    // The command still has the terminal. This process must close its end, or it never sees the end
    // of the output.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut shown = Vec::new();
    // Linux reports the end of a terminal's output as an error.
    let _ = File::from(master).read_to_end(&mut shown);
    (String::from_utf8(shown).unwrap(), child.wait().unwrap().code())
}

/// The output is text and line ends only.
#[track_caller]
fn is_harmless(shown: &str, context: &str) {
    let text = shown.replace("\r\n", "");
    assert_eq!(sekali_wire::escape::escape(&text), text, "{context}: {text:?}");
}

fn plain(arguments: &[&str]) -> Command {
    let mut command = command(arguments);
    command.env("NO_COLOR", "1").env("TERM", "xterm");
    command
}

#[test]
fn events_of_strangers_drive_no_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path());
    let mut events = Vec::new();
    for (number, text) in HOSTILE.into_iter().enumerate() {
        // Names may contain every character except control characters.
        let name: String = format!("t{number}{text}").chars().filter(|character| !character.is_control()).collect();
        events.push(json!({"topic": name, "event_id": name, "timestamp": "2025-10-24T21:00:00Z", "source": name,
                           "payload": {text: text}}));
    }
    let sent = run_with_input(&["publish", "--url", &served.url, "--json"], &Value::from(events).to_string());
    assert_eq!(sent.json()["stored"], HOSTILE.len());
    let url = ["--url", &served.url];
    for arguments in [
        &["events"][..],
        &["events", "--json"],
        &["events", "--csv"],
        &["events", "--limit", "1"],
        // Progress bars do drive the terminal, and contain no untrusted text.
        &["export", "--quiet"],
        &["export", "--quiet", "--format", "csv"],
        &["stats"],
        &["stats", "--json"],
        &["count", "--interval", "1d"],
        &["events", "--topic", "\u{202e}"],
        &["events", "--after", "\u{1b}[2J"],
        &["events", "--where", "a.\u{1b}[2J=1"],
        &["events", "--since", "\u{1b}[2J\u{202e}"],
    ] {
        let (shown, code) = on_a_terminal(&mut plain(&[arguments, &url].concat()));
        // Errors quote refused text, but not text that is merely not found.
        assert!(code.is_some() && (code == Some(0) || !shown.is_empty()), "{arguments:?} {shown:?}");
        is_harmless(&shown, &format!("{arguments:?}"));
    }
}

#[test]
fn colours_of_our_own_are_the_only_sequences_on_a_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path());
    let event = json!({"topic": "t\u{202e}", "event_id": "1", "timestamp": "2025-10-24T21:00:00Z", "source": "s",
                       "payload": {"text": "\u{1b}[31m\u{1b}[2J"}});
    run_with_input(&["publish", "--url", &served.url, "--json"], &event.to_string()).json();
    for arguments in [["events", "--url", &served.url], ["stats", "--url", &served.url]] {
        let (shown, code) = on_a_terminal(command(&arguments).env("TERM", "xterm"));
        assert_eq!(code, Some(0));
        assert!(shown.contains("\u{1b}["), "a terminal has colours: {shown:?}");
        let ours = ["0", "1", "2", "32", "33", "36"].map(|code| format!("\u{1b}[{code}m"));
        is_harmless(&ours.iter().fold(shown, |shown, colour| shown.replace(colour, "")), arguments[0]);
    }
}

#[test]
fn neither_do_servers_file_names_and_arguments() {
    let server = Scripted::start(|_, _| {
        let hostile = HOSTILE.concat();
        Reply::Json(
            400,
            json!({"code": hostile, "message": hostile, "errors": [{"field": hostile, "reason": hostile}]}),
        )
    });
    let dir = tempfile::tempdir().unwrap();
    let name = HOSTILE.concat().replace('/', "");
    let file = dir.path().join(format!("{name}.ndjson"));
    std::fs::write(&file, "{\"topic\":\u{1b}\n").unwrap();
    let (file, missing) = (file.to_str().unwrap(), dir.path().join(&name));
    let missing = missing.to_str().unwrap();
    for arguments in [
        &["stats", "--url", &server.url][..],
        &["events", "--url", &server.url],
        &["publish", "--quiet", "--url", &server.url, "--count", "3"],
        &["publish", "--quiet", "--url", &server.url, file],
        &["publish", "--quiet", "--url", &server.url, missing],
        &["import", "--quiet", "--url", &server.url, file],
        &["export", "--url", &server.url, "-o", missing],
        &["verify", "--data-dir", missing],
        &["backup", "--data-dir", missing, missing],
        &["restore", missing, "--data-dir", missing],
        &["keys", "list", "--data-dir", missing],
        &["keys", "revoke", &name],
        &["keys", "create", "--scope", &name],
        &["keys", "create", "--scope", "read", "--topics", "\u{202e}*", "--data-dir", missing],
        &["stats", "--key-file", missing],
        &["stats", "--url", &name],
        &["serve", "--listen", &name, "--data-dir", missing],
        &["serve", "--cors-origin", &name, "--data-dir", missing],
        &["serve", "--allow-host", &name, "--data-dir", missing],
        &["serve", "--log", &name],
        &[&name],
        &["stats", &name],
    ] {
        let (shown, code) = on_a_terminal(&mut plain(arguments));
        assert!(code.is_some() && !shown.is_empty(), "{arguments:?} {code:?} {shown:?}");
        is_harmless(&shown, &format!("{arguments:?}"));
    }
}

#[test]
fn a_terminal_gets_the_newest_events_and_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path());
    run_with_input(&["publish", "--url", &served.url, "--json", "--count", "150"], "").json();
    let (shown, code) = on_a_terminal(&mut plain(&["events", "--url", &served.url]));
    assert_eq!(code, Some(0));
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines.len(), 101, "{shown}");
    assert!(lines[100].contains("newest 100: --limit N"), "{shown}");
    let newest = run(&["events", "--url", &served.url, "--order", "desc", "--limit", "1"]);
    let id = newest.json()["event_id"].as_str().unwrap().to_owned();
    assert!(lines[99].contains(&id), "the newest is the last: {shown}");
    assert_eq!(run(&["events", "--url", &served.url]).stdout.lines().count(), 150, "a pipe gets all");
}

#[test]
fn a_dumb_terminal_gets_no_colours_unless_they_are_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let served = Served::start(dir.path());
    for (term, color, expected) in
        [("dumb", "auto", false), ("xterm", "auto", true), ("xterm", "never", false), ("dumb", "always", true)]
    {
        let (shown, _) = on_a_terminal(command(&["stats", "--url", &served.url, "--color", color]).env("TERM", term));
        assert_eq!(shown.contains("\u{1b}["), expected, "{term} {color}: {shown:?}");
    }
}
