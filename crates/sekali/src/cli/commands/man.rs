//! `sekali man`: manual pages of all commands.

use std::path::PathBuf;

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::term::usage;

/// Arguments of `sekali man`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    sekali man ~/.local/share/man/man1\n  \
    sekali man /tmp/man && man -l /tmp/man/sekali-serve.1")]
pub(crate) struct ManArgs {
    /// An existing directory; files in it named sekali*.1 are replaced
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

pub(crate) async fn run(args: ManArgs) -> Result<(), Failure> {
    let ManArgs { dir } = args;
    clap_mangen::generate_to(usage::definition(), &dir)
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot write to {}: {error}", dir.display())))
}
