//! The dedup index: from the fingerprint of a key to the seq of its event. Exact for a billion
//! keys, in bounded memory.
//!
//! The newest entries are in a [`table::Table`] in memory. A full table is frozen and written out
//! as a *run* ([`run::Run`]): an immutable file of fixed-width entries ([`block`]) sorted by
//! fingerprint. Runs of about one size are merged into a longer one ([`plan`], `merge`).
//! [`filter`]s in memory tell which runs are worth reading: a look-up probes one filter per run and
//! usually reads at most one block. [`Index`] joins these; `worker` is the background thread. The
//! log is the index's write-ahead log, and the [manifest](crate::manifest) names the live runs and
//! the seq up to which they cover it.
//!
//! # Arithmetic
//! With `T` = [`INDEX_TABLE_ENTRIES`](crate::limits::INDEX_TABLE_ENTRIES) = 2^20, `F` =
//! [`INDEX_FAN_IN`](crate::limits::INDEX_FAN_IN) = 4 and `N` entries:
//!
//! - **Runs**: level `l` holds runs of at most `T F^l` entries and is merged when it has `F` of
//!   them, so there are at most `F - 1` runs in each of `log_F(N / T)` levels: 10 at 100 million,
//!   half of that on average.
//! - **Write amplification**: each entry is written once by a flush and once by the merge into each
//!   further level, `1 + log_F(N / T)` times: 4 at 100 million, 5 at a billion.
//! - **False positives**: a filter of `w` bits passes a foreign key with probability `2^-w`. A run
//!   of `n` entries, made when all runs together have `N`, has `w = 8 + ceil(log2(floor(N / n)))`
//!   bits (at most 16). The runs of the top level are made at `N` = 1, 2, 3, … times their size,
//!   with 8, 9, 10 and 10 bits: `1/256 + 1/512 + 2/1024` = 0.78 %; all lower levels together add at
//!   most 0.2 %. Below 1 in 100 in all; 1 in 200 at 100 million.
//! - **Memory**: a filter has `w` bits for each of 1.17 slots per entry, and the first fingerprint
//!   of each block adds 8 / 140 = 0.06 bytes: 1.2 to 1.5 bytes an entry. Tables take 36 bytes for
//!   each of at most `3 T` entries, the spare table included, and 16 `T` bytes to sort in.
//! - **Disk**: 4,096 / 140 = 29.26 bytes in blocks, and the bytes of filters and fences once more:
//!   30.5 to 31.7.
//! - **Reads**: a hit costs one block read (two where its fingerprint begins a block, 1 in 140); a
//!   miss costs 0.01.

pub(crate) mod block;
mod core;
mod entry;
mod failures;
pub(crate) mod filter;
mod handle;
mod mend;
mod merge;
mod open;
mod options;
pub(crate) mod plan;
mod progress;
mod rebuild;
mod retired;
mod room;
pub(crate) mod run;
mod signals;
mod sort;
mod state;
mod stats;
pub(crate) mod table;
#[cfg(test)]
mod tests;
mod worker;

pub use entry::Entry;
pub(crate) use handle::Index;
pub(crate) use mend::IndexMend;
pub use options::IndexOptions;
pub use stats::IndexStats;
