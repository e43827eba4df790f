//! The flags that say which events to make up.

use clap::Args;

use crate::cli::args::units::share;
use crate::generate::Recipe;

/// Which events to make up instead of reading them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Made-up events")]
pub(crate) struct GeneratorArgs {
    /// Send this many made-up events instead of files
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Which share of them repeats an earlier one, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share, requires = "count")]
    dup_ratio: f64,
    /// Over how many topics they spread
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    #[arg(requires = "count")]
    topics: u32,
    /// The same seed makes the same events, so that a second run sends only duplicates
    #[arg(long, default_value_t = 1, requires = "count")]
    seed: u64,
    /// Pad payloads to this length
    #[arg(long, value_name = "BYTES", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_048_576))]
    #[arg(requires = "count")]
    payload_bytes: u32,
}

impl GeneratorArgs {
    /// What to generate, if that is asked for.
    pub(crate) fn recipe(&self) -> Option<Recipe> {
        Some(Recipe {
            count: self.count?,
            dup_ratio: self.dup_ratio,
            topics: self.topics as usize,
            seed: self.seed,
            payload_bytes_min: self.payload_bytes as usize,
        })
    }
}
