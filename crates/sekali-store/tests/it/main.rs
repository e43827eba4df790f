//! The engine through its public interface, on failing disks.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod backup;
mod bit_rot;
mod collisions;
mod comparing;
mod crashes;
mod damage;
mod faults;
mod full_disk;
mod fuzz_corpus;
mod life;
mod links;
mod many;
mod model;
mod overlap;
mod replicas;
mod retention;
mod returned;
mod scans;
mod scrubs;
mod support;
mod unreadable;
mod upgrade;
mod verify;
