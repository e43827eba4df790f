//! Faults against the real binary, judged by an oracle with its own journal outside the data
//! directory.
//!
//! [`load`] publishes and reads, [`journal`] records responses and judges the server's events after
//! a fault, [`process`] is the server. The variables in the documentation of `sekali_testkit` set
//! duration and seed. A test whose requirements the machine lacks (root, loop devices, strace) says
//! so loudly and passes.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod disk_full;
mod fsync_eio;
mod journal;
mod kill9_under_load;
mod load;
mod power_cut;
mod process;
mod rot_after_kill;
