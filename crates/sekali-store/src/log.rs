//! The append-only log of a partition: the write-ahead log and the store itself.
//!
//! A **file** begins with a header ([`header`]) and holds frames. A **frame** ([`frame`]) is one
//! commit: a header with its counts and its place in the chain, then its rows in **blocks**
//! ([`block`]), each with a checksum of its own, so that one event can be read without reading its
//! whole commit. A **row** ([`row`]) is one stored event.
//!
//! In memory a file is described by an [`block_index`]: where its extents begin (runs of blocks of
//! about 64 KiB) and which topics they hold. Block indexes of closed files are saved beside them as
//! a cache; [`recovery`] makes them anew where they are missing.

pub(crate) mod block;
pub(crate) mod block_index;
pub(crate) mod dir;
pub(crate) mod file;
pub(crate) mod frame;
pub(crate) mod header;
pub(crate) mod open;
pub(crate) mod position;
pub(crate) mod recovery;
pub(crate) mod reservation;
pub(crate) mod row;
pub(crate) mod writer;
