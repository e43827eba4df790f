//! Options of the server's log.

use std::io::IsTerminal as _;

use clap::Args;

use crate::cli::failure::Failure;
use crate::cli::term::log::{self, LogFormat};

/// The level and the format of the server's log.
#[derive(Debug, Args)]
#[command(next_help_heading = "Log")]
pub(crate) struct LogArgs {
    /// Least level to log: error, warn, info, debug or trace
    #[arg(long, env = "SEKALI_LOG", value_name = "LEVEL", default_value = "info")]
    log: String,
    /// Format of the log [default: text on a terminal, JSON elsewhere]
    #[arg(long, env = "SEKALI_LOG_FORMAT", value_enum)]
    log_format: Option<LogFormat>,
}

impl LogArgs {
    /// Starts the log.
    pub(crate) fn start(&self) -> Result<(), Failure> {
        let on_terminal = std::io::stderr().is_terminal();
        let format = self.log_format.unwrap_or(if on_terminal { LogFormat::Text } else { LogFormat::Json });
        log::start(&self.log, format)
    }
}
