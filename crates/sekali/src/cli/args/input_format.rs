//! Options of input files: `publish` and `import`.

use clap::Args;

use crate::input::InputFormat;

/// How input files are read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct InputFormatArgs {
    /// Format of the input, if neither its name nor its beginning tells
    #[arg(long, value_enum)]
    pub(crate) format: Option<InputFormat>,
    /// Table of a SQLite database, if several have the columns of an event
    #[arg(long, value_name = "NAME")]
    pub(crate) table: Option<String>,
}
