//! Options of generated events.

use clap::Args;

use crate::cli::args::units::share;
use crate::generate::{Recipe, START_NS};

/// Which events to generate instead of reading them.
#[derive(Debug, Args)]
#[command(next_help_heading = "Generated events")]
pub(crate) struct GeneratorArgs {
    /// Publish so many generated events instead of files
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Fraction of events that repeat an earlier one, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share, requires = "count")]
    dup_ratio: f64,
    /// Number of topics
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    #[arg(requires = "count")]
    topics: u32,
    /// Seed: the same seed generates the same events, so a second run is all duplicates
    #[arg(long, value_name = "N", default_value_t = 1, requires = "count")]
    seed: u64,
    /// Least length of a payload
    #[arg(long, value_name = "BYTES", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_048_576))]
    #[arg(requires = "count")]
    payload_bytes: u32,
}

impl GeneratorArgs {
    /// The events to generate, if that is asked for.
    pub(crate) fn recipe(&self) -> Option<Recipe> {
        Some(Recipe {
            count: self.count?,
            dup_ratio: self.dup_ratio,
            topics: self.topics as usize,
            seed: self.seed,
            payload_bytes_min: self.payload_bytes as usize,
            start_ns: START_NS,
        })
    }
}
