//! Directories and programs of the peers on this machine.

use std::fs;
use std::path::{Path, PathBuf};

use tokio::runtime::{Handle, Runtime};

use crate::Outcome;

/// The environment in which peers start.
#[derive(Debug)]
pub(crate) struct Place {
    /// The data directory, on the measured disk; empty whenever a peer starts.
    pub(crate) data: PathBuf,
    /// The directory of logs, which stays afterwards.
    pub(crate) scratch: PathBuf,
    /// The Python environment that `bench/compare/setup` creates.
    pub(crate) python: PathBuf,
    /// The `sekali` program.
    pub(crate) sekali: PathBuf,
    /// The directory of this crate, `bench/compare`.
    pub(crate) sources: PathBuf,
    runtime: Runtime,
}

impl Place {
    /// Below `scratch`, which should be on the disk to be measured.
    pub(crate) fn new(scratch: &Path, sekali: &Path) -> Outcome<Self> {
        fs::create_dir_all(scratch)?;
        let scratch = scratch.canonicalize()?;
        let sekali = sekali.canonicalize().map_err(|error| {
            let path = sekali.display();
            format!("{path}: {error}; build it with cargo build --release --locked, or use bench/compare/run")
        })?;
        let data = scratch.join("data");
        let runtime = Runtime::new()?;
        let sources = PathBuf::from("bench/compare").canonicalize()?;
        Ok(Self { data, python: scratch.join("python"), scratch, sekali, sources, runtime })
    }

    /// A program of the Python environment.
    pub(crate) fn python_program(&self, name: &str) -> PathBuf {
        self.python.join("bin").join(name)
    }

    /// The runtime of the clients.
    pub(crate) fn runtime(&self) -> Handle {
        self.runtime.handle().clone()
    }

    /// Removes the files of the last peer, and waits until the disk is idle.
    pub(crate) fn clear(&self) -> Outcome<()> {
        if self.data.exists() {
            fs::remove_dir_all(&self.data)?;
        }
        fs::create_dir_all(&self.data)?;
        rustix::fs::sync();
        Ok(())
    }
}
