//! Collects what is in the texts of a row group, and writes the part:
//!
//! ```text
//! bytes of all before the bitmaps, rows of a block             4 each
//! bytes of the names; u32::MAX: they are too many              4
//! for each block, for each kind of bitmap:
//!   binary digits of its length; 0: empty, 255: not there      1
//! names, sorted: length of each, name                          varint, n
//! bitmaps: the trigrams of each block, then the least grams, then the numbers
//! ```
//!
//! Names are paths of members as conditions call them. A bitmap has bits in bytes, the lowest
//! first. A hash sets the bit of its number modulo the length; that of a number at a path sets
//! four.

use std::collections::BTreeSet;

use super::bitmap::{Bitmap, LOG2_MIN};
use super::{ABSENT, EMPTY, KINDS, LEAST_GRAMS, LOG2_MAX, NUMBERS, TRIGRAMS, UNLISTED, grams};
use crate::bytes::put_varint;
use crate::limits::{FILTER_BLOCK_ROWS_MAX, FILTER_BLOCK_ROWS_MIN, FILTER_BLOCK_TEXT_BYTES, FILTER_NAMES_BYTES_MAX};

/// Bits that a number sets.
pub(super) const NUMBER_BITS: u64 = 4;
/// No more bits of a hundred are set if a bitmap can be larger.
const SET_PERCENT: u64 = 45;
/// A bitmap with more of a hundred bits set says too little to be kept.
const SET_PERCENT_MAX: u64 = 85;

/// The bits that the hash of a number stands for.
pub(super) fn bits_of_number(hash: u64) -> impl Iterator<Item = u64> {
    let (first, step) = (hash & 0xFFFF_FFFF, hash >> 32 | 1);
    (0..NUMBER_BITS).map(move |number| first.wrapping_add(number.wrapping_mul(step)))
}

/// How many rows a block of a filter has, if so many rows have so many bytes of texts.
pub(in crate::segment) fn block_rows(rows: u32, text_bytes: u64) -> u32 {
    let mut block = FILTER_BLOCK_ROWS_MAX;
    while block > FILTER_BLOCK_ROWS_MIN
        && text_bytes * u64::from(block) > u64::from(rows) * FILTER_BLOCK_TEXT_BYTES as u64
    {
        block /= 2;
    }
    block
}

/// The texts of a row group that no column has, block by block.
pub(in crate::segment) struct FilterBuilder {
    block_rows: u32,
    /// Those of the block that is being filled.
    current: [Bitmap; KINDS],
    /// Whether anything may be in it.
    is_open: bool,
    /// `None` for one in which nothing was put.
    blocks: Vec<[Option<Bitmap>; KINDS]>,
    /// Whether anything may be in each.
    are_open: Vec<bool>,
    names: BTreeSet<Box<[u8]>>,
    names_bytes: usize,
    row: u32,
}

impl FilterBuilder {
    /// No rows yet, with blocks of so many.
    pub(in crate::segment) fn new(block_rows: u32) -> Self {
        Self {
            block_rows,
            current: LOG2_MAX.map(Bitmap::new),
            is_open: false,
            blocks: Vec::new(),
            are_open: Vec::new(),
            names: BTreeSet::new(),
            names_bytes: 0,
            row: 0,
        }
    }

    /// Ends a row.
    pub(in crate::segment) fn end_row(&mut self) {
        self.row += 1;
        if self.row.is_multiple_of(self.block_rows) {
            self.end_block();
        }
    }

    /// Takes in a text of the row.
    pub(in crate::segment) fn add_text(&mut self, text: &[u8]) {
        let [trigrams, least_grams, _] = &mut self.current;
        grams::visit(text, |hash| trigrams.insert(hash), |hash| least_grams.insert(hash));
    }

    /// Takes in a number of the row, at a path; an empty one where the path is not told.
    pub(in crate::segment) fn add_number(&mut self, path: &[u8], number: &[u8]) {
        bits_of_number(grams::number(path, number)).for_each(|bit| self.current[NUMBERS].insert(bit));
    }

    /// Notes that the row may have any text and any number.
    pub(in crate::segment) fn add_anything(&mut self) {
        self.is_open = true;
    }

