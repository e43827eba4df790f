//! Help, and what to say when a command line is not understood.

use std::fmt::Write as _;

use clap::error::ErrorKind;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// What stands below the list of commands.
pub(crate) fn after_help() -> String {
    let mut text = String::from(
        "Examples:\n  \
         sekali demo                              see it work, then try the curl lines it prints\n  \
         sekali serve --data-dir ./logs           run a server\n  \
         sekali publish events.ndjson             send a file; safe to run twice\n  \
         sekali events --topic demo | head        read back what is stored\n  \
         sekali export -o events.parquet          take everything along\n\n\
         Exit codes:\n",
    );
    for exit in Exit::ALL {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {:>3}  {}", exit.code(), exit.meaning());
    }
    text.truncate(text.trim_end().len());
    text
}

/// Prints help or the version if that was asked for; any mistake becomes one line.
pub(crate) fn explain(error: &clap::Error) -> Result<(), Failure> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => error.print().map_err(|error| Failure::output(&error)),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Err(Failure::new(
            Exit::Usage,
            "say what to do: serve, publish, demo, events, count, export, import, stats, bench, verify, backup, restore, keys or health; see sekali --help",
        )),
        _ => Err(Failure::new(Exit::Usage, one_line(&error.render().to_string()))),
    }
}

/// clap explains a mistake over several paragraphs: what is wrong, a tip, usage, where to find
/// help.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for part in text.lines().map(str::trim).filter(|part| !part.is_empty()) {
        let part = match (part.strip_prefix("error: "), part.strip_prefix("tip: ")) {
            (Some(wrong), _) => wrong,
            (_, Some(tip)) => {
                line.push_str("; ");
                tip
            }
            _ if part.starts_with("Usage:") => continue,
            _ if part.starts_with("For more information") => "; see --help",
            _ => {
                line.push(' ');
                part
            }
        };
        line.push_str(part);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory as _, Parser as _};

    use crate::cli::Cli;

    fn check(arguments: &[&str], expected: &expect_test::Expect) {
        let error = Cli::try_parse_from(arguments).unwrap_err();
        let failure = explain(&error).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        expected.assert_eq(&failure.message.unwrap());
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn mistakes_are_one_line_that_says_what_to_do() {
        check(
            &["sekali", "stats", "--jsn"],
            &expect_test::expect!["unexpected argument '--jsn' found; a similar argument exists: '--json'; see --help"],
        );
        check(
            &["sekali"],
            &expect_test::expect![
                "say what to do: serve, publish, demo, events, count, export, import, stats, bench, verify, backup, restore, keys or health; see sekali --help"
            ],
        );
        check(
            &["sekali", "sreve"],
            &expect_test::expect![
                "unrecognized subcommand 'sreve'; some similar subcommands exist: 'events', 'restore', 'serve'; see --help"
            ],
        );
        check(
            &["sekali", "publish", "--count", "many"],
            &expect_test::expect!["invalid value 'many' for '--count <N>': invalid digit found in string; see --help"],
        );
        check(
            &["sekali", "publish", "--dup-ratio", "0.2"],
            &expect_test::expect!["the following required arguments were not provided: --count <N>; see --help"],
        );
        check(
            &["sekali", "publish", "--count", "5", "--dup-ratio", "2"],
            &expect_test::expect![
                "invalid value '2' for '--dup-ratio <SHARE>': must be a number from 0 to 1, like 0.2; see --help"
            ],
        );
        check(
            &["sekali", "stats", "--url", "ftp://x"],
            &expect_test::expect![
                "invalid value 'ftp://x' for '--url <URL>': ftp is not supported, use http or https; see --help"
            ],
        );
    }

    #[test]
    fn the_help_lists_commands_examples_and_exit_codes() {
        expect_test::expect![[r#"
            Log and event aggregator that stores every event exactly once

            Usage: sekali <COMMAND>

            Commands:
              serve    Run the server
              publish  Publish events from files, standard input or a generator
              demo     Start a server, publish 5,000 events of which 20% are duplicates, and look at the result
              events   Read stored events
              count    Count stored events, also over time
              export   Write stored events to a file: NDJSON, CSV, SQLite or Parquet
              import   Publish the events of files, and pass over what is damaged
              stats    Show a server's counters and topics
              bench    Measure how fast a server takes events
              verify   Check a whole store, even while a server uses it
              backup   Copy a store, even while a server uses it
              restore  Make a store from a backup, and check it
              keys     Make, list and revoke the keys that clients need
              health   Ask whether a server is ready; for health checks
              help     Print this message or the help of the given subcommand(s)

            Options:
              -h, --help     Print help (see more with '--help')
              -V, --version  Print version

            Examples:
              sekali demo                              see it work, then try the curl lines it prints
              sekali serve --data-dir ./logs           run a server
              sekali publish events.ndjson             send a file; safe to run twice
              sekali events --topic demo | head        read back what is stored
              sekali export -o events.parquet          take everything along

            Exit codes:
                0  done
                1  failed for a reason without a code of its own
                2  the command line was not understood
                3  the server cannot be reached, or did not recover while retrying
                4  the server refused the data, or an input line is not an event
                5  another process has the data directory open
                6  cannot listen on the address
                7  the data directory was written by a newer version
                8  the data directory is damaged
                9  a write or sync failed while serving: restart to recover
              130  interrupted before it was done
        "#]]
        .assert_eq(&Cli::command().term_width(100).render_help().to_string());
    }
}
