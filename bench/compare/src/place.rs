//! Where peers keep their data, and what they find on this machine.

use std::fs;
use std::path::{Path, PathBuf};

use tokio::runtime::{Handle, Runtime};

use crate::Outcome;

/// What peers are given to start with.
#[derive(Debug)]
pub(crate) struct Place {
    /// For data, on the disk that is measured; empty whenever a peer starts.
    pub(crate) data: PathBuf,
    /// For what is left afterwards: logs.
    pub(crate) scratch: PathBuf,
    /// The Python environment that `bench/compare/setup` makes.
    pub(crate) python: PathBuf,
    /// The `sekali` program.
    pub(crate) sekali: PathBuf,
    /// What comes with this crate: `bench/compare`.
    pub(crate) sources: PathBuf,
    runtime: Runtime,
}

impl Place {
    /// Below `scratch`, which should be on the disk that is measured.
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

    /// What runs the clients.
    pub(crate) fn runtime(&self) -> Handle {
        self.runtime.handle().clone()
    }

    /// Removes what the last peer left, and waits until the disk has nothing to do any more.
    pub(crate) fn clear(&self) -> Outcome<()> {
        if self.data.exists() {
            fs::remove_dir_all(&self.data)?;
        }
        fs::create_dir_all(&self.data)?;
        rustix::fs::sync();
        Ok(())
    }
}