    /// Takes in a path that no column has.
    pub(in crate::segment) fn add_name(&mut self, path: &[u8]) {
        if self.names_bytes <= FILTER_NAMES_BYTES_MAX && !self.names.contains(path) {
            self.names_bytes += path.len() + size_of::<u16>();
            self.names.insert(path.into());
        }
    }

    fn end_block(&mut self) {
        let mut block = [None, None, None];
        self.are_open.push(std::mem::take(&mut self.is_open));
        for (slot, (bitmap, log2)) in block.iter_mut().zip(self.current.iter_mut().zip(LOG2_MAX)) {
            if !bitmap.is_empty() {
                let mut full = std::mem::replace(bitmap, Bitmap::new(log2));
                full.fold_to(SET_PERCENT);
                *slot = Some(full);
            }
        }
        self.blocks.push(block);
    }

    /// The part, of at most about so many bytes. With less room bitmaps are smaller and say less.
    pub(in crate::segment) fn finish(mut self, bytes_max: usize) -> Vec<u8> {
        if !self.row.is_multiple_of(self.block_rows) {
            self.end_block();
        }
        let bytes_of = |blocks: &[[Option<Bitmap>; KINDS]], kind: usize| {
            blocks.iter().filter_map(|block| block[kind].as_ref()).map(Bitmap::bytes).sum::<usize>()
        };
        debug_assert_eq!(self.blocks.len(), self.row.div_ceil(self.block_rows) as usize);
        debug_assert_eq!(self.blocks.len(), self.are_open.len());
        let mut is_kept = [true; KINDS];
        loop {
            let bytes: [usize; KINDS] =
                std::array::from_fn(|kind| bytes_of(&self.blocks, kind) * usize::from(is_kept[kind]));
            if bytes.iter().sum::<usize>() <= bytes_max {
                break;
            }
            let Some(largest) = (0..KINDS).max_by_key(|kind| bytes[*kind]) else { break };
            let of_kind = || self.blocks.iter().filter_map(|block| block[largest].as_ref());
            let can_fold = of_kind().any(|bitmap| bitmap.log2() > LOG2_MIN && bitmap.percent_set() <= SET_PERCENT_MAX);
            is_kept[largest] = can_fold;
            let bitmaps = self.blocks.iter_mut().filter_map(|block| block[largest].as_mut());
            bitmaps.filter(|bitmap| bitmap.log2() > LOG2_MIN).for_each(Bitmap::fold);
        }
        self.encode(is_kept)
    }

    fn encode(&self, is_kept: [bool; KINDS]) -> Vec<u8> {
        let is_there = |kind: usize, bitmap: &Bitmap| is_kept[kind] && bitmap.percent_set() <= SET_PERCENT_MAX;
        let mut names = Vec::new();
        for name in &self.names {
            put_varint(&mut names, name.len() as u64);
            names.extend_from_slice(name);
        }
        let is_listed = self.names_bytes <= FILTER_NAMES_BYTES_MAX;
        let mut out = vec![0; 4];
        out.extend_from_slice(&self.block_rows.to_le_bytes());
        out.extend_from_slice(&if is_listed { names.len() as u32 } else { UNLISTED }.to_le_bytes());
        for (block, is_open) in self.blocks.iter().zip(&self.are_open) {
            out.extend((0..KINDS).map(|kind| match &block[kind] {
                _ if *is_open => ABSENT,
                None => EMPTY,
                Some(bitmap) if is_there(kind, bitmap) => bitmap.log2(),
                Some(_) => ABSENT,
            }));
        }
        if is_listed {
            out.extend(names);
        }
        let head = out.len() as u32;
        out[..4].copy_from_slice(&head.to_le_bytes());
        for kind in [TRIGRAMS, LEAST_GRAMS, NUMBERS] {
            let closed = self.blocks.iter().zip(&self.are_open).filter(|(_, is_open)| !**is_open);
            let bitmaps = closed.filter_map(|(block, _)| block[kind].as_ref());
            bitmaps.filter(|bitmap| is_there(kind, bitmap)).for_each(|bitmap| bitmap.encode(&mut out));
        }
        out
    }
}
