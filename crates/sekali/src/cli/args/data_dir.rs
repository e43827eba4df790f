//! The data directory of commands that work without a server.

use std::path::PathBuf;

use clap::Args;

/// The data directory.
#[derive(Debug, Args)]
pub(crate) struct DataDirArg {
    /// Directory of the data, as given to sekali serve
    #[arg(long, env = "SEKALI_DATA_DIR", value_name = "DIR", default_value = "./sekali-data")]
    pub(crate) data_dir: PathBuf,
}
