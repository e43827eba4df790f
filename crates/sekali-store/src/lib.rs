//! The engine of Sekali: a durable log that keeps one copy of each event.
//!
//! A [`Store`] is a directory with one or more [`Partition`]s. A partition is a deterministic state
//! machine with one writer: [`Partition::commit`] takes [`Batch`]es, decides for each event whether
//! its key is new, syncs the new ones, and returns an [`Outcome`] for each. Any number of
//! [`Reader`]s look up and [`Scan`] beside it.
//!
//! The engine knows bytes, files, keys and seqs. It has no HTTP, no async runtime, no JSON, no
//! clock and no configuration: time and randomness are arguments, and all that it must know of
//! payloads are three functions ([`ContentRules`]).
//!
//! ```text
//! store ── partition ─┬─ write    look up, decide, append, publish
//!                     ├─ read     look-ups and scans beside the writer
//!                     └─ keep     seal, merge, expire, scrub, verify
//! log                             frames, files, recovery
//! index                           from the fingerprint of a key to its seq
//! segment                         sealed events, in Parquet files
//! manifest                        the list of live files
//! backup                          a copy of a store, even of one in use
//! disk                            every access to files
//! ```
//!
//! ```
//! # fn main() -> sekali_store::Result<()> {
//! use sekali_store::{Batch, EventRef, HashKey, Outcome, Store, StoreMeta};
//!
//! # let dir = std::env::temp_dir().join(format!("sekali-doc-{}", std::process::id()));
//! // Draw the id and the key at random.
//! let meta = StoreMeta { store_id: 1, hash_key: HashKey([7; 32]), partitions: 1 };
//! let store = Store::create(&dir, &meta)?; // later: Store::open(&dir)
//! let mut batch = Batch::new();
//! let (topic, event_id, source) = ("orders", "42", "shop");
//! let event = EventRef { topic, event_id, timestamp_ns: 0, source, payload: b"{}" };
//! batch.push(&store.hasher(), &event);
//! let mut partition = store.into_partitions().remove(0);
//! assert_eq!(partition.commit(&[batch.clone()], 0, None)?, [[Outcome::Stored { seq: 1 }]]);
//! assert_eq!(partition.commit(&[batch], 0, None)?, [[Outcome::Duplicate { seq: 1 }]]);
//! # drop(partition);
//! # std::fs::remove_dir_all(dir).ok();
//! # Ok(())
//! # }
//! ```

mod absence;
mod background;
mod backup;
mod batch;
#[doc(hidden)]
pub mod bench_support;
mod bucket;
mod bytes;
mod checked_text;
pub mod columns;
mod comparisons;
mod counters;
mod damage;
pub mod disk;
mod durable_mark;
mod error;
mod event;
#[doc(hidden)]
pub mod fuzzing;
mod hash;
mod index;
mod invariant;
pub mod limits;
mod log;
mod manifest;
mod meta;
mod options;
mod order;
mod partition;
mod retention;
mod rules;
mod salt;
mod segment;
mod store;
mod tally;
mod tuning;

pub use backup::{Copied, backup, restore};
pub use batch::Batch;
pub use counters::Counters;
pub use damage::Damage;
pub use error::{Error, Result};
pub use event::{CONFLICTS_TOPIC, EventRef, EventView, StoredEvent, Unread, is_reserved};
pub use hash::{Fingerprint, HashKey, KeyHasher};
pub use index::IndexStats;
pub use manifest::Expired;
pub use meta::{StoreMeta, partition_of};
pub use options::{OnDamage, StoreOptions};
pub use order::Order;
pub use partition::{
    Ahead, Commit, CommitListener, Decision, Finding, Marker, Outcome, Partition, Preview, Reader, Retainer, Scan,
    Scanner, Scrubbed, Scrubber, StorageStats, TopicSummary, TornTail, Verification,
};
pub use retention::{AgeRule, Retention, SizeRule, TopicPattern};
pub use rules::{ContentRules, Member, Members, Need, PayloadConditions, Piece, Pieces, Texting};
pub use segment::{ColumnRows, ColumnsWanted, RowCount, TimesWanted, TopicColumns};
pub use store::Store;
#[doc(hidden)]
pub use {index::IndexOptions, tuning::Tuning};
