use std::collections::BTreeSet;

use super::*;

/// The message for a command line with a mistake.
fn mistake(arguments: &[&str]) -> String {
    let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
    let failure = explain(&parse(&arguments).unwrap_err(), &arguments).unwrap_err();
    assert_eq!(failure.exit, Exit::Usage);
    failure.message.unwrap()
}

fn check(arguments: &[&str], expected: &expect_test::Expect) {
    expected.assert_eq(&mistake(arguments));
}

#[test]
fn the_command_line_is_well_formed() {
    command().debug_assert();
}

#[test]
fn mistakes_are_one_line_that_says_what_to_do() {
    check(
        &["sekali", "stats", "--jsn"],
        &expect_test::expect![
            "unexpected argument '--jsn' found; a similar argument exists: '--json'; see sekali stats --help"
        ],
    );
    check(
        &["sekali", "sreve"],
        &expect_test::expect![
            "unrecognized subcommand 'sreve'; some similar subcommands exist: 'events', 'restore', 'serve'; see sekali --help"
        ],
    );
    check(
        &["sekali", "publish", "--count", "many"],
        &expect_test::expect![
            "invalid value 'many' for '--count <N>': invalid digit found in string; see sekali publish --help"
        ],
    );
    check(
        &["sekali", "publish", "--dup-ratio", "0.2"],
        &expect_test::expect![
            "the following required arguments were not provided: --count <N>; see sekali publish --help"
        ],
    );
    check(
        &["sekali", "publish", "--count", "5", "--dup-ratio", "2"],
        &expect_test::expect![
            "invalid value '2' for '--dup-ratio <SHARE>': must be a number from 0 to 1, like 0.2; see sekali publish --help"
        ],
    );
    check(
        &["sekali", "keys", "create", "--scope", "all"],
        &expect_test::expect![
            "invalid value 'all' for '--scope <SCOPE>' [possible values: publish, read, admin]; see sekali keys create --help"
        ],
    );
    check(
        &["sekali", "stats", "--url", "ftp://x"],
        &expect_test::expect![
            "invalid value 'ftp://x' for '--url <URL>': ftp is not supported, use http or https; see sekali stats --help"
        ],
    );
}

#[test]
fn a_port_is_answered_with_the_option_that_takes_it() {
    for (command, option, see) in [
        (["serve", "--port", "9000"], "--listen", "see sekali serve --help"),
        (["demo", "-p", "9000"], "--listen", "see sekali demo --help"),
        (["stats", "--port=9000", "--json"], "--url", "see sekali stats --help"),
    ] {
        // However the file is called.
        for program in ["sekali", "/opt/sekali-1.2"] {
            let message = mistake(&[&[program][..], &command].concat());
            assert!(message.contains(option) && message.contains("port") && message.ends_with(see), "{message}");
        }
    }
}

#[test]
fn every_command_is_in_one_group_of_the_help() {
    let command = command();
    let named: Vec<_> = GROUPS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let there: BTreeSet<_> = command.get_subcommands().map(Command::get_name).collect();
    assert_eq!(named.iter().copied().collect::<BTreeSet<_>>(), there);
    assert_eq!(named.len(), there.len(), "a command is named twice");
}

/// The help of a command and of those below it.
fn all_helps(command: &Command, name: &str, columns: usize, out: &mut String) {
    let mut own = command.clone().term_width(columns);
    let help = if name == "sekali" { own.render_long_help() } else { own.render_help() };
    let _ = writeln!(out, "$ {name} --help\n{}\n", help.to_string().trim_end());
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        all_helps(below, &format!("{name} {}", below.get_name()), columns, out);
    }
}

/// `UPDATE_EXPECT=1` writes the files anew.
#[test]
fn the_help_of_every_command_fits_the_terminal() {
    for columns in [80, 100] {
        let mut command = command();
        command.build();
        let mut text = String::new();
        let _ = writeln!(text, "$ sekali\n{}", command.clone().term_width(columns).render_help());
        all_helps(&command, "sekali", columns, &mut text);
        for line in text.lines() {
            assert!(line.chars().count() <= columns, "wider than {columns} columns: {line}");
        }
        let path = format!("{}/tests/cli/help-{columns}.txt", env!("CARGO_MANIFEST_DIR"));
        expect_test::expect_file![path].assert_eq(&text);
    }
}
