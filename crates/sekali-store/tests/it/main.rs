//! The engine as a user of the library sees it, on disks that fail.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod backup;
mod collisions;
mod crashes;
mod damage;
mod faults;
mod fuzz_corpus;
mod many;
mod model;
mod retention;
mod scans;
mod support;
mod verify;
