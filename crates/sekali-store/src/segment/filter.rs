//! Filters of a row group: for blocks of its rows, what may be in the texts of payloads that no
//! column has. A filter says of a text that it is not there, or nothing at all: payloads decide.
//!
//! - `grams` takes texts apart, in one way for those who write filters and those who ask them.
//! - `bitmap` is a set that may have more in it than was put there.
//! - `builder` collects the texts of a row group and writes the part; `part` reads it.

mod bitmap;
mod builder;
mod grams;
mod part;
#[cfg(test)]
mod tests;

pub(super) use builder::{FilterBuilder, block_rows};
pub(super) use part::FilterPart;

/// The kinds of bitmaps of a block: three characters that follow each other, six of them, and
/// numbers by their paths.
const KINDS: usize = 3;
const TRIGRAMS: usize = 0;
const LEAST_GRAMS: usize = 1;
const NUMBERS: usize = 2;

/// Binary digits of the length of the largest bitmap of each kind.
const LOG2_MAX: [u8; KINDS] = [16, 19, 19];
/// Stands for a bitmap in which nothing was put.
const EMPTY: u8 = 0;
/// Stands for a bitmap that is not there: anything may be in the block.
const ABSENT: u8 = u8::MAX;
/// Stands for a list of names that would have been too long.
const UNLISTED: u32 = u32::MAX;
