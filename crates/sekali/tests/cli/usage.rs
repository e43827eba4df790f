//! Command lines that are refused before anything is opened.

use crate::process::run;

#[test]
fn an_unknown_flag_is_one_line_and_code_2() {
    let result = run(&["stats", "--jsn"]);
    assert_eq!((result.code, result.stdout.as_str()), (Some(2), ""));
    expect_test::expect![[r#"
        sekali: unexpected argument '--jsn' found; a similar argument exists: '--json'; see sekali stats --help
    "#]]
    .assert_eq(&result.stderr);
}

#[test]
fn without_a_command_the_short_help_is_shown() {
    let result = run(&[]);
    assert_eq!(result.code, Some(2));
    assert_eq!(result.stdout, "");
    assert!(result.stderr.contains("Publish:\n  publish"), "{result:?}");
    assert!(result.stderr.contains("sekali COMMAND --help"), "{result:?}");
}

#[test]
fn help_and_version_go_to_standard_output() {
    let help = run(&["publish", "--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    assert!(help.stdout.contains("safe to repeat"), "{help:?}");
    let version = run(&["--version"]);
    assert_eq!(version.stdout, format!("sekali {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let bash = run(&["completions", "bash"]);
    assert_eq!((bash.code, bash.stderr.as_str()), (Some(0), ""));
    assert!(bash.stdout.contains("complete -F _sekali"), "{bash:?}");
    let dir = tempfile::tempdir().unwrap();
    let man = run(&["man", dir.path().to_str().unwrap()]);
    assert_eq!((man.code, man.stdout.as_str(), man.stderr.as_str()), (Some(0), "", ""));
    let page = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    assert!(page("sekali.1").contains("Exit codes"));
    for command in ["serve", "publish", "events", "verify", "man"] {
        assert!(bash.stdout.contains(&format!("sekali__subcmd__{command}")), "{command}");
        let text = page(&format!("sekali-{command}.1"));
        assert!(text.contains(&format!("sekali\\-{command}")), "{text}");
    }
}

#[test]
fn manual_pages_need_a_directory_that_exists() {
    let result = run(&["man", "/nowhere/at/all"]);
    assert_eq!(result.code, Some(1));
    assert!(result.stderr.starts_with("sekali: cannot write to /nowhere/at/all: "), "{result:?}");
}
