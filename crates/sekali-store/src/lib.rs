//! The engine of Sekali: a durable log that keeps every event once.
//!
//! It knows bytes, files, keys and seqs. It knows nothing of HTTP, async runtimes, JSON, clocks or configuration: time and
//! randomness come in as arguments, and what must be known of payloads as two functions ([`ContentRules`]).
//!
//! A [`Store`] is a directory with one or more [`Partition`]s. A partition is a deterministic state machine with one writer:
//! [`Partition::commit`] takes [`Batch`]es, decides for every event whether its key is new, syncs what is, and answers
//! [`Outcome`]s. Beside it any number of [`Reader`]s look up and [`Scan`].
//!
//! ```text
//! store ── partition ─┬─ decide   what becomes of each event
//!                     ├─ log      frames, files, recovery; what is where in them
//!                     ├─ ids      from a key's fingerprint to its seq
//!                     ├─ segment  sealed events, in Parquet files
//!                     └─ reader   counters, look-ups, scans
//! backup                        a copy of a store, even of a live one
//! disk                          every access to files
//! ```
//!
//! ```
//! # fn main() -> sekali_store::Result<()> {
//! use std::sync::Arc;
//! use sekali_store::{Batch, ContentRules, EventRef, HashKey, StoreMeta, Outcome, Store, disk::RealDisk};
//!
//! # let dir = std::env::temp_dir().join(format!("sekali-doc-{}", std::process::id()));
//! let new = StoreMeta { store_id: 1, hash_key: HashKey([7; 32]), partitions: 1 }; // draw these at random
//! let store = Store::open(Arc::new(RealDisk), &dir, &new, ContentRules::BYTES)?;
//! let mut batch = Batch::new();
//! let event = EventRef { topic: "orders", event_id: "42", timestamp_ns: 0, source: "shop", payload: b"{}" };
//! batch.push(&store.hasher(), &event);
//! let mut partition = store.into_partitions().remove(0);
//! assert_eq!(partition.commit(&[batch.clone()], 0, None)?, [[Outcome::Stored { seq: 1 }]]);
//! assert_eq!(partition.commit(&[batch], 0, None)?, [[Outcome::Duplicate { seq: 1 }]]);
//! # drop(partition);
//! # std::fs::remove_dir_all(dir).ok();
//! # Ok(())
//! # }
//! ```

mod background;
mod backup;
mod batch;
mod bucket;
mod bytes;
mod checked_text;
pub mod columns;
mod counters;
mod damage;
pub mod disk;
mod error;
mod event;
#[doc(hidden)]
pub mod fuzzing;
mod hash;
pub mod index;
mod invariant;
pub mod limits;
mod log;
pub mod manifest;
mod meta;
mod order;
mod partition;
mod retention;
mod rules;
mod salt;
pub mod segment;
mod store;
mod tally;
mod tuning;

pub use backup::{Copied, backup, restore};
pub use batch::Batch;
pub use counters::Counters;
pub use damage::Damage;
pub use error::{Error, Result};
pub use event::{CONFLICTS_TOPIC, EventRef, StoredEvent, is_reserved};
pub use hash::{ContentHash, EventHash, Fingerprint, HashKey, KeyHasher};
pub use manifest::Expired;
pub use meta::StoreMeta;
pub use order::Order;
pub use partition::{
    Commit, Finding, Outcome, Partition, Reader, Retainer, Scan, Scanner, Scrubbed, Scrubber, StorageStats,
    TopicSummary, TornTail, Verification,
};
pub use retention::{AgeRule, Retention, SizeRule, TopicPattern};
pub use rules::ContentRules;
pub use store::{Store, partition_of};
#[doc(hidden)]
pub use tuning::Tuning;
