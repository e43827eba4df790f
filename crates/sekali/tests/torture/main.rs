//! Faults against the real binary, judged by an oracle that keeps its own journal outside of the data directory.
//!
//! `SEKALI_TORTURE_CYCLES` sets how many times the server is killed, `SEKALI_TORTURE_SEED` what is random.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]
#![expect(clippy::print_stdout, reason = "a test prints its seed and what it counted")]

mod journal;
mod kill9;
mod process;
