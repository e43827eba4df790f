//! The key that a client command shows to the server.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use sekali_wire::secret::Secret;

/// Where the key itself may be, in the environment.
const VARIABLE: &str = "SEKALI_KEY";

/// Which key to show, where the server wants one.
#[derive(Debug, Args)]
pub(crate) struct KeyArg {
    /// Read the API key from FILE, or set SEKALI_KEY (never an argument: other users could see it)
    #[arg(long, env = "SEKALI_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,
}

impl KeyArg {
    /// The key, if there is one. A file goes before the environment.
    pub(crate) fn key(&self) -> Result<Option<Secret>, Failure> {
        // An empty variable means none, as everywhere.
        if let Some(path) = self.key_file.as_deref().filter(|path| !path.as_os_str().is_empty()) {
            return read(path).map(Some);
        }
        match std::env::var(VARIABLE) {
            Ok(text) if text.is_empty() => Ok(None),
            Ok(text) => parse(&text, VARIABLE).map(Some),
            Err(std::env::VarError::NotPresent) => Ok(None),
            // What it is instead is not repeated.
            Err(std::env::VarError::NotUnicode(_)) => Err(no_key(VARIABLE)),
        }
    }
}

fn read(path: &Path) -> Result<Secret, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::new(Exit::Usage, format!("cannot read a key from {}: {error}", path.display())))?;
    parse(&text, &path.display().to_string())
}

fn parse(text: &str, place: &str) -> Result<Secret, Failure> {
    text.trim().parse().map_err(|_| no_key(place))
}

fn no_key(place: &str) -> Failure {
    Failure::new(Exit::Usage, format!("what is in {place} is not a key as `sekali keys create` makes them"))
}
