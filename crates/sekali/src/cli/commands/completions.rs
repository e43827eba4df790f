//! `sekali completions`: completions of commands and options for a shell.

use clap::{Args, ValueEnum};
use clap_complete::{Shell, generate};

use crate::cli::failure::Failure;
use crate::cli::term::output::Output;
use crate::cli::term::usage;

/// Arguments of `sekali completions`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    sekali completions bash > /etc/bash_completion.d/sekali\n  \
    sekali completions fish > ~/.config/fish/completions/sekali.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell to complete for
    #[arg(value_name = "SHELL", value_enum)]
    shell: ShellArg,
}

/// A shell with programmable completion.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum ShellArg {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

pub(crate) async fn run(args: CompletionsArgs) -> Result<(), Failure> {
    let shell = match args.shell {
        ShellArg::Bash => Shell::Bash,
        ShellArg::Elvish => Shell::Elvish,
        ShellArg::Fish => Shell::Fish,
        ShellArg::Powershell => Shell::PowerShell,
        ShellArg::Zsh => Shell::Zsh,
    };
    let mut script = Vec::new();
    generate(shell, &mut usage::definition(), "sekali", &mut script);
    let mut output = Output::stdout();
    output.text(&script)?;
    output.flush()
}
