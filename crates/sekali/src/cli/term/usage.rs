//! The help, and errors of the command line.

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fmt::Write as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory as _, FromArgMatches as _};

use crate::cli::Cli;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// The heading of the options that every command has.
pub(crate) const GENERAL: &str = "General";

/// The commands, by what they are for.
const GROUPS: [(&str, &[&str]); 6] = [
    ("Run", &["serve", "demo", "bench"]),
    ("Publish", &["publish", "import"]),
    ("Read", &["events", "tail", "count", "fields", "conflicts", "sql", "export", "stats"]),
    ("Care", &["health", "verify", "backup", "restore"]),
    ("Keys", &["keys"]),
    ("Install", &["completions", "man"]),
];

const EXAMPLES: &str = "\
Examples:
  sekali demo                         see it work, and get curl lines to try
  sekali serve --data-dir ./logs      run a server
  sekali publish events.ndjson        send a file; safe to run twice
  sekali events --topic demo | head   read back what is stored
  sekali export -o events.parquet     take everything along

'sekali COMMAND --help' shows the options of a command.";

/// Parses a command line.
pub(crate) fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(arguments)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// The command line, with help that the derive macros cannot describe.
fn command() -> Command {
    let command = arrange(Cli::command());
    // The short help is shown to a person who knows nothing yet: exit codes are for scripts.
    let (header, groups) = (command.get_styles().get_header(), groups(&command));
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{groups}{header}Options:{header:#}\n{{options}}{{after-help}}"
    );
    command
        // Messages name commands by it, also if the file has another name.
        .bin_name("sekali")
        .help_template(template)
        .after_help(EXAMPLES)
        .after_long_help(format!("{EXAMPLES}\n\nExit codes:\n{}", exit_codes()))
        .mut_arg("help", |arg| arg.action(ArgAction::Help))
}

/// The command line for manual pages and completions, which have templates of their own.
pub(crate) fn definition() -> Command {
    arrange(Cli::command()).after_long_help(format!("{EXAMPLES}\n\nExit codes:\n{}", exit_codes()))
}

/// Moves help and version behind the options of each command. Environment variables are named
/// without their values, which may be long, or secret.
fn arrange(command: Command) -> Command {
    let help = Arg::new("help").short('h').long("help").action(ArgAction::HelpShort).help("Print help");
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version).help("Print version");
    let command = command.disable_help_flag(true).disable_version_flag(true).mut_subcommands(arrange);
    command
        .mut_args(|arg| arg.hide_env_values(true))
        .args([help, version].map(|arg| arg.help_heading(GENERAL).display_order(usize::MAX)))
}

/// The list of commands, under a heading for each group.
fn groups(command: &Command) -> String {
    let header = command.get_styles().get_header();
    let literal = command.get_styles().get_literal();
    let mut text = String::new();
    for (group, names) in GROUPS {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{header}{group}:{header:#}");
        for name in names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {literal}{name:<12}{literal:#}{about}");
        }
        text.push('\n');
    }
    text
}

fn exit_codes() -> String {
    let lines = Exit::ALL.iter().map(|exit| format!("  {:>3}  {}", exit.code(), exit.meaning()));
    lines.collect::<Vec<_>>().join("\n")
}

/// Prints help or the version if that was asked for; any mistake becomes one line.
pub(crate) fn explain(error: &clap::Error, arguments: &[OsString]) -> Result<(), Failure> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => error.print().map_err(|error| Failure::output(&error)),
        // To standard error: a script that forgot the command is not to take the help for a result.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            Err(Failure::quiet(Exit::Usage))
        }
        _ => {
            let text = error.render().to_string();
            let program = program(&text).unwrap_or_else(|| named(arguments));
            let line = port_tip(error, &program).unwrap_or_else(|| one_line(&text));
            Err(Failure::new(Exit::Usage, format!("{line}; see {program} --help")))
        }
    }
}

/// The remedy for `--port`, which servers of other makers have.
fn port_tip(error: &clap::Error, program: &str) -> Option<String> {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return None };
    if error.kind() != ErrorKind::UnknownArgument || !matches!(argument.as_str(), "--port" | "-p") {
        return None;
    }
    let option = match program {
        "sekali serve" | "sekali demo" => "--listen 127.0.0.1:8080",
        _ => "--url http://127.0.0.1:8080",
    };
    Some(format!("unexpected argument '{argument}' found; the port is part of the address: {option}"))
}

/// The command that a mistake is about, such as `sekali publish`, if clap shows its usage.
fn program(text: &str) -> Option<String> {
    let usage = text.lines().find_map(|line| line.trim().strip_prefix("Usage: "))?;
    let words = usage.split_whitespace();
    Some(words.take_while(|word| word.bytes().all(|byte| byte.is_ascii_lowercase())).collect::<Vec<_>>().join(" "))
}

/// The command that these arguments name, such as `sekali keys create`.
fn named(arguments: &[OsString]) -> String {
    let root = Cli::command();
    let (mut command, mut name) = (&root, "sekali".to_owned());
    for word in arguments.iter().skip(1) {
        let Some(below) = word.to_str().and_then(|word| command.find_subcommand(word)) else { break };
        command = below;
        name = format!("{name} {}", below.get_name());
    }
    name
}

/// clap explains a mistake over several paragraphs: the mistake, tips, usage, where to find help.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for part in text.lines().map(str::trim).filter(|part| !part.is_empty()) {
        let part = match (part.strip_prefix("error: "), part.strip_prefix("tip: ")) {
            (Some(wrong), _) => wrong,
            (_, Some(tip)) => {
                line.push_str("; ");
                tip
            }
            _ if part.starts_with("Usage:") || part.starts_with("For more information") => continue,
            _ => {
                line.push(' ');
                part
            }
        };
        line.push_str(part);
    }
    line
}
