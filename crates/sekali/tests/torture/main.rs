//! Faults against the real binary, judged by an oracle that keeps its own journal outside of the data directory.
//!
//! [`load`] publishes and reads, [`journal`] knows what clients were told and judges what the server has after a fault,
//! [`process`] is the server. The variables in the documentation of `sekali_testkit` say how long and from which seed. Tests that
//! need what a machine does not have (root, loop devices, strace) say so loudly and pass.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod disk_full;
mod fsync_eio;
mod journal;
mod kill9_under_load;
mod load;
mod power_cut;
mod process;
