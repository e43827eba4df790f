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
